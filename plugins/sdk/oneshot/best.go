package oneshot

import (
	"context"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// BestOf draws architectures and derives the one that is best under the weights of the
// supernet (Li and Talwalkar, "Random Search and Reproducibility for Neural
// Architecture Search", UAI 2019; Pham et al., "ENAS", ICML 2018). Batch norm is by the
// statistics of each batch: running ones belong to no single architecture.
type BestOf struct {
	N       int // architectures, see [Search.Admissible]; 100 in the published code on NAS-Bench-201
	Batches int // of the validation part that each is measured on, the same for all; 1 there; 0: all
}

// Derive implements [Selection].
func (b BestOf) Derive(ctx context.Context, s *Search) (Choice, error) {
	rng := s.Rand("best")
	all, err := s.Admissible(ctx, b.N, rng)
	if err != nil {
		return nil, err
	}
	first := 0
	if n := s.Net().Size().Valid; b.Batches > 0 && n > 0 {
		first = rng.IntN(n)
	}
	ms := make([]sdk.Mixture, len(all))
	for i, c := range all {
		ms[i] = OneHot(s.Relaxed(), c)
	}
	values, err := s.Measure(ctx, ms, sdk.Score{First: first, Batches: b.Batches})
	if err != nil {
		return nil, err
	}
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return all[best], nil
}
