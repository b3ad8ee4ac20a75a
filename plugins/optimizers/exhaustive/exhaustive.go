// Package exhaustive proposes every architecture of a space once, in the order of
// their numbers, and then ends.
//
// What it finds is the optimum and not an estimate, also under a `require` of the
// search, so it is the yardstick of every other method wherever a table makes
// evaluations cheap. It learns nothing, keeps nothing but its place, and gives the
// same proposals whatever the seed.
//
// A large space is gone through in shards by several runs: shard 3 of 8 has the
// third of eight consecutive parts, as `nasc enumerate --shard 3/8` prints them.
// The best of the best is then the optimum. In a search block, `shard: 1..8, parts: 8`
// is a study of all of them.
//
// Architectures that are the same graph have different numbers and are all
// proposed. The search's reuse by isomorphism judges one of each.
package exhaustive

import (
	"math/big"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Plugin is nasc/exhaustive.
var Plugin = sdk.Plugin{
	Name:    "nasc/exhaustive",
	Version: "0.1.0",
	Doc:     "Exhaustive search: every architecture once, or a shard of them.",
	Optimizers: []sdk.OptimizerSpec{sdk.NewOptimizer(sdk.OptimizerInfo{
		Name:   "enumerate",
		Doc:    "Every architecture of the space once, in the order of their numbers; then the search ends.",
		Shared: true,
		Ends:   true,
	}, start)},
}

type params struct {
	Shard int64 `default:"1" min:"1" doc:"the part to go through, from 1"`
	Parts int64 `default:"1" min:"1" doc:"how many parts the space is cut into"`
}

// enumerate knows the number of the next architecture and that after the last.
type enumerate struct {
	space    *space.Space
	next, to *big.Int
}

func start(s sdk.Search, p params) (sdk.Optimizer, error) {
	if p.Shard > p.Parts {
		return nil, sdk.Refuse("shard", "must be from 1 to %d, the number of parts", p.Parts)
	}
	from, to := space.Shard(s.Space.Size(), p.Shard-1, p.Parts)
	return &enumerate{space: s.Space, next: from, to: to}, nil
}

// Ask proposes the next n. What is outside of the space's constraint, as far as the
// space knows it, is left out.
func (e *enumerate) Ask(n int) ([]space.Genotype, error) {
	var all []space.Genotype
	for len(all) < n {
		if e.next.Cmp(e.to) >= 0 {
			if len(all) == 0 {
				return nil, sdk.ErrDone
			}
			break
		}
		end := new(big.Int).Add(e.next, big.NewInt(int64(n-len(all))))
		if end.Cmp(e.to) > 0 {
			end.Set(e.to)
		}
		for g := range e.space.Between(e.next, end) {
			all = append(all, g)
		}
		e.next = end
	}
	return all, nil
}

func (e *enumerate) Tell([]sdk.Trial) error { return nil }
