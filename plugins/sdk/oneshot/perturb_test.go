package oneshot

import (
	"math"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// TestRandomPerturbation: the numbers that are added are uniform within the radius, as
// is seen where nothing is clipped or brought back to a sum.
func TestRandomPerturbation(t *testing.T) {
	n := newSynthetic(t, cells["two of edges"])
	s := begun(t, n, Parts{Relaxation: Sigmoid(0)}) // weights of one half
	p := RandomPerturbation(Radius{0.03, 0.3})
	at := Moment{Epoch: 5, Epochs: 10}
	eps := 0.03 + 0.27*0.5
	base := s.Mean()
	var draws []float64
	for range 300 {
		m, err := p.Perturb(t.Context(), s, cloned(base), at)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range n.relaxed.Decisions {
			for k := range m[i] {
				switch {
				case d.Edges: // not learned
					if m[i][k] != 1 {
						t.Fatalf("%s: an edge that is not learned weighs %v", d.Address, m[i][k])
					}
				case base[i][k] > 0.3:
					draws = append(draws, m[i][k]-base[i][k])
				}
			}
		}
	}
	distributed(t, "perturbations", draws, func(v float64) float64 { return min(max((v+eps)/(2*eps), 0), 1) })
}

// TestClip: by hand.
func TestClip(t *testing.T) {
	n := newSynthetic(t, cellOptions{nodes: 1, inputs: 1})
	s := begun(t, n, Parts{})
	for _, c := range []struct{ m, want []float64 }{
		{[]float64{-0.1, 0.2, 0.3, 0.3}, []float64{0, 0.25, 0.375, 0.375}},
		{[]float64{1.5, 0.5, 0.5, 0}, []float64{0.5, 0.25, 0.25, 0}},
		{[]float64{-0.3, -0.1, -0.2, -0.4}, []float64{0, 1, 0, 0}},
	} {
		m := sdk.Mixture{c.m}
		clip(s, m, sdk.Mixture{{0.25, 0.25, 0.25, 0.25}})
		near(t, m[0], c.want, 1e-15)
	}
	// What is not left stays zero.
	if err := s.Keep(0, []int{1, 3}); err != nil {
		t.Fatal(err)
	}
	m, err := RandomPerturbation(Radius{0.3, 0.3}).Perturb(t.Context(), s, s.Mean(), Moment{Epochs: 1})
	if err != nil || m[0][0] != 0 || m[0][2] != 0 || math.Abs(m[0][1]+m[0][3]-1) > 1e-15 || m[0][1] == 0.5 {
		t.Error(m, err)
	}
}

// TestAdversarial: the loss of the step to come rises more than under random
// perturbations, within the radius before the sum is restored.
func TestAdversarial(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	s := begun(t, n, Parts{})
	at := Moment{Epoch: 0, Epochs: 10}
	radius := Radius{0.1, 0.1}
	base := s.Mean()
	loss := func(m sdk.Mixture) float64 {
		v, _, _ := n.loss(m, n.state.W, n.noises("train", 0))
		return v
	}
	m, err := Adversarial(radius, 7).Perturb(t.Context(), s, cloned(base), at)
	if err != nil {
		t.Fatal(err)
	}
	if n.calls["arch"] != 9 || n.calls["weight"] != 0 {
		t.Errorf("calls: %v", n.calls)
	}
	for range 50 {
		r, err := RandomPerturbation(radius).Perturb(t.Context(), s, cloned(base), at)
		if err != nil {
			t.Fatal(err)
		}
		if loss(r) > loss(m) {
			t.Errorf("the loss is %v under a random perturbation, %v under the adversarial one, %v under none", loss(r), loss(m), loss(base))
		}
	}
	// By the rule, step by step, from the same random start.
	s2 := begun(t, newSynthetic(t, cells["all edges"]), Parts{})
	x := cloned(base)
	shake(s2, x, 0.1, s2.Rand("perturb"))
	for range 7 {
		_, g, _ := n.loss(x, n.state.W, n.noises("train", 0))
		for i := range x {
			sum := 0.0
			for k := range x[i] {
				v := x[i][k]
				if g[i][k] > 0 {
					v += 0.2 / 7
				} else if g[i][k] < 0 {
					v -= 0.2 / 7
				}
				v = math.Max(math.Min(v, base[i][k]+0.1), base[i][k]-0.1)
				x[i][k] = math.Max(v, 0)
				sum += x[i][k]
			}
			for k := range x[i] {
				x[i][k] /= sum
			}
		}
	}
	for i := range x {
		near(t, m[i], x[i], 1e-12)
	}
}

// TestAdversarialReturns: a candidate that a step has left without weight may get some
// in the next, though a supernet gives no gradient where there is no weight.
func TestAdversarialReturns(t *testing.T) {
	perturbed := func(sparse bool) sdk.Mixture {
		n := newSynthetic(t, cellOptions{nodes: 2, inputs: 1, candidates: []candidate{{"a", 2, false, false}, {"b", 1.5, false, false}, {"c", 0.2, false, false}}})
		s := begun(t, n, Parts{})
		if sparse {
			s.net = thrifty{n}
		}
		clear(n.target) // each node is beyond its target, so that all add to the loss
		last := make(Choice, len(n.relaxed.Decisions))
		for i, d := range n.relaxed.Decisions {
			last[i] = []int{len(d.Options) - 1}
		}
		m, err := Adversarial(Radius{0.3, 0.3}, 7).Perturb(t.Context(), s, OneHot(&n.relaxed, last), Moment{Epochs: 1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := perturbed(false)
	if d := distance(m, perturbed(true)); d > 1e-9 || m[0][0] == 0 || m[0][1] == 0 {
		t.Errorf("the perturbation, to %v, differs by %v", m, d)
	}
}

// thrifty is a supernet that computes nothing where there is no weight.
type thrifty struct{ *synthetic }

func (w thrifty) ArchGradient(ctx ctx, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, grad, err := w.synthetic.ArchGradient(ctx, m, o)
	for i := range m {
		for k := range m[i] {
			if m[i][k] == 0 {
				grad[i][k] = 0
			}
		}
	}
	return loss, grad, err
}

// TestAdversarialReverts: at a mixture that no step makes worse there is no
// perturbation.
func TestAdversarialReverts(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	s := begun(t, n, Parts{})
	s.net = worst{n}
	base := s.Mean()
	m, err := Adversarial(Radius{0.1, 0.1}, 7).Perturb(t.Context(), s, cloned(base), Moment{Epochs: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		near(t, m[i], base[i], 0)
	}
}

// TestPerturbedWeights: weight steps are made under the perturbed mixture, arch steps
// are not.
func TestPerturbedWeights(t *testing.T) {
	mixtures := map[string]*recorder{}
	for _, p := range []string{"none", "random", "adversarial"} {
		n := newSynthetic(t, cells["all edges"])
		n.epochs, n.steps = 1, 1
		o := shot(t, n, wire.Settings{"perturb": p})
		r := &recorder{synthetic: n}
		if err := o.Begin(r); err != nil {
			t.Fatal(err)
		}
		s, err := o.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := s.Values["epsilon"]; ok != (p != "none") || ok && e != 0.03 {
			t.Errorf("%s: values %v", p, s.Values)
		}
		mixtures[p] = r
	}
	none, random := mixtures["none"], mixtures["random"]
	if d := distance(none.arch[0], random.arch[0]); d != 0 {
		t.Errorf("the mixture of an arch step differs by %v", d)
	}
	for _, p := range []string{"random", "adversarial"} {
		if d := distance(none.weight[0], mixtures[p].weight[0]); d == 0 || d > 0.06 {
			t.Errorf("%s: the mixture of a weight step differs by %v", p, d)
		}
	}
}

// worst is a supernet whose loss falls with every step away from where it is asked
// first.
type worst struct{ *synthetic }

func (w worst) ArchGradient(ctx ctx, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss := 0.0
	for i := range m {
		for k := range m[i] {
			d := m[i][k] - 1/float64(len(m[i]))
			loss -= d * d
		}
	}
	_, grad, err := w.synthetic.ArchGradient(ctx, m, o)
	return loss, grad, err
}

// distance is the largest difference of two mixtures.
func distance(a, b sdk.Mixture) (d float64) {
	for i := range a {
		for k := range a[i] {
			d = max(d, math.Abs(a[i][k]-b[i][k]))
		}
	}
	return d
}
