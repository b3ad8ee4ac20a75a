package oneshot

import (
	"cmp"
	"context"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Progressive begins with few channels and all operations, and after half of the epochs
// goes on with more channels and the strongest operations (Chen, Wang, Cheng, Tang and
// Hsieh, "DrNAS: Dirichlet Neural Architecture Search", ICLR 2021, section 3.3). The
// weights of the wider operations begin as those of the narrow ones that they are made
// of.
type Progressive struct {
	From int // the K of partial channels, in the first half: 1/K of them go through the mixed operations; 4 on NAS-Bench-201
	To   int // in the second half; 2
	Keep int // operations that are left of each choice in the second half; 3
}

// Relaxation implements [Channels].
func (p Progressive) Relaxation() sdk.Relaxation { return sdk.Relaxation{Channels: p.From} }

// Prologue implements [Prologue].
func (p Progressive) Prologue(ctx context.Context, s *Search, at Moment) error {
	if at.Epochs < 2 || at.Epoch != at.Epochs/2 {
		return nil
	}
	mean := s.Mean()
	for i, d := range s.Relaxed().Decisions {
		if d.Edges {
			continue
		}
		if err := s.Keep(i, strongestOptions(d, s.left(i), mean[i], p.Keep)); err != nil {
			return err
		}
	}
	return s.Relax(ctx, sdk.Relaxation{Channels: p.To})
}

// strongestOptions are the n options of a mixed operation that weigh most, at least one
// of which an architecture can have.
func strongestOptions(d sdk.RelaxedDecision, left []int, weights []float64, n int) []int {
	order := slices.Clone(left)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	kept := slices.Clone(order[:min(n, len(order))])
	real := func(k int) bool { return d.Options[k].Alternative >= 0 }
	if i := slices.IndexFunc(order, real); i >= len(kept) {
		kept[len(kept)-1] = order[i]
	}
	slices.Sort(kept)
	return kept
}
