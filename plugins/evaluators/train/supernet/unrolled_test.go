package supernet

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// smooth is a space without kinks, so that differences are accurate.
const smooth = `block edge = conv_bn(kernel: 1) | conv_bn(kernel: 3) | avg_pool | skip
cell normal(x) {
    node n[2] = sum(edge(prev))
    return n[1]
}
space s(x: [4, 6, 6]) -> [2] = x -> conv_bn(out: 4) -> normal -> global_pool -> linear(out: 2)`

// TestUnrolledExact compares the second-order gradient with the exact one, which is by
// central differences of the loss on one batch after a weight step on another as a
// function of the mixture, in float64. The difference falls with the square of the
// radius, as that of a central difference must. Without the implicit term it would not
// fall at all.
func TestUnrolledExact(t *testing.T) {
	ctx := context.Background()
	s := relaxText(t, smooth, lower.Relaxation{})
	e := newTest[float64](t, s, Options{Batch: 8, Seed: 3}, 2)
	trainImages, trainLabels := batch(s, 8, 8, 2, 1)
	validImages, validLabels := batch(s, 8, 8, 2, 2)
	train, valid := Examples{trainImages, trainLabels}, Examples{validImages, validLabels}
	m := random(e.decisions, 3)
	u := unrolling[float64]{rate: 0.3, decay: 0.01, momentum: 0.9, step: 1}
	var start [][]float64
	for i, p := range e.params {
		w := e.weighing.Value(p)
		start = append(start, slices.Clone(w))
		u.velocity = append(u.velocity, make([]float64, len(w)))
		for k := range w {
			u.velocity[i][k] = 0.1 * math.Sin(float64(7*i+k))
		}
	}
	run := func(x Examples, arch bool) float64 {
		if err := e.load(x.Images, x.Labels, m); err != nil {
			t.Fatal(err)
		}
		p := e.weighing
		if arch {
			p = e.arching
		}
		loss, err := e.run(ctx, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	// after is the loss on valid after the step on train.
	after := func() float64 {
		run(train, false)
		for i, p := range e.params {
			w, g := e.weighing.Value(p), e.weighing.Value(e.grads[i])
			for k := range w {
				w[k] -= u.rate * (g[k] + u.decay*w[k] + u.momentum*u.velocity[i][k])
			}
		}
		loss := run(valid, true)
		for i, p := range e.params {
			copy(e.weighing.Value(p), start[i])
		}
		return loss
	}
	want := after()
	var exact, first []float64
	const h = 1e-5
	for i := range m {
		for k := range m[i] {
			old := m[i][k]
			m[i][k] = old + h
			up := after()
			m[i][k] = old - h
			exact = append(exact, (up-after())/(2*h))
			m[i][k] = old
		}
	}
	run(valid, true)
	plain, err := e.gradient(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range plain {
		first = append(first, g...)
	}
	apart := func(got []float64) (d float64) {
		for i := range exact {
			d = max(d, math.Abs(got[i]-exact[i]))
		}
		return d
	}
	var errors []float64
	for _, u.radius = range []float64{0.2, 0.1, 0.05} {
		loss, grad, err := e.unrolled(ctx, train, valid, m, u)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(loss-want) > 1e-12 {
			t.Errorf("the loss after the step is %v, exactly %v", loss, want)
		}
		errors = append(errors, apart(slices.Concat(grad...)))
		for i, p := range e.params {
			if !slices.Equal(e.weighing.Value(p), start[i]) {
				t.Fatal("the weights moved")
			}
		}
	}
	t.Logf("errors %.3g; of the first order %.3g", errors, apart(first))
	for i := range 2 {
		if ratio := errors[i] / errors[i+1]; ratio < 3.7 || ratio > 4.3 {
			t.Errorf("half the radius makes the error %.3g times smaller, want 4", ratio)
		}
	}
	if errors[2] > 1e-3*apart(first) {
		t.Errorf("errors %v are not small beside %v, that of the first order", errors, apart(first))
	}
}

// TestUnrolled in float32: nothing is left of it in weights, memory of the optimizer and
// running statistics, also where a mixture takes operations out; it is a step ahead of
// the rule's own; and what cannot be is refused.
func TestUnrolled(t *testing.T) {
	ctx := context.Background()
	_, s := load(t, "robustdarts/s4.nas", lower.Relaxation{}, small["robustdarts/s4.nas"]...) // with noise
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	sgd := optim.SGD{Momentum: 0.9, WeightDecay: 1e-3}
	fresh := func() *Supernet {
		n, err := New(s, ws, Options{Batch: 4, Seed: 1, Rule: sgd, Clip: 5})
		if err != nil {
			t.Fatal(err)
		}
		walk(t, n, 0, 2)
		return n
	}
	n, other := fresh(), fresh()
	images, labels := batch(s, 4, 4, 10, 8)
	x := Examples{images, labels}
	m := n.Uniform()
	for i := range m {
		m[i][i%2] = 0
	}
	if _, grad, err := n.Unrolled(ctx, x, x, m, sgd, 0.1, 0.01); err != nil || len(grad) != len(m) {
		t.Fatal(err)
	}
	other.engine.Step++ // noise is drawn anew in every call
	if got, want := walk(t, n, 2, 4), walk(t, other, 2, 4); got != want {
		t.Error("steps after a second-order gradient differ")
	}
	// The gradient of a mixture that is out is zero.
	_, grad, err := n.Unrolled(ctx, x, x, m, sgd, 0.1, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		if grad[i][i%2] != 0 {
			t.Errorf("%s: a weight of zero has gradient %v", n.Decisions()[i].Address, grad[i][i%2])
		}
	}
	before := slices.Clone(n.tensors[0])
	for want, try := range map[string]func() error{
		"not by optim.Adam": func() error { _, _, err := n.Unrolled(ctx, x, x, m, optim.Adam{}, 0.1, 0.01); return err },
		"difference is 0":   func() error { _, _, err := n.Unrolled(ctx, x, x, m, sgd, 0.1, 0); return err },
		"canceled":          func() error { _, _, err := n.Unrolled(&patience{ctx, 900}, x, x, m, sgd, 0.1, 0.01); return err },
		"diverged":          func() error { _, _, err := n.Unrolled(ctx, x, x, m, sgd, 1e25, 0.01); return err },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if !slices.Equal(before, n.tensors[0]) {
			t.Errorf("%s: the weights moved", want)
		}
	}
}
