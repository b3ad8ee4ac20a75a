package oneshot

import (
	"math"
	"math/rand/v2"
)

// Softmax is the relaxation of DARTS (Liu, Simonyan and Yang, ICLR 2019, equation 2):
// the weights of a decision's options are the softmax of its parameters, which begin as
// 1e-3 times normal numbers. The softmax of edges is over the inputs of a node, as in
// PC-DARTS.
func Softmax() Relaxation { return Each(softmax{}) }

type softmax struct{}

func (softmax) Init(d Decision, rng *rand.Rand) []float64 { return Small(d, rng) }

func (softmax) Draw(_ Decision, p []float64, _ Moment, _ *rand.Rand) ([]float64, func([]float64) []float64) {
	w := softmaxOf(p)
	return w, func(grad []float64) []float64 { return softmaxBack(w, grad) }
}

func (softmax) Mean(_ Decision, p []float64) []float64 { return softmaxOf(p) }

// Small are the parameters that most methods begin with.
func Small(d Decision, rng *rand.Rand) []float64 {
	p := make([]float64, len(d.Options))
	for i := range p {
		p[i] = 1e-3 * rng.NormFloat64()
	}
	return p
}

// softmaxOf is exp(p) over its sum.
func softmaxOf(p []float64) []float64 {
	top := math.Inf(-1)
	for _, v := range p {
		top = max(top, v)
	}
	w, sum := make([]float64, len(p)), 0.0
	for i, v := range p {
		w[i] = math.Exp(v - top)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// softmaxBack is the gradient with respect to p of what has the gradient grad with
// respect to w, the softmax of p.
func softmaxBack(w, grad []float64) []float64 {
	dot := 0.0
	for i := range w {
		dot += w[i] * grad[i]
	}
	out := make([]float64, len(w))
	for i := range w {
		out[i] = w[i] * (grad[i] - dot)
	}
	return out
}
