package train

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// realSettings are the recipe of the long tests: SGD with Nesterov momentum, half an
// epoch of warm-up and a cosine to zero, and for photographs flips and crops.
func realSettings(dataset, folder string, epochs int) Settings {
	s := Settings{Dataset: dataset, Data: folder, Epochs: epochs, BatchSize: 64, Optimizer: "sgd", Lr: 0.1, Momentum: 0.9,
		Nesterov: true, WeightDecay: 5e-4, Schedule: "cosine", Warmup: 0.5, Clip: 5, Recalibrate: 100}
	if dataset == "images" {
		s.Flip, s.Shift = true, 2
	}
	return s
}

// TestRealImages trains the architecture of NAS-Bench-201 that has a 3x3 convolution on
// every edge, with 16 channels and one cell per stage, on MNIST and on CIFAR-10 as JPEG
// files, and measures it on the test images. It takes many minutes, so it runs only if
// NASC_LONG is set.
func TestRealImages(t *testing.T) {
	if os.Getenv("NASC_LONG") == "" {
		t.Skip("trains for many minutes; set NASC_LONG=1 to run it")
	}
	data := os.Getenv("NASC_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	for _, c := range []struct {
		name, dataset string
		epochs        int
		image         []int
		want          float64
	}{
		{"mnist", "idx", 3, []int{1, 28, 28}, 99},
		{"cifar10", "images", 5, []int{3, 32, 32}, 75},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(data, "images", c.name)
			if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
				t.Skipf("no data: %v", err)
			}
			tr := newTrainer(t, realSettings(c.dataset, folder, c.epochs), 0)
			g := nasbench201(16, 1, 10, c.image, cell(4, conv3, conv3, conv3, conv3, conv3, conv3))
			start := time.Now()
			m, err := tr.Test(context.Background(), Job{Graph: g, Seed: 1}, func(e Epoch) {
				t.Logf("epoch %d, %.0f s: training loss %.4f, validation accuracy %.2f %%", e.Number, time.Since(start).Seconds(), e.TrainLoss, e.Valid.Accuracy)
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("test accuracy %.2f %%, loss %.4f, after %.0f s", m.Accuracy, m.Loss, time.Since(start).Seconds())
			if m.Accuracy < c.want {
				t.Errorf("the test accuracy is %.2f %%, want %v %%", m.Accuracy, c.want)
			}
		})
	}
}

// BenchmarkRealStep is a training step of that architecture on CIFAR-sized images, batch
// 64, on all processors; the time of the optimizer is its own metric.
func BenchmarkRealStep(b *testing.B) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := newNetwork(nasbench201(16, 1, 10, []int{3, 32, 32}, cell(4, conv3, conv3, conv3, conv3, conv3, conv3)), ws, 64, 1, objective{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	o := optim.New(optim.SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4}, n.params)
	var spent time.Duration
	for b.Loop() {
		if err := n.step(context.Background()); err != nil {
			b.Fatal(err)
		}
		at := time.Now()
		optim.ClipNorm(ws, n.grads, 5)
		o.Step(ws, n.grads, 0.01)
		spent += time.Since(at)
	}
	b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "examples/s")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "optimizer-µs/op")
}
