package ops_test

import (
	"context"
	"math"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
)

func loss64(t *testing.T, b *bench, loss *gorgonia.Node) float64 {
	t.Helper()
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, loss))
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p.Value(loss)[0]
}

// TestSoftCrossEntropy compares it, with targets of one class and with smoothed
// ones, with the loss of labels, and its gradient with finite differences.
func TestSoftCrossEntropy(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, labels, targets := b.leaf("x", 3, 4), b.leaf("labels", 3), b.leaf("targets", 3, 4)
	copy(labels.Value().Data().([]float64), []float64{2, 0, 3})
	soft := must[*gorgonia.Node](t)(b.SoftCrossEntropy(x, targets))
	for _, smoothing := range []float64{0, 0.2} {
		to := targets.Value().Data().([]float64)
		for i, label := range []int{2, 0, 3} {
			for k := range 4 {
				to[4*i+k] = smoothing / 4
			}
			to[4*i+label] += 1 - smoothing
		}
		want := loss64(t, b, must[*gorgonia.Node](t)(b.CrossEntropy(x, labels, smoothing)))
		if got := loss64(t, b, soft); math.Abs(got-want) > 1e-12 {
			t.Errorf("smoothing %v: %v, want %v", smoothing, got, want)
		}
	}
	compare(t, b, soft, gorgonia.Nodes{x})
}

func TestWithAuxiliary(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, y, labels := b.leaf("x", 3, 4), b.leaf("y", 3, 4), b.leaf("labels", 3)
	copy(labels.Value().Data().([]float64), []float64{2, 0, 3})
	first := must[*gorgonia.Node](t)(b.CrossEntropy(x, labels, 0))
	second := must[*gorgonia.Node](t)(b.CrossEntropy(y, labels, 0))
	both := must[*gorgonia.Node](t)(b.WithAuxiliary(first, second, 0.4))
	want := loss64(t, b, first) + 0.4*loss64(t, b, second)
	if got := loss64(t, b, both); math.Abs(got-want) > 1e-12 {
		t.Errorf("%v, want %v", got, want)
	}
	compare(t, b, both, gorgonia.Nodes{x, y})
}
