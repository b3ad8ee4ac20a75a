package oneshot

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// edgesOf is a decision for k of n edges that are learned; for k = 0, one of n
// operations.
func optionsOf(n, k int) Decision {
	d := Decision{Learned: true, RelaxedDecision: sdk.RelaxedDecision{Edges: k > 0, Min: max(k, 1), Max: max(k, 1), Options: make([]sdk.RelaxedOption, n)}}
	return d
}

// unlikely checks counts by the chi-square test at one in ten thousand.
func unlikely(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if x, limit := stat.ChiSquare(got, want), (distuv.ChiSquared{K: float64(len(got) - 1)}).Quantile(0.9999); !(x < limit) {
		t.Errorf("%s: counts %v, expected %v: chi-square %.1f, at most %.1f", what, got, want, x, limit)
	}
}

// distributed checks draws by the Kolmogorov-Smirnov test at one in ten thousand.
func distributed(t *testing.T, what string, draws []float64, cdf func(float64) float64) {
	t.Helper()
	slices.Sort(draws)
	worst, n := 0.0, float64(len(draws))
	for i, v := range draws {
		c := cdf(v)
		worst = max(worst, c-float64(i)/n, float64(i+1)/n-c)
	}
	// P(D > d) is near 2 exp(-2 n d^2).
	if limit := math.Sqrt(math.Log(2/1e-4) / (2 * n)); worst > limit {
		t.Errorf("%s: the distribution is off by %.4f, at most %.4f", what, worst, limit)
	}
}

// TestGumbelDraws: candidates come as often as their softmax says, whatever the
// temperature, and alone with weight one.
func TestGumbelDraws(t *testing.T) {
	p := []float64{0.3, -1, 1.2, 0}
	share := softmaxOf(p)
	const n = 40_000
	for _, tau := range []float64{10, 0.1} {
		g := gumbel{Temperature{Max: tau, Min: tau}, true}
		rng := stream.New(1, "draws", 0)
		got, want := make([]float64, 4), make([]float64, 4)
		for range n {
			w, _ := g.Draw(optionsOf(4, 0), p, Moment{}, rng)
			at := slices.Index(w, 1)
			got[at]++
			w[at] = 0
			if slices.Max(w) != 0 || slices.Min(w) != 0 {
				t.Fatal(w)
			}
		}
		for i := range want {
			want[i] = n * share[i]
		}
		unlikely(t, "candidates", got, want)
	}
}

// TestGumbelEdges: two of four edges come as drawn one after the other without
// replacement (Plackett and Luce).
func TestGumbelEdges(t *testing.T) {
	p := []float64{0.3, -1, 1.2, 0}
	share := softmaxOf(p)
	const n = 40_000
	g := gumbel{Temperature{Max: 1, Min: 1}, true}
	rng := stream.New(2, "draws", 0)
	var got, want []float64
	for i := range 4 {
		for j := range i {
			got = append(got, 0)
			want = append(want, n*share[i]*share[j]*(1/(1-share[i])+1/(1-share[j])))
		}
	}
	for range n {
		w, _ := g.Draw(optionsOf(4, 2), p, Moment{}, rng)
		at := 0
		for i := range 4 {
			for j := range i {
				if w[i] == 1 && w[j] == 1 {
					got[at]++
				}
				at++
			}
		}
	}
	unlikely(t, "pairs of edges", got, want)
}

// TestConcreteDraws: of two candidates, the logit of a weight times the temperature is
// logistic around the difference of the parameters.
func TestConcreteDraws(t *testing.T) {
	for _, tau := range []float64{1, 0.3} {
		g := gumbel{Temperature{Max: tau, Min: tau}, false}
		rng := stream.New(3, "draws", 0)
		var draws []float64
		for range 20_000 {
			w, _ := g.Draw(optionsOf(2, 0), []float64{0.7, -0.2}, Moment{}, rng)
			if math.Abs(w[0]+w[1]-1) > 1e-12 {
				t.Fatal(w)
			}
			draws = append(draws, w[0])
		}
		distributed(t, "concrete weights", draws, func(w float64) float64 {
			return sigmoidOf(tau*(math.Log(w)-math.Log1p(-w)) - 0.9)
		})
	}
}

