package sdk_test

import (
	"math"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Simulated annealing: a worse neighbour is accepted with a probability that
// falls as the search goes on.
func Example() {
	sdk.Serve(sdk.Plugin{
		Name: "me/annealing", Version: "0.1.0", Doc: "Simulated annealing.",
		Optimizers: []sdk.OptimizerSpec{
			sdk.NewOptimizer(sdk.OptimizerInfo{Name: "annealing"}, newAnnealing),
		},
	})
}

type annealingParams struct {
	Temperature float64 `default:"1" min:"0" doc:"of the first step, in units of the objective"`
	Cooling     float64 `default:"0.95" min:"0" max:"1" doc:"what a step leaves of the temperature"`
}

type annealing struct {
	sdk.Search
	annealingParams
	rng     *rand.Rand
	current space.Genotype
	score   float64
}

func newAnnealing(s sdk.Search, p annealingParams) (sdk.Optimizer, error) {
	return &annealing{Search: s, annealingParams: p, rng: s.Rand("annealing", 0)}, nil
}

func (a *annealing) Ask(n int) ([]space.Genotype, error) {
	var all []space.Genotype
	for range n {
		if a.current == nil {
			all = append(all, a.Space.Sample(a.rng))
		} else {
			all = append(all, a.Space.Mutate(a.rng, a.current))
		}
	}
	return all, nil
}

func (a *annealing) Tell(trials []sdk.Trial) error {
	for _, t := range trials {
		score, ok := a.Score(t)
		if ok && (a.current == nil || score > a.score || a.rng.Float64() < math.Exp((score-a.score)/a.Temperature)) {
			a.current, a.score = t.Genotype, score
		}
		a.Temperature *= a.Cooling
	}
	return nil
}
