package supernet

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/tensor"
)

// TestWiden by hand: outputs repeat, what reads inputs is divided by how often they
// come, and spatial positions stay.
func TestWiden(t *testing.T) {
	for _, c := range []struct {
		from       []float32
		old, shape tensor.Shape
		want       []float32
	}{
		{[]float32{1, 2}, tensor.Shape{2}, tensor.Shape{4}, []float32{1, 2, 1, 2}},
		{[]float32{1, 2, 3, 4}, tensor.Shape{2, 2}, tensor.Shape{2, 4}, []float32{.5, 1, .5, 1, 1.5, 2, 1.5, 2}},
		{[]float32{1, 2, 3, 4}, tensor.Shape{2, 2}, tensor.Shape{3, 3}, []float32{.5, 2, .5, 1.5, 4, 1.5, .5, 2, .5}},
		{[]float32{1, 2, 3, 4}, tensor.Shape{2, 1, 1, 2}, tensor.Shape{4, 1, 1, 2}, []float32{1, 2, 3, 4, 1, 2, 3, 4}},
		{[]float32{1, 2, 3, 4}, tensor.Shape{4}, tensor.Shape{2}, []float32{0, 0}},
		{[]float32{1, 2, 3, 4}, tensor.Shape{4}, tensor.Shape{2, 2}, []float32{0, 0, 0, 0}},
	} {
		to := make([]float32, c.shape.TotalSize())
		widen(to, c.shape, c.from, c.old)
		if !slices.Equal(to, c.want) {
			t.Errorf("%v to %v: %v, want %v", c.old, c.shape, to, c.want)
		}
	}
}

// repeat makes the second quarter of the channels of images [4, 6, 6] the first.
func repeat(images []float32) {
	for i := 0; i < len(images); i += 4 {
		images[i+1] = images[i]
	}
}

// TestRelaxPreserves: where the channels that go through candidates as well after
// widening repeat those that went through them before, candidates of every kind give
// what they gave, repeated. Of 4 channels one and then two do, so that of the joined
// map, shuffled, channels 0 and 1 (K = 4) become channels 0 and 2 (K = 2).
func TestRelaxPreserves(t *testing.T) {
	ctx := context.Background()
	const body = `block edge = conv_bn(kernel: 3) | sep_conv(kernel: 3) | relu_conv_bn(kernel: 1) | max_pool
cell normal(x) {
    node n[1] = sum(edge(prev))
    return n[0]
}
space s(x: [4, 6, 6]) -> [2] = x -> normal -> global_pool -> linear(out: 2)`
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(relaxText(t, body, lower.Relaxation{Channels: 4}), ws, Options{Batch: 8, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	images, labels := batch(n.Of(), 8, 8, 2, 1)
	repeat(images)
	for range 2 {
		if _, err := n.WeightStep(ctx, images, labels, n.Uniform()); err != nil {
			t.Fatal(err)
		}
	}
	// The head reads channel 0 alone, in which both relaxations have the mixed first
	// channel.
	w := n.engine.weights.byName["linear/weight"].Value().Data().([]float32)
	for i := range w {
		if i%4 != 0 {
			w[i] = 0
		}
	}
	wide, err := n.Relax(relaxText(t, body, lower.Relaxation{Channels: 2}), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Mixture{n.Uniform(), {{1, 0, 0, 0}}, {{0, 1, 0, 0}}, {{0, 0, 1, 0}}, {{0, 0, 0, 1}}} {
		want, _, err := n.Score(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := wide.Score(ctx, images, labels, m)
		if err != nil || math.Abs(got-want) > 1e-5 {
			t.Errorf("mixture %v: loss %v, before %v (%v)", m, got, want, err)
		}
		if want, _, err = n.ScoreRunning(ctx, images, labels, m); err != nil {
			t.Fatal(err)
		}
		if got, _, err = wide.ScoreRunning(ctx, images, labels, m); err != nil || math.Abs(got-want) > 1e-5 {
			t.Errorf("mixture %v, by running statistics: loss %v, before %v (%v)", m, got, want, err)
		}
	}
}

// TestRelax: weights, running statistics and what the optimizer remembers go over by
// name, widened tensors start without memory, and both supernets go on by themselves.
func TestRelax(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{Channels: 4}, small["nasbench201/nasbench201.nas"]...)
	_, to := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{Channels: 2, EdgeWeights: true}, small["nasbench201/nasbench201.nas"]...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(s, ws, Options{Batch: 4, Seed: 3, Rule: optim.SGD{Momentum: 0.9}, Schedule: optim.Schedule{Shape: optim.Cosine, Rate: 0.05, Steps: 10}})
	if err != nil {
		t.Fatal(err)
	}
	walk(t, n, 0, 3)
	wide, err := n.Relax(to, 0)
	if err != nil {
		t.Fatal(err)
	}
	if wide.Steps() != 3 || wide.Rate() != n.Rate() || wide.engine.Step != n.engine.Step || len(wide.Decisions()) <= len(n.Decisions()) {
		t.Errorf("%d steps, rate %v, %d decisions", wide.Steps(), wide.Rate(), len(wide.Decisions()))
	}
	places := map[string]int{}
	for k, p := range n.engine.params {
		places[p.Name()] = k
	}
	same, widened := 0, 0
	now, before := wide.optimizer.State(), n.optimizer.State()
	for i, p := range wide.engine.params {
		k, ok := places[p.Name()]
		switch {
		case !ok:
			t.Errorf("%s is new", p.Name())
		case len(wide.tensors[i]) == len(n.tensors[k]):
			same++
			if !slices.Equal(wide.tensors[i], n.tensors[k]) || !slices.Equal(now.Slots[0][i], before.Slots[0][k]) || now.Steps[i] != before.Steps[k] {
				t.Errorf("%s has not gone over", p.Name())
			}
		default:
			widened++
			want := n.tensors[k][0] / float32(len(wide.tensors[i])/len(n.tensors[k])/2) // a 1x1 convolution of 1 channel to 1 has 2 to 2 now
			if len(p.Shape()) == 4 && wide.tensors[i][0] != want || now.Steps[i] != 0 || slices.ContainsFunc(now.Slots[0][i], func(v float32) bool { return v != 0 }) {
				t.Errorf("%s starts at %v, want %v, with memory of %d steps", p.Name(), wide.tensors[i][0], want, now.Steps[i])
			}
		}
	}
	if same < 10 || widened < 10 {
		t.Errorf("%d tensors are the same, %d widened", same, widened)
	}
	for name, r := range wide.engine.weights.running {
		if old := n.engine.weights.running[name]; old == nil || r.Mean[len(r.Mean)-1] != old.Mean[len(old.Mean)-1] || r.Var[0] != old.Var[0] {
			t.Errorf("the running statistics of %s have not gone over", name)
		}
	}
	kept := slices.Clone(n.tensors[0])
	walk(t, wide, 3, 5)
	if !slices.Equal(kept, n.tensors[0]) {
		t.Error("the old supernet has moved with the new one")
	}
	var tooLarge *MemoryError
	if _, err := n.Relax(to, wide.Memory()-1); !errors.As(err, &tooLarge) {
		t.Errorf("a limit: %v", err)
	}
}
