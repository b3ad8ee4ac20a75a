package oneshot

import (
	"cmp"
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Strongest derives the architecture with the largest mixture weights (Liu, Simonyan
// and Yang, "DARTS", ICLR 2019, section 2.4).
//
// A mixed operation takes the strongest of the options that an architecture can
// have. Where the space chooses among edges, an edge is as strong as its weight
// times that of the strongest operation on it that is not absent, and the strongest
// edges are kept: for two of the edges into a node, the rule of DARTS; with weights
// of edges that are learned, alpha times beta, that of PC-DARTS. Where from Min to
// Max edges may be kept, those beyond Min are kept that are at least as strong as
// the mean edge. Of equals the first is taken.
func (s *Search) Strongest(m sdk.Mixture) Choice { return s.derive(m, nil) }

// Above derives the architecture that keeps what weighs more than a threshold (Chu,
// Zhou, Zhang and Li, "Fair DARTS", ECCV 2020). A mixed operation none of whose
// options does becomes absent where the space has architectures with an absent edge
// in its place; where it has none, its strongest option is taken. Of the edges that
// the space chooses among, those on which something weighs more than the threshold
// are kept, the strongest first, at most Max of them; if fewer than Min are left, the
// strongest others join them.
func (s *Search) Above(m sdk.Mixture, threshold float64) Choice { return s.derive(m, &threshold) }

// setOf is the set of edges that a label names, where the space decides among whole
// sets.
func setOf(d sdk.RelaxedDecision, label string) int64 {
	for set := int64(0); set < 1<<len(d.Options); set++ {
		if subsetLabel(d, set) == label {
			return set
		}
	}
	return 0
}

func (s *Search) derive(m sdk.Mixture, threshold *float64) Choice {
	all := s.Relaxed().Decisions
	c := make(Choice, len(all))
	for i, d := range all {
		switch {
		case d.Decision < 0:
			for k := range d.Options {
				c[i] = append(c[i], k)
			}
		case d.Edges:
			c[i] = s.edges(i, m, threshold)
		default:
			c[i] = []int{s.operation(i, m[i], threshold)}
		}
	}
	return c
}

// operation is the option that a mixed operation takes of those that are left.
func (s *Search) operation(i int, weights []float64, threshold *float64) int {
	best, absent := -1, -1
	for k, o := range s.Relaxed().Decisions[i].Options {
		if o.Alternative < 0 || !s.Kept(i, k) {
			continue
		}
		if o.Absent && absent < 0 {
			absent = k
		}
		if best < 0 || weights[k] > weights[best] {
			best = k
		}
	}
	if threshold != nil && absent >= 0 && weights[best] <= *threshold {
		return absent
	}
	return best
}

// edges are the edges that are taken of those of a decision, in their order.
func (s *Search) edges(i int, m sdk.Mixture, threshold *float64) []int {
	d := s.Relaxed().Decisions[i]
	strengths := make([]float64, len(d.Options))
	var order []int
	least := 0.0
	for k := range d.Options {
		if !s.Kept(i, k) {
			continue
		}
		strengths[k] = s.strength(i, k, m)
		least += strengths[k]
		order = append(order, k)
	}
	if least /= float64(len(order)); threshold != nil {
		least = *threshold
	}
	slices.SortStableFunc(order, func(j, k int) int { return cmp.Compare(strengths[k], strengths[j]) })
	n := min(d.Min, len(order))
	for n < min(d.Max, len(order)) && strengths[order[n]] >= least {
		n++
	}
	taken := order[:n]
	slices.Sort(taken)
	return taken
}

// strength is what an edge weighs: its own weight times those of the strongest
// operations on it.
func (s *Search) strength(i, edge int, m sdk.Mixture) float64 {
	all := s.Relaxed().Decisions
	w := m[i][edge]
	for _, under := range all[i].Options[edge].Under {
		best := 0.0
		for k, o := range all[under].Options {
			if !o.Absent {
				best = max(best, m[under][k])
			}
		}
		w *= best
	}
	return w
}

// Choice is what an architecture of the space takes of the relaxed decisions, nothing
// of those that do not exist in it.
func (s *Search) Choice(g space.Genotype) Choice {
	values := map[string]int64{} // of several decisions of one address one exists
	on := map[string]*space.Decision{}
	for _, d := range s.Space.Decisions {
		if g[d.ID] != space.Inactive {
			values[d.Address], on[d.Address] = g[d.ID], d
		}
	}
	all := s.Relaxed().Decisions
	c := make(Choice, len(all))
	for i, d := range all {
		v, exists := values[d.Address]
		if d.Edges && exists && on[d.Address].Kind != space.Subset {
			v = setOf(d, on[d.Address].Alts[v].Label)
		}
		for k, o := range d.Options {
			var taken bool
			switch {
			case d.Decision < 0:
				taken = true
			case o.Alternative < 0 || !exists:
			case d.Edges:
				taken = v>>uint(o.Alternative)&1 == 1
			default:
				taken = v == int64(o.Alternative)
			}
			if taken {
				c[i] = append(c[i], k)
			}
		}
	}
	return c
}
