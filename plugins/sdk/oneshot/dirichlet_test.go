package oneshot

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestDirichletDraws: a weight has the beta distribution of its concentration and the
// sum of the others.
func TestDirichletDraws(t *testing.T) {
	p := []float64{0.5, -1.2, 0, -0.1}
	c, _ := concentrations(p)
	near(t, c, []float64{1.5, math.Exp(-1.2), 1, math.Exp(-0.1)}, 1e-15)
	total := c[0] + c[1] + c[2] + c[3]
	draws := make([][]float64, 4)
	rng := stream.New(1, "draws", 0)
	for range 20_000 {
		w, _ := dirichlet{}.Draw(optionsOf(4, 0), p, Moment{}, rng)
		for i := range w {
			draws[i] = append(draws[i], w[i])
		}
	}
	for i := range draws {
		distributed(t, "Dirichlet weights", draws[i], distuv.Beta{Alpha: c[i], Beta: total - c[i]}.CDF)
	}
}

// TestDirichletGradient: through the whole supernet, the gradient equals finite
// differences of the loss under weights whose gamma variates stay at their quantiles.
func TestDirichletGradient(t *testing.T) {
	for cell, o := range cells {
		t.Run(cell, func(t *testing.T) {
			n := newSynthetic(t, o)
			s := begun(t, n, Parts{Relaxation: Dirichlet(0), EdgeNorm: o.edgeNorm})
			p := scattered(s.Params(), 6)
			// The variates of each decision, by the same stream.
			quantile := zerosLike(p)
			rng := stream.New(7, "noise", 0)
			for i := range p {
				c, _ := concentrations(p[i])
				for k := range c {
					quantile[i][k] = mathext.GammaIncReg(c[k], distuv.Gamma{Alpha: c[k], Beta: 1, Src: rng}.Rand())
				}
			}
			at := func(p Params) float64 {
				m := make(sdk.Mixture, len(p))
				for i := range p {
					if len(p[i]) == 0 {
						m[i] = ones(len(n.relaxed.Decisions[i].Options))
						continue
					}
					c, _ := concentrations(p[i])
					total := 0.0
					for k := range c {
						z := mathext.GammaIncRegInv(c[k], quantile[i][k])
						m[i] = append(m[i], z)
						total += z
					}
					for k := range m[i] {
						m[i][k] /= total
					}
				}
				loss, _, _ := n.loss(m, n.state.W, n.noises("valid", 0))
				return loss
			}
			loss, got, err := s.Gradient(t.Context(), p, Moment{}, stream.New(7, "noise", 0), nextValid(n))
			if err != nil {
				t.Fatal(err)
			}
			near(t, []float64{loss}, []float64{at(p)}, 1e-9)
			same(t, got, slopes(p, at), 1e-5)
		})
	}
}

// TestDirichletUnbiased: the mean gradient of w[0] w[1] + 2 w[2] is that of its mean,
// which is known.
func TestDirichletUnbiased(t *testing.T) {
	p := []float64{0.4, -0.7, -0.2}
	rng := stream.New(8, "draws", 0)
	const n = 30_000
	var sum, squares [3]float64
	for range n {
		w, back := dirichlet{}.Draw(optionsOf(3, 0), p, Moment{}, rng)
		for i, g := range back([]float64{w[1], w[0], 2}) {
			sum[i] += g
			squares[i] += g * g
		}
	}
	want := slopes(Params{p}, func(p Params) float64 {
		c, _ := concentrations(p[0])
		total := c[0] + c[1] + c[2]
		return c[0]*c[1]/(total*(total+1)) + 2*c[2]/total
	})[0]
	for i := range want {
		mean := sum[i] / n
		if e := math.Sqrt((squares[i]/n - mean*mean) / n); math.Abs(mean-want[i]) > 4*e || e > 0.03*math.Abs(want[i])+0.003 {
			t.Errorf("parameter %d: the mean gradient is %.5f ± %.5f, that of the mean %.5f", i, mean, e, want[i])
		}
	}
}

// Concentrations next to nothing make one-hot weights, no failure.
func TestDirichletTiny(t *testing.T) {
	rng := stream.New(9, "draws", 0)
	for _, v := range []float64{-10, -100, -1000} {
		w, back := dirichlet{}.Draw(optionsOf(3, 0), []float64{v, v, v}, Moment{}, rng)
		if g := back([]float64{1, 2, 3}); !finite(w) || !finite(g) || math.Abs(w[0]+w[1]+w[2]-1) > 1e-12 {
			t.Errorf("parameters %v: weights %v, gradient %v", v, w, g)
		}
	}
}
