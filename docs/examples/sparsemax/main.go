// Command sparsemax is a plugin with all one-shot methods of nasc and one relaxation
// more: sparsemax (Martins and Astudillo, ICML 2016) gives weak candidates no weight.
package main

import (
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
)

type sparsemax struct {
	Sharpness float64 `default:"1" min:"0.01" doc:"what the arch parameters of sparse are multiplied by"`
}

func (sparsemax) Init(d oneshot.Decision, rng *rand.Rand) []float64 { return oneshot.Small(d, rng) }

// Mean is the point of the simplex next to p: p less a threshold, but not below zero.
func (s sparsemax) Mean(_ oneshot.Decision, p []float64) []float64 {
	sum, threshold := 0.0, 0.0
	for i, v := range slices.Backward(slices.Sorted(slices.Values(p))) {
		n := float64(len(p) - i)
		if sum += s.Sharpness * v; 1+n*s.Sharpness*v > sum {
			threshold = (sum - 1) / n
		}
	}
	w := slices.Clone(p)
	for i := range w {
		w[i] = max(s.Sharpness*w[i]-threshold, 0)
	}
	return w
}

// Draw is the mean here; the gradient loses its own mean over what has weight.
func (s sparsemax) Draw(d oneshot.Decision, p []float64, _ oneshot.Moment, _ *rand.Rand) ([]float64, func([]float64) []float64) {
	w := s.Mean(d, p)
	return w, func(grad []float64) []float64 {
		mean, n, out := 0.0, 0.0, make([]float64, len(w))
		for i := range w {
			if w[i] > 0 {
				mean, n = mean+grad[i], n+1
			}
		}
		for i := range w {
			if w[i] > 0 {
				out[i] = s.Sharpness * (grad[i] - mean/n)
			}
		}
		return out
	}
}

func main() {
	c := oneshot.Standard()
	oneshot.Add(&c.Relaxations, "sparse", "softmax with zeros (sparsemax)", func(s sparsemax) (oneshot.Relaxation, error) { return oneshot.Each(s), nil })
	shot := []sdk.OptimizerSpec{c.Optimizer(sdk.OptimizerInfo{Name: "shot", Doc: "One-shot search."})}
	sdk.Serve(sdk.Plugin{Name: "me/oneshot", Version: "0.1.0", Doc: "One-shot search with sparsemax.", Optimizers: shot})
}
