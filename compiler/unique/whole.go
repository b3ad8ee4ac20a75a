package unique

import (
	"context"
	"fmt"
	"math/big"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/space"
)

// whole binds and hashes every architecture.
func whole(ctx context.Context, s Space, size uint64, workers int) (*Classes, error) {
	at := func(n uint64) space.Genotype {
		g, err := s.Plan.Space.Unrank(new(big.Int).SetUint64(n))
		if err != nil {
			panic(err) // n comes from counting up to size
		}
		return g
	}
	var found classSet
	err := found.collect(ctx, workers, size, func(add func(member)) func(uint64) error {
		admits := s.Admission()
		return func(n uint64) error {
			g := at(n)
			if !admits(g) {
				return nil
			}
			a, err := s.Bind(g)
			if err != nil {
				return fmt.Errorf("architecture #%d: %w", n, err)
			}
			add(member{wiring: n, classID: canon.Digest(a.Hash())})
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	return &Classes{
		Method:  fmt.Sprintf("all %d architectures compared", size),
		members: found.sorted(),
		expand: func() func(member) space.Genotype {
			return func(m member) space.Genotype { return at(m.wiring) }
		},
	}, nil
}
