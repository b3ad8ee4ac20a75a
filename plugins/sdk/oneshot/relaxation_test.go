package oneshot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// catalogued is the standard optimizer.
func catalogued() sdk.OptimizerSpec { return Standard().Optimizer(sdk.OptimizerInfo{Name: "shot"}) }

// begun is a search that has just begun, of parts of which those that are missing are
// those of DARTS.
func begun(t testing.TB, n *synthetic, p Parts) *Search {
	t.Helper()
	if p.Relaxation == nil {
		p.Relaxation = Softmax()
	}
	if p.Order == nil {
		p.Order = FirstOrder()
	}
	if p.Update == nil {
		p.Update = &Adam{Rate: 3e-4, Beta1: 0.5, Beta2: 0.999, Decay: 1e-3}
	}
	if p.Selection == nil {
		p.Selection = Argmax()
	}
	o, err := New(n.search(1), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Begin(n); err != nil {
		t.Fatal(err)
	}
	return o.(*driver).Search
}

// nextValid is the gradient on the first batch of the validation part.
func nextValid(n *synthetic) sdk.ArchGradient {
	n.state.NextBack = 0
	return sdk.ArchGradient{Batch: sdk.NextValid}
}

// scattered are parameters of ordinary size.
func scattered(p Params, seed uint64) Params {
	r := stream.New(seed, "scattered", 0)
	out := cloned(p)
	for i := range out {
		for k := range out[i] {
			out[i][k] = r.NormFloat64()
		}
	}
	return out
}

// slopes is the gradient of f at p by central differences of fourth order.
func slopes(p Params, f func(Params) float64) Params {
	out := zerosLike(p)
	x := cloned(p)
	const h = 1e-3
	for i := range p {
		for k := range p[i] {
			at := func(n float64) float64 {
				x[i][k] = p[i][k] + n*h
				v := f(x)
				x[i][k] = p[i][k]
				return v
			}
			out[i][k] = (at(-2) - 8*at(-1) + 8*at(1) - at(2)) / (12 * h)
		}
	}
	return out
}

// same compares gradients.
func same(t *testing.T, got, want Params, tolerance float64) {
	t.Helper()
	moved := false
	for i := range want {
		near(t, got[i], want[i], tolerance)
		for _, v := range want[i] {
			moved = moved || math.Abs(v) > 1e-3
		}
	}
	if !moved {
		t.Errorf("there is no gradient at all: %v", want)
	}
}

// TestGradients: the gradient of the loss of the whole supernet with respect to the arch
// parameters equals finite differences with the same noise, for relaxations whose
// mixtures are smooth functions of parameters and noise.
func TestGradients(t *testing.T) {
	for name, r := range map[string]Relaxation{
		"softmax":  Softmax(),
		"sigmoid":  Sigmoid(10),
		"concrete": Concrete(Temperature{Max: 1, Min: 0.5}),
	} {
		for cell, c := range cells {
			for _, masked := range []bool{false, true} {
				t.Run(fmt.Sprint(name, "/", cell, "/", masked), func(t *testing.T) {
					n := newSynthetic(t, c)
					s := begun(t, n, Parts{Relaxation: r, EdgeNorm: c.edgeNorm})
					if masked {
						first := len(n.relaxed.Decisions) - 1
						if err := s.Keep(first, []int{1, 3}); err != nil {
							t.Fatal(err)
						}
					}
					at := Moment{Epoch: 3, Epochs: 10}
					noise := func() *rand.Rand { return stream.New(5, "noise", 0) }
					p := scattered(s.Params(), 3)
					loss := func(p Params) float64 {
						v, _, err := s.Gradient(t.Context(), p, at, noise(), nextValid(n))
						if err != nil {
							t.Fatal(err)
						}
						return v
					}
					_, got, err := s.Gradient(t.Context(), p, at, noise(), nextValid(n))
					if err != nil {
						t.Fatal(err)
					}
					same(t, got, slopes(p, loss), 1e-9)
				})
			}
		}
	}
}

// TestPenalties: gradients of what is added to the loss equal finite differences.
func TestPenalties(t *testing.T) {
	for name, r := range map[string]Relaxation{"sigmoid": Sigmoid(10), "dirichlet": Dirichlet(0.5)} {
		t.Run(name, func(t *testing.T) {
			n := newSynthetic(t, cells["edge norm"])
			s := begun(t, n, Parts{Relaxation: r, EdgeNorm: true})
			p := scattered(s.Params(), 4)
			f := func(p Params) float64 {
				v, _ := r.(Regulariser).Penalty(s.Layout(), p, Moment{})
				return v
			}
			_, got := r.(Regulariser).Penalty(s.Layout(), p, Moment{})
			same(t, got, slopes(p, f), 1e-8)
		})
	}
	// By hand: -10 times the mean of (s - 0.5)^2 with s of 0 and ln 3 being 0.5 and 0.75.
	l := &Layout{Decisions: []Decision{{Learned: true, RelaxedDecision: sdk.RelaxedDecision{Options: []sdk.RelaxedOption{{}, {}, {Absent: true}}}}}}
	loss, _ := Sigmoid(10).(Regulariser).Penalty(l, Params{{0, math.Log(3), 50}}, Moment{})
	near(t, []float64{loss}, []float64{-10 * 0.0625 / 2}, 1e-15)
	// The flat distribution does not diverge from itself; that of (2, 1) does by
	// ln 2 - 1/2, the integral of 2x ln(2x).
	flat, _ := flatDivergence([]float64{1, 1, 1})
	two, _ := flatDivergence([]float64{2, 1})
	near(t, []float64{flat, two}, []float64{0, math.Log(2) - 0.5}, 1e-14)
}

// The penalty of a relaxation moves the parameters with the gradient of the loss.
func TestPenaltyCounts(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	r := Sigmoid(10)
	s := begun(t, n, Parts{Relaxation: r, Update: &descent{}})
	before := scattered(s.Params(), 5)
	s.params = cloned(before)
	_, grad, err := s.Gradient(t.Context(), before, Moment{}, nil, nextValid(n))
	if err != nil {
		t.Fatal(err)
	}
	_, extra := r.(Regulariser).Penalty(s.Layout(), before, Moment{})
	n.state.NextBack = 0
	if _, _, err := s.archStep(t.Context(), Moment{Epochs: 10}); err != nil {
		t.Fatal(err)
	}
	for i := range before {
		for k := range before[i] {
			near(t, []float64{s.params[i][k]}, []float64{before[i][k] - grad[i][k] - extra[i][k]}, 1e-14)
		}
	}
}

// descent subtracts gradients.
type descent struct{}

func (*descent) Start(*Layout, Params) error { return nil }
func (*descent) Step(p, grad Params) {
	for i := range p {
		for k := range p[i] {
			p[i][k] -= grad[i][k]
		}
	}
}
