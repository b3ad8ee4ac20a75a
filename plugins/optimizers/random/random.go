// Package random is random search: independent, uniformly drawn architectures.
//
// It is the baseline that any other method has to beat on the same budget
// (Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture
// Search", 2019). Uniform means over architectures, not over decisions: every
// architecture of the space has the same probability. Repeats are possible, as
// in the published comparisons, which count them.
package random

import (
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Plugin is nasc/random.
var Plugin = sdk.Plugin{
	Name:    "nasc/random",
	Version: "0.1.0",
	Doc:     "Random search: independent architectures, each of the space equally likely.",
	Optimizers: []sdk.OptimizerSpec{sdk.NewOptimizer(sdk.OptimizerInfo{
		Name:   "uniform",
		Doc:    "Independent, uniformly drawn architectures.",
		Shared: true,
	}, start)},
}

type uniform struct {
	space *space.Space
	rng   *rand.Rand
}

func start(s sdk.Search, _ struct{}) (sdk.Optimizer, error) {
	return &uniform{space: s.Space, rng: s.Rand("sample", 0)}, nil
}

func (u *uniform) Ask(n int) ([]space.Genotype, error) {
	all := make([]space.Genotype, n)
	for i := range all {
		all[i] = u.space.Sample(u.rng)
	}
	return all, nil
}

func (u *uniform) Tell([]sdk.Trial) error { return nil }
