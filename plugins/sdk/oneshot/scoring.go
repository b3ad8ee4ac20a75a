package oneshot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Measure is how good mixtures are by the first objective of the search, turned so
// that more is better, under the weights of the supernet.
func (s *Search) Measure(ctx context.Context, ms []sdk.Mixture, o sdk.Score) ([]float64, error) {
	all, err := s.net.Score(ctx, ms, o)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(ms))
	for i, m := range all {
		v, ok := s.Score(sdk.Trial{Metrics: m})
		if !ok {
			return nil, fmt.Errorf("the supernet is not measured by `%s`, which the search optimizes", s.Objectives[0].Metric)
		}
		out[i] = v
	}
	return out, nil
}

// Sampler is a relaxation that draws architectures in a way of its own.
type Sampler interface {
	Sample(s *Search, rng *rand.Rand) Choice
}

// tries is how many architectures are drawn for one that is admissible.
const tries = 1000

// Admissible draws n architectures that [Search.Check] admits: as the relaxation
// does if it is a [Sampler], else by the mean mixture, see [Search.Sample]. It is an
// error if there are too few among many.
func (s *Search) Admissible(ctx context.Context, n int, rng *rand.Rand) ([]Choice, error) {
	return s.admissible(ctx, n, func() Choice {
		if own, ok := s.parts.Relaxation.(Sampler); ok {
			return own.Sample(s, rng)
		}
		return s.Sample(s.Mean(), rng)
	})
}

// admissible draws until it has n choices that are admissible.
func (s *Search) admissible(ctx context.Context, n int, draw func() Choice) ([]Choice, error) {
	var out []Choice
	for drawn := 0; len(out) < n; {
		if drawn >= tries*n {
			return out, fmt.Errorf("of %d architectures that were drawn %d satisfy the requirements of the search, and %d are needed", drawn, len(out), n)
		}
		batch := make([]Choice, n-len(out))
		for i := range batch {
			batch[i] = draw()
		}
		drawn += len(batch)
		ok, err := s.Check(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, c := range batch {
			if ok[i] {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// Sample draws an architecture of the options that are left. A mixed operation takes
// an option with a probability in proportion to its weight. Of edges each number that
// an architecture may have is equally likely; they are drawn one after another in
// proportion to their strengths, see [Search.Strongest].
func (s *Search) Sample(m sdk.Mixture, rng *rand.Rand) Choice {
	all := s.Relaxed().Decisions
	c := make(Choice, len(all))
	for i := range all {
		c[i] = s.sample(i, m, rng)
	}
	return c
}

// sample draws what is taken of decision i.
func (s *Search) sample(i int, m sdk.Mixture, rng *rand.Rand) []int {
	d := s.Relaxed().Decisions[i]
	var options []int
	for k, o := range d.Options {
		if d.Decision < 0 || o.Alternative >= 0 && s.Kept(i, k) {
			options = append(options, k)
		}
	}
	if d.Decision < 0 {
		return options
	}
	weight := func(k int) float64 { return m[i][k] }
	n := 1
	if d.Edges {
		weight = func(k int) float64 { return s.strength(i, k, m) }
		n = min(d.Min+rng.IntN(d.Max-d.Min+1), len(options))
	}
	var out []int
	for range n {
		k := proportional(options, weight, rng)
		out = append(out, k)
		options = slices.DeleteFunc(options, func(o int) bool { return o == k })
	}
	slices.Sort(out)
	return out
}

// proportional draws one of the options in proportion to its weight; if none weighs
// anything, all are equally likely.
func proportional(options []int, weight func(int) float64, rng *rand.Rand) int {
	sum := 0.0
	for _, k := range options {
		sum += weight(k)
	}
	if sum == 0 {
		return options[rng.IntN(len(options))]
	}
	u := sum * rng.Float64()
	last := 0
	for _, k := range options {
		if w := weight(k); w > 0 {
			if last = k; u < w {
				break
			}
			u -= w
		}
	}
	return last
}
