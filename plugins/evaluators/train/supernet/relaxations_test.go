package supernet

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
	"github.com/nasc-project/nasc/plugins/wire"
)

// TestRelaxations: the gradients of arch parameters that the relaxations of one-shot
// methods make of the gradient of the mixture equal central differences of the loss of
// whole supernets in float64.
func TestRelaxations(t *testing.T) {
	at := oneshot.Moment{Epoch: 1, Epochs: 3}
	warm := oneshot.Temperature{Max: 2, Min: 1}
	for _, c := range []struct {
		file  string
		o     lower.Relaxation
		every int // parameters of which one is compared
	}{
		{"nasbench201/nasbench201.nas", lower.Relaxation{}, 2},
		{"nasbench201/nasbench201.nas", lower.Relaxation{Channels: 2, EdgeWeights: true}, 3},
		{"nasbench1shot1/space3.nas", lower.Relaxation{}, 7},
		{"darts/darts.nas", lower.Relaxation{EdgeWeights: true}, 31},
	} {
		if testing.Short() && c.file != "nasbench201/nasbench201.nas" {
			continue
		}
		_, s := load(t, c.file, c.o, small[c.file]...)
		e := newTest[float64](t, s, Options{Batch: 3, Seed: 5}, 2)
		images, labels := batch(s, 3, e.places(), e.classes(), 1)
		value := func(m Mixture) float64 {
			if err := e.load(images, labels, m); err != nil {
				t.Fatal(err)
			}
			loss, err := e.run(context.Background(), e.arching, 1)
			if err != nil {
				t.Fatal(err)
			}
			return loss
		}
		l := oneshot.NewLayout(wire.RelaxedOf(s), c.o.EdgeWeights)
		for name, r := range map[string]oneshot.Relaxation{
			"softmax": oneshot.Softmax(), "sigmoid": oneshot.Sigmoid(1), "concrete": oneshot.Concrete(warm),
			"gumbel": oneshot.Gumbel(warm), "dirichlet": oneshot.Dirichlet(0),
		} {
			t.Run(fmt.Sprint(c.file, c.o, " ", name), func(t *testing.T) {
				p := r.Init(l, stream.New(1, "init", 0))
				rng := stream.New(2, "scatter", 0)
				for i := range p {
					for k := range p[i] {
						p[i][k] = rng.NormFloat64()
					}
				}
				m, back := r.Draw(l, p, at, stream.New(3, "noise", 0))
				value(m)
				grad, err := e.gradient(1)
				if err != nil {
					t.Fatal(err)
				}
				got := back(grad)
				// The mixture of other parameters with the same noise.
				mixture := func(p oneshot.Params) Mixture {
					m, _ := r.Draw(l, p, at, stream.New(3, "noise", 0))
					return m
				}
				every := c.every
				switch name {
				case "gumbel":
					every = (every + 4) / 5 // a path costs little
					mixture = straight(l, p, m, at, warm)
				case "dirichlet":
					mixture = quantiles(l, p)
				}
				compared, x := 0, 0
				for i := range p {
					for k := range p[i] {
						if x++; x%every != 0 {
							continue
						}
						const eps = 1e-6
						old := p[i][k]
						p[i][k] = old + eps
						up := value(mixture(p))
						p[i][k] = old - eps
						want := (up - value(mixture(p))) / (2 * eps)
						p[i][k] = old
						if math.Abs(got[i][k]-want) > 2e-5*max(1, math.Abs(want)) {
							t.Errorf("%s, parameter %d: gradient %v, by differences %v", l.Decisions[i].Address, k, got[i][k], want)
						}
						if math.Abs(want) > 1e-3 {
							compared++
						}
					}
				}
				if compared < 4 {
					t.Errorf("only %d gradients are not next to nothing", compared)
				}
			})
		}
	}
}

// straight is the mixture of hard draws of which those that are drawn weigh more or
// less as the soft weights of the same noise do: what a straight-through estimator
// differentiates when nothing else is computed.
func straight(l *oneshot.Layout, p oneshot.Params, hard Mixture, at oneshot.Moment, tau oneshot.Temperature) func(oneshot.Params) Mixture {
	soft := func(p oneshot.Params) Mixture {
		m, _ := oneshot.Concrete(tau).Draw(l, p, at, stream.New(3, "noise", 0))
		return m
	}
	base := soft(p)
	return func(p oneshot.Params) Mixture {
		now := soft(p)
		m := make(Mixture, len(hard))
		for i := range hard {
			m[i] = slices.Clone(hard[i])
			for k := range m[i] {
				if m[i][k] != 0 {
					m[i][k] += now[i][k] - base[i][k]
				}
			}
		}
		return m
	}
}

// quantiles is the mixture of Dirichlet draws whose gamma variates stay at their
// quantiles.
func quantiles(l *oneshot.Layout, p oneshot.Params) func(oneshot.Params) Mixture {
	shape := func(v float64) float64 {
		if v > 0 {
			return v + 1
		}
		return math.Exp(v)
	}
	rng := stream.New(3, "noise", 0)
	at := make([][]float64, len(p))
	for i := range p {
		for _, v := range p[i] {
			at[i] = append(at[i], mathext.GammaIncReg(shape(v), distuv.Gamma{Alpha: shape(v), Beta: 1, Src: rng}.Rand()))
		}
	}
	return func(p oneshot.Params) Mixture {
		m := make(Mixture, len(p))
		for i := range p {
			if len(p[i]) == 0 { // edges that are not learned
				for range l.Decisions[i].Options {
					m[i] = append(m[i], 1)
				}
				continue
			}
			sum := 0.0
			for k, v := range p[i] {
				m[i] = append(m[i], mathext.GammaIncRegInv(shape(v), at[i][k]))
				sum += m[i][k]
			}
			for k := range m[i] {
				m[i][k] /= sum
			}
		}
		return m
	}
}
