package oneshot

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Dirichlet is the relaxation of DrNAS (Chen, Wang, Cheng, Tang and Hsieh, ICLR 2021):
// the weights of a decision are drawn from the Dirichlet distribution with the
// concentrations elu(p) + 1, and the gradient goes through the draw: gamma variates are
// differentiated at equal quantiles, see gammaSlope.
//
// The paper holds concentrations near one. By default the weight decay of the update does
// ("l2" in its code). With kl > 0, kl times the divergence from the flat Dirichlet
// distribution is added to the loss instead, 1e-3 in its code; the arch decay should
// then be 0.
func Dirichlet(kl float64) Relaxation { return dirichleted{Each(dirichlet{}), kl} }

type dirichletParams struct {
	KL float64 `name:"kl" default:"0" min:"0" doc:"factor of the divergence of dirichlet from the flat distribution, 0.001 in DrNAS with arch_decay: 0; 0: the weight decay alone holds it"`
}

func newDirichlet(p dirichletParams) (Relaxation, error) { return Dirichlet(p.KL), nil }

type dirichleted struct {
	Relaxation
	kl float64
}

// Penalty implements [Regulariser].
func (d dirichleted) Penalty(_ *Layout, p Params, _ Moment) (float64, Params) {
	grad := zerosLike(p)
	if d.kl == 0 {
		return 0, grad
	}
	loss := 0.0
	for i := range p {
		if len(p[i]) == 0 {
			continue
		}
		c, slope := concentrations(p[i])
		divergence, dc := flatDivergence(c)
		loss += d.kl * divergence
		for k := range dc {
			grad[i][k] = d.kl * dc[k] * slope[k]
		}
	}
	return loss, grad
}

// flatDivergence is the Kullback-Leibler divergence of Dirichlet(c) from the flat
// Dirichlet distribution, and its gradient.
func flatDivergence(c []float64) (kl float64, grad []float64) {
	total := 0.0
	for _, v := range c {
		total += v
	}
	lgamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	n := float64(len(c))
	kl = lgamma(total) - lgamma(n)
	for _, v := range c {
		kl += (v-1)*(digamma(v)-digamma(total)) - lgamma(v)
	}
	for _, v := range c {
		grad = append(grad, (v-1)*trigamma(v)-(total-n)*trigamma(total))
	}
	return kl, grad
}

// concentrations are elu(p) + 1 and its derivative.
func concentrations(p []float64) (c, slope []float64) {
	for _, v := range p {
		if v > 0 {
			c, slope = append(c, v+1), append(slope, 1)
			continue
		}
		e := max(math.Exp(v), smallest)
		c, slope = append(c, e), append(slope, e)
	}
	return c, slope
}

// smallest is the least concentration and the least gamma variate.
const smallest = 1e-100

type dirichlet struct{}

func (dirichlet) Init(d Decision, rng *rand.Rand) []float64 { return Small(d, rng) }

func (dirichlet) Draw(_ Decision, p []float64, _ Moment, rng *rand.Rand) ([]float64, func([]float64) []float64) {
	c, slope := concentrations(p)
	z, total := make([]float64, len(c)), 0.0
	for i, a := range c {
		z[i] = max(distuv.Gamma{Alpha: a, Beta: 1, Src: rng}.Rand(), smallest)
		total += z[i]
	}
	w := make([]float64, len(z))
	for i := range z {
		w[i] = z[i] / total
	}
	return w, func(grad []float64) []float64 {
		dot := 0.0
		for i := range w {
			dot += w[i] * grad[i]
		}
		out := make([]float64, len(w))
		for i := range w {
			out[i] = (grad[i] - dot) / total * gammaSlope(c[i], z[i]) * slope[i]
		}
		return out
	}
}

func (dirichlet) Mean(_ Decision, p []float64) []float64 {
	c, _ := concentrations(p)
	total := 0.0
	for _, v := range c {
		total += v
	}
	for i := range c {
		c[i] /= total
	}
	return c
}
