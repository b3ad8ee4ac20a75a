package train

import (
	"context"
	"runtime"
	"strings"
	"testing"
)

// TestFootprint compares what a training is said to take with what it takes.
func TestFootprint(t *testing.T) {
	s := quick()
	s.BatchSize, s.Optimizer, s.Beta1, s.Beta2, s.Epsilon = 64, "adam", 0.9, 0.999, 1e-8
	tr := newTrainer(t, s, 2)
	job := Job{Graph: nasbench201(16, 1, 10, image, cell(4, conv3, skip, avg3, conv1, max3, conv3)), Seed: 1}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	train := func() *Training {
		r := begin(t, tr, job)
		if _, err := r.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.measure(context.Background(), tr.set.Valid); err != nil {
			t.Fatal(err)
		}
		return r
	}
	train() // what kernels keep from one training to the next
	before := heap()
	r := train()
	took, said := heap()-before, r.footprint()
	if ratio := float64(took) / float64(said.total()); ratio < 0.95 || ratio > 1.1 {
		t.Errorf("it took %d KiB, and was said to need %v, %d KiB", took>>10, said, said.total()>>10)
	}
	least := tr.least(job.Graph, 64)
	if least.weights > said.weights || least.optimizer > said.optimizer || least.batches > said.batches || least.batches == 0 {
		t.Errorf("at least %+v, altogether %+v", least, said)
	}
	runtime.KeepAlive(r)
}

func TestTooLarge(t *testing.T) {
	s := quick()
	s.Memory = 1
	tr := newTrainer(t, s, 2)
	_, err := tr.Run(context.Background(), Job{Graph: nasbench201(16, 1, 10, image, cell(3, conv3, conv3, conv3))}, ignore)
	if err == nil || !strings.HasPrefix(err.Error(), "it needs ") || !strings.HasSuffix(err.Error(), " to be trained, and the setting memory allows 1 MiB") {
		t.Errorf("error %v", err)
	}
	s.Memory = 0
	huge := newBuilder("huge", image...).then("conv_bn", "out", 1<<14).then("conv_bn", "out", 1<<14, "kernel", 9).classifier(10)
	huge.Nodes[1].Params = 1<<28*81 + 1<<15
	_, err = newTrainer(t, s, 1).Run(context.Background(), Job{Graph: huge}, ignore)
	if err == nil || !strings.HasPrefix(err.Error(), "it needs 24") || !strings.Contains(err.Error(), " MiB of memory (") {
		if _, known := machineMemory(); known {
			t.Errorf("error %v", err)
		}
	}
}

func TestMachineMemory(t *testing.T) {
	if n, ok := available([]byte("MemTotal:  100 kB\nMemFree:   7 kB\nMemAvailable:     12345 kB\nBuffers: 1 kB\n")); !ok || n != 12345<<10 {
		t.Errorf("%d %v", n, ok)
	}
	if _, ok := available([]byte("MemTotal:  100 kB\n")); ok {
		t.Error("an old kernel does not say what is available")
	}
	left, known := machineMemory()
	if runtime.GOOS == "linux" && (!known || left < 1<<20) || known && left > 1<<50 {
		t.Errorf("the machine has %d bytes left (%v)", left, known)
	}
}