// TestStraightThrough: the gradient of a hard draw is that of the soft weights with the
// same noise.
func TestStraightThrough(t *testing.T) {
	grad := []float64{0.4, -1.3, 2, 0.1}
	for _, k := range []int{0, 1, 2, 3} {
		for _, tau := range []float64{2, 0.7} {
			d := optionsOf(4, k)
			temperature := Temperature{Max: tau, Min: tau}
			noise := func() *rand.Rand { return stream.New(4, "noise", 0) }
			p := Params{{0.3, -1, 1.2, 0}}
			w, back := (gumbel{temperature, true}).Draw(d, p[0], Moment{}, noise())
			ones := 0
			for _, v := range w {
				if v == 1 {
					ones++
				} else if v != 0 {
					t.Errorf("weights %v", w)
				}
			}
			if ones != d.Max {
				t.Errorf("%d edges of %d", ones, d.Max)
			}
			soft := func(p Params) (dot float64) {
				w, _ := (gumbel{temperature, false}).Draw(d, p[0], Moment{}, noise())
				sum := 0.0
				for i, v := range w {
					dot += v * grad[i]
					sum += v
				}
				if math.Abs(sum-float64(d.Max)) > 1e-12 {
					t.Errorf("weights add up to %v", sum)
				}
				return dot
			}
			same(t, Params{back(grad)}, slopes(p, soft), 1e-8)
		}
	}
}

// TestRedraw: noise that is not finite is drawn anew.
func TestRedraw(t *testing.T) {
	bad := rand.New(&zeros{n: 3, then: stream.New(1, "x", 0)})
	w, back := (gumbel{Temperature{Max: 1, Min: 1}, true}).Draw(optionsOf(3, 0), []float64{0, 0, 0}, Moment{}, bad)
	if !finite(w) || !finite(back([]float64{1, 2, 3})) {
		t.Error(w, back([]float64{1, 2, 3}))
	}
	// Parameters that are no numbers end it all the same.
	w, _ = (gumbel{Temperature{Max: 1, Min: 1}, false}).Draw(optionsOf(2, 0), []float64{math.NaN(), 0}, Moment{}, stream.New(1, "x", 0))
	if finite(w) {
		t.Error(w)
	}
}

// zeros is a source that gives zeros first, of which exponential numbers are zero.
type zeros struct {
	n    int
	then rand.Source
}

func (z *zeros) Uint64() uint64 {
	if z.n--; z.n >= 0 {
		return 0
	}
	return z.then.Uint64()
}

func TestTemperature(t *testing.T) {
	at := func(e int) Moment { return Moment{Epoch: e, Epochs: 100} }
	for _, c := range []struct {
		t     Temperature
		epoch int
		want  float64
	}{
		{Temperature{Max: 10, Min: 0.1}, 0, 10},
		{Temperature{Max: 10, Min: 0.1}, 99, 0.1},
		{Temperature{Max: 10, Min: 0.1}, 33, 10 - 9.9/3},
		{Temperature{Max: 10, Min: 0.1}, 100, 0.1}, // in the stages of a selection
		{Temperature{Max: 10, Min: 0.1, Delay: 50}, 50, 10},
		{Temperature{Max: 10, Min: 0.1, Delay: 50}, 99, 10 - 9.9*49/99}, // never 0.1
		{Temperature{Max: 1, Min: 0.03, Open: true}, 99, 1 - 0.97*0.99},
	} {
		near(t, []float64{c.t.At(at(c.epoch))}, []float64{c.want}, 1e-14)
	}
	near(t, []float64{Temperature{Max: 10, Min: 1}.At(Moment{Epochs: 1})}, []float64{10}, 0)
}

// TestGumbelWithoutAChance: a candidate whose softmax is zero in float64 is never drawn,
// and drawing ends.
func TestGumbelWithoutAChance(t *testing.T) {
	for _, hard := range []bool{true, false} {
		g := gumbel{Temperature{Max: 1, Min: 1}, hard}
		w, back := g.Draw(optionsOf(3, 0), []float64{0, -800, 1}, Moment{Epochs: 1}, stream.New(1, "chance", 0))
		if w[1] != 0 || !finite(w) || !finite(back([]float64{1, 2, 3})) {
			t.Errorf("weights %v, gradient %v", w, back([]float64{1, 2, 3}))
		}
	}
}
