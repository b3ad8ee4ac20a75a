package oneshot

import (
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// TestSecondOrder: the gradient is that of the validation loss after the next weight
// step, exactly up to the square of the radius of the finite difference.
func TestSecondOrder(t *testing.T) {
	n := newSynthetic(t, cells["two of edges"])
	n.decay = 0.01
	p := scattered(begun(t, n, Parts{}).Params(), 1)
	gradient := func(o Order) Params {
		s := begun(t, n, Parts{Order: o})
		m, back := s.Draw(p, Moment{}, nil)
		n.state.NextBack = 0
		_, grad, err := o.Gradient(t.Context(), s, m)
		if err != nil {
			t.Fatal(err)
		}
		return back(grad)
	}
	s := begun(t, n, Parts{})
	want := slopes(p, func(p Params) float64 {
		m, _ := s.Draw(p, Moment{}, nil)
		_, _, dw := n.loss(m, n.state.W, n.noises("train", 0))
		w := slices.Clone(n.state.W)
		for i := range w {
			w[i] -= n.rate * (dw[i] + n.decay*n.state.W[i])
		}
		loss, _, _ := n.loss(m, w, n.noises("valid", 0))
		return loss
	})
	off := func(o Order) float64 { return distance(gradient(o), want) }
	fine, coarse, first := off(SecondOrder(0.01)), off(SecondOrder(0.1)), off(FirstOrder())
	if fine > 1e-5 || math.Abs(coarse/fine-100) > 2 || first < 0.05 {
		t.Errorf("with radius 0.01 the gradient is off by %v, with 0.1 by %v, to first order by %v", fine, coarse, first)
	}
}

// TestSteps: which calls are made, in which order and on which batches.
func TestSteps(t *testing.T) {
	valid, train := sdk.ArchGradient{Batch: sdk.NextValid}, sdk.ArchGradient{Batch: sdk.NextTrain}
	for _, c := range []struct {
		settings wire.Settings
		order    string // of two epochs of four steps
		asked    sdk.ArchGradient
	}{
		{wire.Settings{}, "awawawawawawawaw", valid},
		{wire.Settings{"weights_first": true}, "wawawawawawawawa", valid},
		{wire.Settings{"period": int64(2)}, "awwawwawwaww", valid},
		{wire.Settings{"period": int64(3)}, "awwwawawwwaw", valid},
		{wire.Settings{"warmup": int64(1)}, "wwwwawawawaw", valid},
		{wire.Settings{"warmup": int64(1), "weights_first": true, "period": int64(2)}, "wwwwwawwaw", valid},
		{wire.Settings{"order": "second"}, "awawawawawawawaw", sdk.ArchGradient{Batch: sdk.NextValid, Unrolled: true, Radius: 0.01}},
		{wire.Settings{"order": "single"}, "awawawawawawawaw", train},
		{wire.Settings{"order": "single", "weights_first": true}, "awawawawawawawaw", train},
		{wire.Settings{"relax": "uniform"}, "wwwwwwww", valid},
		{wire.Settings{"perturb": "adversarial", "pgd_steps": int64(1), "warmup": int64(1)}, "aaawaaawaaawaaaw" + "aaaawaaaawaaaawaaaaw", sdk.ArchGradient{Batch: sdk.NextTrain}},
	} {
		n := newSynthetic(t, cells["all edges"])
		n.epochs, n.steps = 2, 4
		r := &recorder{synthetic: n}
		o := shot(t, n, c.settings)
		if err := o.Begin(r); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := o.Stage(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r.order != c.order {
			t.Errorf("%v: calls %s, not %s", c.settings, r.order, c.order)
		}
		if len(r.asked) > 0 && r.asked[0] != c.asked {
			t.Errorf("%v: %+v, not %+v", c.settings, r.asked[0], c.asked)
		}
	}
}

// TestOneLevel: the weight step is made under the very mixture of the arch step, though
// the parameters have moved and mixtures are random; without it they are drawn apart.
func TestOneLevel(t *testing.T) {
	for order, shared := range map[string]bool{"single": true, "first": false} {
		n := newSynthetic(t, cells["all edges"])
		n.epochs, n.steps = 1, 6
		r := &recorder{synthetic: n}
		o := shot(t, n, wire.Settings{"order": order, "relax": "concrete"})
		if err := o.Begin(r); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Stage(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range r.arch {
			if d := distance(r.arch[i], r.weight[i]); (d == 0) != shared {
				t.Errorf("%s, step %d: mixtures differ by %v", order, i, d)
			}
			if i > 0 && distance(r.arch[i], r.arch[i-1]) == 0 {
				t.Errorf("%s: steps %d and %d have one mixture", order, i-1, i)
			}
		}
	}
}
