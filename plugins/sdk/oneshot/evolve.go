package oneshot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Evolution selects by evolution under the weights of the supernet (Guo, Zhang, Mu,
// Heng, Liu, Wei and Sun, "Single Path One-Shot Neural Architecture Search with Uniform
// Sampling", ECCV 2020: SPOS). Every generation is a stage: the population is measured,
// the best of all so far become parents, and the next population are mutations of
// parents, crossovers of two, and random architectures for the rest. Only what
// [Search.Check] admits is ever in a population, and nothing is measured twice.
//
// Each architecture is measured with statistics of batch norm of its own, which are
// made on batches of the training part.
type Evolution struct {
	Generations int     // 20 in the paper
	Population  int     // 50
	Parents     int     // 10
	Mutations   int     // 25
	Crossovers  int     // 25
	Rate        float64 // probability that a mutation draws a decision anew; 0.1
	Recalibrate int     // batches of the training part for batch norm, at most those of an epoch; 200. 0: it is by the statistics of each batch
	Batches     int     // of the validation part that are measured on; 0: all

	state evolved
}

// evolved is what a search by evolution has led to.
type evolved struct {
	Next    []individual    // what is to be measured
	Best    []individual    // measured, best first, no more than Parents
	Visited map[string]bool // written in order
}

// individual is an architecture, which says something of each decision, also of those
// that do not exist in it.
type individual struct {
	Choice Choice
	Score  float64
}

// Epochs implements [Staged].
func (e *Evolution) Epochs(*Search) int { return 0 }

// Derive is the best of a population of random architectures, measured on one batch
// without recalibration: a glance at what is not selected yet.
func (e *Evolution) Derive(ctx context.Context, s *Search) (Choice, error) {
	return BestOf{N: e.Population, Batches: 1}.Derive(ctx, s)
}

// Stage implements [Staged].
func (e *Evolution) Stage(ctx context.Context, s *Search, n int) (Outcome, error) {
	rng := s.Rand("evolution")
	if n == 0 {
		e.state = evolved{Visited: map[string]bool{}}
		if err := e.random(ctx, s, rng); err != nil {
			return Outcome{}, err
		}
	}
	mean := 0.0
	if len(e.state.Next) > 0 {
		ms := make([]sdk.Mixture, len(e.state.Next))
		for i, x := range e.state.Next {
			ms[i] = OneHot(s.Relaxed(), x.Choice)
		}
		scores, err := s.Measure(ctx, ms, sdk.Score{Batches: e.Batches, Recalibrate: min(e.Recalibrate, s.Net().Size().Steps)})
		if err != nil {
			return Outcome{}, err
		}
		for i, v := range scores {
			e.state.Next[i].Score = v
			mean += v / float64(len(scores))
		}
	}
	e.state.Best = append(e.state.Best, e.state.Next...)
	slices.SortStableFunc(e.state.Best, func(a, b individual) int { return cmp.Compare(b.Score, a.Score) })
	e.state.Best = e.state.Best[:min(e.Parents, len(e.state.Best))]
	best := e.state.Best[0]
	out := Outcome{Choice: best.Choice, Values: map[string]float64{"best": best.Score}, Done: n == e.Generations-1,
		Text: fmt.Sprintf("generation %d: %d new architectures", n+1, len(e.state.Next))}
	if len(e.state.Next) > 0 {
		out.Values["generation_mean"] = mean
	}
	e.state.Next = nil
	if out.Done {
		return out, nil
	}
	if err := e.offspring(ctx, s, rng, e.Mutations, func() Choice { return e.mutate(s, rng) }); err != nil {
		return Outcome{}, err
	}
	if err := e.offspring(ctx, s, rng, e.Crossovers, func() Choice { return e.cross(rng) }); err != nil {
		return Outcome{}, err
	}
	return out, e.random(ctx, s, rng)
}

// random fills the population.
func (e *Evolution) random(ctx context.Context, s *Search, rng *rand.Rand) error {
	if err := e.offspring(ctx, s, rng, e.Population-len(e.state.Next), func() Choice { return s.Sample(s.Mean(), rng) }); err != nil {
		return err
	}
	if len(e.state.Next) == 0 && len(e.state.Best) == 0 {
		return fmt.Errorf("no architecture that was drawn satisfies the requirements of the search")
	}
	return nil
}

// rounds is how often a generation is tried to be filled.
const rounds = 100

// offspring adds up to n new admissible architectures to the next population. In a small
// space fewer may be left.
func (e *Evolution) offspring(ctx context.Context, s *Search, rng *rand.Rand, n int, make func() Choice) error {
	for range rounds {
		if n <= 0 {
			return nil
		}
		var all []Choice
		var keys []string
		for range n {
			c := make()
			g, err := Genotype(s.Space, s.Relaxed(), c)
			if err != nil {
				return err
			}
			if key := string(s.Space.Format(g)); !e.state.Visited[key] && !slices.Contains(keys, key) {
				all, keys = append(all, c), append(keys, key)
			}
		}
		ok, err := s.Check(ctx, all)
		if err != nil {
			return err
		}
		for i, c := range all {
			if e.state.Visited[keys[i]] = true; ok[i] {
				e.state.Next = append(e.state.Next, individual{Choice: c})
				n--
			}
		}
	}
	return nil
}

// mutate draws some decisions of a parent anew.
func (e *Evolution) mutate(s *Search, rng *rand.Rand) Choice {
	uniform := s.uniform()
	c := slices.Clone(e.parent(rng).Choice)
	for i := range c {
		if rng.Float64() < e.Rate {
			c[i] = s.sample(i, uniform, rng)
		}
	}
	return c
}

// cross takes each decision from one of two parents.
func (e *Evolution) cross(rng *rand.Rand) Choice {
	a, b := e.parent(rng).Choice, e.parent(rng).Choice
	c := slices.Clone(a)
	for i := range c {
		if rng.IntN(2) == 1 {
			c[i] = b[i]
		}
	}
	return c
}

func (e *Evolution) parent(rng *rand.Rand) individual {
	return e.state.Best[rng.IntN(len(e.state.Best))]
}

// uniform is the mixture in which everything that is left weighs the same.
func (s *Search) uniform() sdk.Mixture {
	m := s.shape()
	for i := range m {
		for k := range m[i] {
			if s.Kept(i, k) {
				m[i][k] = 1
			}
		}
	}
	return m
}

// Save implements [Stateful].
func (e *Evolution) Save() ([]byte, error) { return json.Marshal(e.state) }

// Load implements [Stateful].
func (e *Evolution) Load(b []byte) error {
	e.state = evolved{}
	return json.Unmarshal(b, &e.state)
}
