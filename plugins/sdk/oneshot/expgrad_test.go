package oneshot

import (
	"math"
	"testing"

	"github.com/nasc-project/nasc/plugins/wire"
)

// TestExpGrad: three steps from the uniform distribution against numbers computed in
// decimal arithmetic by the rule in probabilities. The second gradient is so large that
// the clamp counts, which the two variants have in different places.
func TestExpGrad(t *testing.T) {
	grads := [][]float64{{1, -2, 0.5}, {120, -3, 0}, {-1, 4, 2}} // of probabilities
	for _, c := range []struct {
		e    ExpGrad
		want [][]float64
	}{
		{ExpGrad{Rate: 0.1}, [][]float64{
			{0.29401993697389365466, 0.39688540152715167515, 0.30909466149895467017},
			{0.00001183650589947834, 0.63412808506113661420, 0.36586007843296390744},
			{0.00001805265175940566, 0.58660698891446191756, 0.41337495843377867676}}},
		{ExpGrad{Rate: 0.1, ClampAfter: true, Entropy: 0.01}, [][]float64{
			{0.29401993697389365466, 0.39688540152715167515, 0.30909466149895467017},
			{0.00001, 0.63407623101780442165, 0.36592163022595434279},
			{0.00001541745444010388, 0.58641458704099467782, 0.41356999550456521829}}},
	} {
		p := Params{nil, {7, 8, 9}}
		if err := c.e.Start(nil, p); err != nil {
			t.Fatal(err)
		}
		for i, g := range grads {
			grad := Params{nil, {}}
			for k, v := range p[1] {
				grad[1] = append(grad[1], math.Exp(v)*g[k]) // of logarithms
			}
			c.e.Step(p, grad)
			var x []float64
			for _, v := range p[1] {
				x = append(x, math.Exp(v))
			}
			near(t, x, c.want[i], 1e-14)
			for k := range x {
				if r := x[k] / c.want[i][k]; math.Abs(r-1) > 1e-12 {
					t.Errorf("step %d: probability %d is %v, not %v", i, k, x[k], c.want[i][k])
				}
			}
		}
	}
	// Gradients that no exponential holds.
	p := Params{{math.Log(0.5), math.Log(0.5)}}
	(&ExpGrad{Rate: 1}).Step(p, Params{{-1e6, 1e6}})
	near(t, []float64{math.Exp(p[0][0]), math.Exp(p[0][1])}, []float64{1, 0}, 1e-4)
}

// TestExpGradIsGAEA: on the simplex, softmax with exponentiated gradients follows the
// gradient of the mixture itself, up to what the sum takes out.
func TestExpGradIsGAEA(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	s := begun(t, n, Parts{Relaxation: Softmax(), Update: &ExpGrad{Rate: 0.1}})
	x := cloned(s.Mean())
	for range 3 {
		_, grad, _ := n.loss(x, n.state.W, n.noises("valid", 0))
		_, dp, err := s.Gradient(t.Context(), s.params, Moment{}, nil, nextValid(n))
		if err != nil {
			t.Fatal(err)
		}
		s.parts.Update.Step(s.params, dp)
		for i := range x {
			sum := 0.0
			for k := range x[i] {
				x[i][k] *= math.Exp(-0.1 * grad[i][k])
				sum += x[i][k]
			}
			for k := range x[i] {
				x[i][k] /= sum
			}
			near(t, s.Mean()[i], x[i], 1e-13)
		}
	}
}

func TestExpGradNeedsProbabilities(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	_, err := catalogued().StartOneShot(n.search(1), wire.Settings{"relax": "sigmoid", "update": "eg"})
	if want := "parameters.update: update moves probabilities, and the weights of this relaxation are none: they do not add up to one"; err == nil || err.Error() != want {
		t.Errorf("%v, not %s", err, want)
	}
}
