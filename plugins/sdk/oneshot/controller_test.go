package oneshot

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// TestReinforce: a step is Adam's along the finite differences of the mean advantage
// times log probability, with a baseline that moves before it is subtracted.
func TestReinforce(t *testing.T) {
	l := layoutOf(twoNodes())
	c := &Controller{Units: 4, Layers: 2, Temperature: 5, Tanh: 2.5, Rate: 0.01, Entropy: 0.1, Decay: 0.9, Steps: 1, Samples: 3}
	c.Init(l, stream.New(1, "weights", 0))
	p := c.policy
	second := make([]float64, len(p.weights))
	var baseline *float64
	for step := 1; step <= 3; step++ {
		rng := stream.New(1, "draw", uint64(step))
		episodes := []*episode{p.draw(l, rng), p.draw(l, rng), p.draw(l, rng)}
		rewards := []float64{0.3, 0.9, 0.1 * float64(step)}
		var advantages []float64
		for i, e := range episodes {
			r := rewards[i] + 0.1*e.entropy
			if baseline == nil {
				baseline = new(float64)
				*baseline = r
			}
			*baseline = 0.9**baseline + 0.1*r
			advantages = append(advantages, r-*baseline)
		}
		loss := func() float64 {
			sum := 0.0
			for i, e := range episodes {
				sum -= advantages[i] * p.run(l, func(t int, _ []float64) int { return e.answers[t] }).logP / 3
			}
			return sum
		}
		want := slices.Clone(p.weights)
		const h = 1e-5
		for i, w := range want {
			p.weights[i] = w + h
			up := loss()
			p.weights[i] = w - h
			g := (up - loss()) / (2 * h)
			p.weights[i] = w
			second[i] = 0.999*second[i] + 0.001*g*g
			want[i] -= 0.01 * g / (math.Sqrt(second[i]/(1-math.Pow(0.999, float64(step)))) + 1e-8)
		}
		c.reinforce(episodes, rewards)
		for i := range want {
			// A gradient as small as the 1e-8 of Adam is lost in finite differences.
			if math.Abs(p.weights[i]-want[i]) > 1e-4 && second[i] > 1e-20 {
				t.Fatalf("step %d, weight %d: %v, want %v", step, i, p.weights[i], want[i])
			}
		}
		if math.Abs(*c.state.Baseline-*baseline) > 1e-12 {
			t.Errorf("baseline %v, want %v", *c.state.Baseline, *baseline)
		}
	}
}

// TestControllerMasks: options that are not left are neither drawn nor likely.
func TestControllerMasks(t *testing.T) {
	n := newSynthetic(t, cells["two of edges"])
	s := &Search{Search: n.search(1), net: n, kept: keptAll(&n.relaxed), draws: map[string]uint64{}}
	s.arrange()
	c := controllerParams{LSTMUnits: 4, LSTMLayers: 1, Temperature: 5, Tanh: 2.5}.controller()
	c.Init(s.layout, stream.New(1, "weights", 0))
	for i, d := range n.relaxed.Decisions {
		keep := []int{1, 3}
		if d.Edges {
			keep = []int{0, 2}
		}
		if err := s.Keep(i, keep); err != nil {
			t.Fatal(err)
		}
	}
	rng := stream.New(1, "draw", 0)
	for range 200 {
		m, back := c.Draw(s.layout, nil, Moment{}, rng)
		if back != nil {
			t.Fatal("the controller has no gradient")
		}
		choice := c.Sample(s, rng)
		if _, err := Genotype(s.Space, s.Relaxed(), choice); err != nil {
			t.Fatal(err)
		}
		for i, d := range s.layout.Decisions {
			sum := 0.0
			for _, w := range m[i] {
				sum += w
			}
			if want := float64(d.Max); sum != want || len(m[i]) != 2 {
				t.Fatalf("%s: %v", d.Address, m[i])
			}
			for _, k := range choice[i] {
				if !s.Kept(i, k) {
					t.Fatalf("%s takes %d", d.Address, k)
				}
			}
		}
	}
	mean := c.Mean(s.layout, nil)
	for i, d := range s.layout.Decisions {
		if sum := mean[i][0] + mean[i][1]; !d.Edges && math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: %v", d.Address, mean[i])
		}
	}
}

// TestENAS: the controller learns where the planted candidates are.
func TestENAS(t *testing.T) {
	enas := wire.Settings{"relax": "controller", "select": "best", "controller_lr": 0.05, "lstm_units": 6, "samples": 8, "controller_steps": 30, "score_batches": 1}
	for cell, c := range cells {
		t.Run(cell, func(t *testing.T) {
			n := newSynthetic(t, c)
			n.epochs, n.steps = 8, 40
			all := run(t, shot(t, n, with(enas, wire.Settings{"edge_norm": c.edgeNorm})), n)
			first, last := all[0], all[len(all)-1]
			if n.planted(last.Genotype, "conv3") != 1 || last.Values["reward"] < first.Values["reward"]+0.1 {
				t.Errorf("it ends with %s and reward %v, and had %v", n.space.Format(last.Genotype), last.Values["reward"], first.Values["reward"])
			}
			resumes(t, func() (sdk.OneShot, *synthetic) {
				n := newSynthetic(t, c)
				n.epochs = 4
				return shot(t, n, with(enas, wire.Settings{"controller_steps": 3, "best_of": 10, "edge_norm": c.edgeNorm})), n
			})
		})
	}
}

// TestControllerHasNoEigenvalue: what needs a gradient of arch parameters says so.
func TestControllerHasNoEigenvalue(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	o := shot(t, n, with(wire.Settings{"relax": "controller", "guard": "eigenvalue", "controller_steps": 1}))
	if err := o.Begin(n); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Stage(context.Background()); err == nil || !strings.Contains(err.Error(), "there are none in this relaxation") || n.calls["weight"] > 0 {
		t.Error(err)
	}
}
