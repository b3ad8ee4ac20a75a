package oneshot_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
)

// sparsemax gives weak candidates no weight at all (Martins and Astudillo, "From Softmax
// to Sparsemax", ICML 2016): the weights are the point of the simplex next to the
// parameters over a temperature.
type sparsemax struct{ temperature float64 }

type sparseParams struct {
	Sharpness float64 `default:"1" min:"0.01" doc:"what the parameters of sparse are multiplied with"`
}

func newSparse(p sparseParams) (oneshot.Relaxation, error) {
	return oneshot.Each(sparsemax{1 / p.Sharpness}), nil
}

func (sparsemax) Init(d oneshot.Decision, rng *rand.Rand) []float64 {
	p := make([]float64, len(d.Options))
	for i := range p {
		p[i] = 1e-3 * rng.NormFloat64()
	}
	return p
}

func (s sparsemax) Mean(_ oneshot.Decision, p []float64) []float64 {
	sorted := slices.Clone(p)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	sum, threshold := 0.0, 0.0
	for i, v := range sorted {
		if sum += v / s.temperature; 1+float64(i+1)*v/s.temperature > sum {
			threshold = (sum - 1) / float64(i+1)
		}
	}
	w := make([]float64, len(p))
	for i, v := range p {
		w[i] = max(v/s.temperature-threshold, 0)
	}
	return w
}

func (s sparsemax) Draw(d oneshot.Decision, p []float64, _ oneshot.Moment, _ *rand.Rand) ([]float64, func([]float64) []float64) {
	w := s.Mean(d, p)
	return w, func(grad []float64) []float64 {
		mean, n := 0.0, 0.0
		for i := range w {
			if w[i] > 0 {
				mean, n = mean+grad[i], n+1
			}
		}
		out := make([]float64, len(w))
		for i := range w {
			if w[i] > 0 {
				out[i] = (grad[i] - mean/n) / s.temperature
			}
		}
		return out
	}
}

// A plugin of a third party that has all components of nasc/oneshot and one more:
// `optimizer = mine.shot(relax: mine.sparse(sharpness: 2), perturb: mine.random)`.
func Example() {
	c := oneshot.Standard()
	oneshot.Add(&c.Relaxations, "sparse", "of the parameters, with zeros (sparsemax)", newSparse)
	plugin := sdk.Plugin{Name: "me/oneshot", Version: "0.1.0", Optimizers: []sdk.OptimizerSpec{
		c.Optimizer(sdk.OptimizerInfo{Name: "shot", Doc: "One-shot search."}),
	}}
	// In main: sdk.Serve(plugin).

	d, err := plugin.Description()
	if err != nil {
		fmt.Println(err)
	}
	for _, p := range d.Components[0].Parameters {
		if p.Name == "relax" || p.Name == "sharpness" {
			fmt.Println(p.Name, p.Default, slices.Contains(p.Choices, "sparse"))
		}
	}
	// Output:
	// relax softmax true
	// sharpness 1 false
}
