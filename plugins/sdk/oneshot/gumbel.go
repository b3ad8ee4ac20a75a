package oneshot

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Gumbel is the relaxation of GDAS (Dong and Yang, "Searching for a Robust Neural
// Architecture in Four GPU Hours", CVPR 2019): one candidate of each operation is drawn,
// k with the probability softmax(p)[k], as the largest of log_softmax(p) plus Gumbel
// noise. It alone has weight, one. The gradient is that of the softmax of the same
// numbers over a temperature (the straight-through estimator of Jang, Gu and Poole, ICLR
// 2017). Published: from 10 to 0.1.
//
// A supernet computes nothing of candidates that were not drawn, nor the gradients of
// their weights, which are zero. So it is in later code of the authors; in their first,
// these weights had the gradient of the sum that they were added to.
//
// Of edges that are learned as many are drawn as an architecture has, the largest; the
// gradient is then that of [Concrete].
func Gumbel(t Temperature) Relaxation { return noisy(t, true) }

// Concrete is the relaxation of SNAS (Xie et al., ICLR 2019): the weights are the softmax
// of log_softmax(p) plus Gumbel noise, over a temperature (Maddison, Mnih and Teh, "The
// Concrete Distribution", ICLR 2017). Published: from 1 to 0.03.
//
// The weights of k of several edges are the sum of k such softmaxes, each without what
// those before it took (Xie and Ermon, "Reparameterizable Subset Sampling via Continuous
// Relaxations", IJCAI 2019).
func Concrete(t Temperature) Relaxation { return noisy(t, false) }

type noisyRelaxation struct {
	Relaxation
	temperature Temperature
}

func noisy(t Temperature, hard bool) Relaxation {
	return noisyRelaxation{Each(gumbel{t, hard}), t}
}

// Handles implements [Handler]: how many edges there are must be known.
func (noisyRelaxation) Handles() Kinds { return Operations | Edges }

// Values implements [Reporter].
func (r noisyRelaxation) Values(at Moment) map[string]float64 {
	return map[string]float64{"tau": r.temperature.At(at)}
}

func newGumbel(p temperatureParams) (Relaxation, error) {
	t := p.or(10, 0.1)
	return Gumbel(t), t.check()
}

func newConcrete(p temperatureParams) (Relaxation, error) {
	t := p.or(1, 0.03)
	t.Open = true
	return Concrete(t), t.check()
}

func (t Temperature) check() error {
	if t.Min > t.Max {
		return sdk.Refuse("tau_min", "is %v, more than tau_max, %v", t.Min, t.Max)
	}
	return nil
}

type gumbel struct {
	temperature Temperature
	hard        bool
}

func (gumbel) Init(d Decision, rng *rand.Rand) []float64 { return Small(d, rng) }

func (g gumbel) Draw(d Decision, p []float64, at Moment, rng *rand.Rand) ([]float64, func([]float64) []float64) {
	k := 1
	if d.Edges {
		k = min(d.Max, len(p))
	}
	tau := g.temperature.At(at)
	share := softmaxOf(p)
	var logits []float64
	var s subset
	for { // noise of a uniform number 0 or too near 1 is not finite
		logits = make([]float64, len(p))
		for i := range p {
			logits[i] = math.Log(share[i]) - math.Log(rng.ExpFloat64())
		}
		if s = newSubset(logits, tau, k); finite(s.weights) && finite(logits) {
			break
		}
		if !finite(p) || slices.Contains(share, 0) {
			break // no noise will help; of parameters that are no numbers the driver tells
		}
	}
	w := s.weights
	if g.hard {
		w = make([]float64, len(p))
		for _, i := range leading(logits, k) {
			w[i] = 1
		}
	}
	return w, func(grad []float64) []float64 {
		// log_softmax: d logits[i] / d p[j] = (i == j) - share[j].
		dl := s.back(grad)
		sum := 0.0
		for _, v := range dl {
			sum += v
		}
		for i := range dl {
			dl[i] -= sum * share[i]
		}
		return dl
	}
}

func (gumbel) Mean(_ Decision, p []float64) []float64 { return softmaxOf(p) }

func finite(v []float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// leading are the places of the k largest, the first of equals.
func leading(v []float64, k int) []int {
	all := make([]int, len(v))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(v[b], v[a]) })
	return all[:k]
}

// subset is a relaxed choice of k: weights that add up to k.
type subset struct {
	tau     float64
	shares  [][]float64 // of each of the k softmaxes
	weights []float64
}

// least is how little of an option is left at least for the softmaxes that follow.
const least = 1e-20

func newSubset(logits []float64, tau float64, k int) subset {
	s := subset{tau: tau, weights: make([]float64, len(logits))}
	a := slices.Clone(logits)
	for range k {
		over := make([]float64, len(a))
		for i := range a {
			over[i] = a[i] / tau
		}
		share := softmaxOf(over)
		s.shares = append(s.shares, share)
		for i, v := range share {
			s.weights[i] += v
			a[i] += math.Log(max(1-v, least))
		}
	}
	return s
}

// back is the gradient with respect to the logits.
func (s subset) back(grad []float64) []float64 {
	da := make([]float64, len(grad)) // of the a after each softmax
	for j := len(s.shares) - 1; j >= 0; j-- {
		share := s.shares[j]
		d := slices.Clone(grad)
		if j < len(s.shares)-1 {
			for i, v := range share {
				if 1-v > least {
					d[i] -= da[i] / (1 - v)
				}
			}
		}
		for i, v := range softmaxBack(share, d) {
			da[i] += v / s.tau
		}
	}
	return da
}
