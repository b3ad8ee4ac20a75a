package oneshot

import (
	"cmp"
	"context"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Argmax takes the strongest candidate of each operation among those that an
// architecture can have, and of edges as many as there must be, the strongest (Liu,
// Simonyan and Yang, "DARTS", ICLR 2019, section 2.4). The strength of an edge is its
// mixture weight times that of the strongest candidate under it that is not absent,
// which is alpha times beta of PC-DARTS; edges that are not learned weigh one.
func Argmax() Selection { return argmax{} }

type argmax struct{}

func (argmax) Handles() Kinds { return Operations | Edges }

func (argmax) Derive(_ context.Context, s *Search) (Choice, error) {
	return Strongest(s, s.Mean()), nil
}

// Strongest is what [Argmax] takes under a mixture. Of equals it is the first.
func Strongest(s *Search, m sdk.Mixture) Choice {
	r := s.Relaxed()
	c := make(Choice, len(r.Decisions))
	for i, d := range r.Decisions {
		if d.Edges {
			c[i] = strongestEdges(r, m, i, d.Max)
			continue
		}
		best := -1
		for k, o := range d.Options {
			if o.Alternative >= 0 && s.Kept(i, k) && (best < 0 || m[i][k] > m[i][best]) {
				best = k
			}
		}
		c[i] = []int{best}
	}
	return c
}

// strongestEdges are the n strongest edges of decision i, in order of place.
func strongestEdges(r *sdk.Relaxed, m sdk.Mixture, i, n int) []int {
	all := make([]int, 0, len(r.Decisions[i].Options))
	for k, o := range r.Decisions[i].Options {
		if o.Alternative >= 0 {
			all = append(all, k)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(EdgeStrength(r, m, i, b), EdgeStrength(r, m, i, a)) })
	all = all[:min(n, len(all))]
	slices.Sort(all)
	return all
}

// EdgeStrength is the weight of option k of decision i, edges, times that of the
// strongest candidate under it.
func EdgeStrength(r *sdk.Relaxed, m sdk.Mixture, i, k int) float64 {
	o := r.Decisions[i].Options[k]
	if len(o.Under) == 0 {
		return m[i][k]
	}
	best := 0.0
	for _, under := range o.Under {
		for j, c := range r.Decisions[under].Options {
			if !c.Absent {
				best = max(best, m[under][j])
			}
		}
	}
	return m[i][k] * best
}
