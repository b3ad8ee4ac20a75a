package supernet

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// heavy is a supernet whose weights take more than its maps, and a batch for it.
func heavy(t *testing.T, ws *kernel.Workers, limit int64) (*Supernet, Examples) {
	t.Helper()
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{},
		compiler.Argument{Name: "image", Value: []int64{3, 8, 8}}, compiler.Argument{Name: "c", Value: int64(64)}, compiler.Argument{Name: "n", Value: int64(1)})
	n, err := New(s, ws, Options{Batch: 2, Seed: 1, Rule: optim.SGD{Momentum: 0.9}, MemoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	images, labels := batch(s, 2, 2, 10, 1)
	return n, Examples{images, labels}
}

func (n *Supernet) second(x Examples) (Mixture, error) {
	_, grad, err := n.Unrolled(context.Background(), x, x, n.Uniform(), optim.SGD{Momentum: 0.9}, 0.025, 0.01)
	return grad, err
}

// TestFootprint compares what a supernet is said to take with what it takes, without and
// with gradients of second order.
func TestFootprint(t *testing.T) {
	ctx := context.Background()
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	stats := func() (m runtime.MemStats) {
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m
	}
	compare := func(what string, took uint64, said int64) {
		t.Helper()
		t.Logf("%s: it took %d KiB, and was said to need %d KiB", what, took>>10, said>>10)
		if ratio := float64(took) / float64(said); ratio < 0.95 || ratio > 1.1 {
			t.Errorf("%s: it took %d KiB, and was said to need %d KiB", what, took>>10, said>>10)
		}
	}
	step := func(n *Supernet, x Examples) {
		if _, err := n.WeightStep(ctx, x.Images, x.Labels, n.Uniform()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := n.ArchGradient(ctx, x.Images, x.Labels, n.Uniform()); err != nil {
			t.Fatal(err)
		}
	}
	step(heavy(t, ws, 0)) // what kernels keep from one supernet to the next
	before := stats()
	n, x := heavy(t, ws, 0)
	step(n, x)
	first, plain := stats(), n.Memory()
	compare("first order", first.HeapAlloc-before.HeapAlloc, plain)
	if _, err := n.second(x); err != nil {
		t.Fatal(err)
	}
	second := stats()
	compare("the copies of the weights", second.HeapAlloc-first.HeapAlloc, n.Memory()-plain)
	compare("second order", second.HeapAlloc-before.HeapAlloc, n.Memory())
	if _, err := n.second(x); err != nil {
		t.Fatal(err)
	}
	if made := stats().TotalAlloc - second.TotalAlloc; made > uint64(n.Memory()-plain)/10 {
		t.Errorf("another gradient takes %d KiB more", made>>10)
	}
	runtime.KeepAlive(n)
}

// TestUnrolledLimit: where there is room for a supernet and not for the copies that the
// second order works with, its first gradient says how much is needed, takes none of it
// and leaves everything as it was.
func TestUnrolledLimit(t *testing.T) {
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	free, x := heavy(t, ws, 0)
	plain := free.Memory()
	want, err := free.second(x)
	if err != nil {
		t.Fatal(err)
	}
	copies := 2 * 4 * free.engine.weights.count
	if free.Memory() != plain+copies {
		t.Errorf("with second order %d bytes, %d more than without; two copies of the weights are %d", free.Memory(), free.Memory()-plain, copies)
	}
	tight, x := heavy(t, ws, plain+copies-1)
	start := slices.Clone(tight.tensors[0])
	_, err = tight.second(x)
	var tooLarge *MemoryError
	if !errors.As(err, &tooLarge) || *tooLarge != (MemoryError{Needed: plain + copies, Limit: plain + copies - 1, Unrolled: true}) {
		t.Fatalf("error %v", err)
	}
	if tight.engine.start != nil || tight.Memory() != plain || !slices.Equal(start, tight.tensors[0]) {
		t.Error("what was refused has left something")
	}
	if _, err := tight.WeightStep(context.Background(), x.Images, x.Labels, tight.Uniform()); err != nil {
		t.Errorf("a weight step after that: %v", err)
	}
	enough, x := heavy(t, ws, plain+copies)
	if got, err := enough.second(x); err != nil || !slices.EqualFunc(got, want, slices.Equal[[]float64]) {
		t.Errorf("with just enough: %v, not the gradient without a limit", err)
	}
}
