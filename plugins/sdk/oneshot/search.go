package oneshot

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Search is a one-shot search as its components see it.
type Search struct {
	sdk.Search
	parts  Parts
	net    sdk.SearchedSupernet
	layout *Layout

	// What is saved.
	params      Params
	kept        [][]bool // options that are left, by decision
	draws       map[string]uint64
	weightDecay *float64
}

// Net is the supernet. A component that relaxes it anew does so by [Search.Relax].
func (s *Search) Net() sdk.Supernet { return s.net }

// Check tells which architectures satisfy the constraints of the space and those
// requirements of the search that need no evaluation.
func (s *Search) Check(ctx context.Context, all []Choice) ([]bool, error) {
	gs := make([]space.Genotype, len(all))
	for i, c := range all {
		g, err := Genotype(s.Space, s.Relaxed(), c)
		if err != nil {
			return nil, err
		}
		gs[i] = g
	}
	return s.net.Check(ctx, gs)
}

// Relaxed lists what has mixture weights.
func (s *Search) Relaxed() *sdk.Relaxed { return s.net.Relaxed() }

// Epochs is how many epochs of weight steps the whole search may take.
func (s *Search) Epochs() int { return s.net.Epochs() }

// Layout is what has mixture weights and is left.
func (s *Search) Layout() *Layout { return s.layout }

// Params are the arch parameters, by the decisions and options of Relaxed. A component
// may change them.
func (s *Search) Params() Params { return s.params }

// Relaxation is the component that makes mixtures.
func (s *Search) Relaxation() Relaxation { return s.parts.Relaxation }

// Rand is the next random stream of a name. How many there have been is saved.
func (s *Search) Rand(name string) *rand.Rand {
	n := s.draws[name]
	s.draws[name] = n + 1
	return s.Env.Rand("oneshot."+name, n)
}

// Mean is the mixture that stands for the arch parameters, zero for what is not left.
func (s *Search) Mean() sdk.Mixture {
	return s.layout.scatter(s.parts.Relaxation.Mean(s.layout, s.layout.gather(s.params)), s.shape())
}

// Draw makes a mixture of arch parameters, and what turns its gradient into theirs,
// which is nil where nothing is learned so. Equal streams give equal mixtures.
func (s *Search) Draw(p Params, at Moment, rng *rand.Rand) (sdk.Mixture, Backward) {
	l := s.layout
	m, back := s.parts.Relaxation.Draw(l, l.gather(p), at, rng)
	m = l.scatter(m, s.shape())
	if back == nil {
		return m, nil
	}
	return m, func(grad sdk.Mixture) Params { return l.scatter(back(l.gather(grad)), p) }
}

// Gradient is the loss on a batch under a mixture drawn of p, and its gradient with
// respect to p, without the penalty of a [Regulariser].
func (s *Search) Gradient(ctx context.Context, p Params, at Moment, rng *rand.Rand, o sdk.ArchGradient) (float64, Params, error) {
	m, back := s.Draw(p, at, rng)
	if back == nil {
		return 0, nil, fmt.Errorf("there is no gradient of arch parameters in this relaxation")
	}
	loss, grad, err := s.net.ArchGradient(ctx, m, o)
	if err != nil {
		return 0, nil, err
	}
	return loss, back(grad), nil
}

// shape is a mixture of the right shape.
func (s *Search) shape() [][]float64 {
	r := s.Relaxed()
	m := make([][]float64, len(r.Decisions))
	for i, d := range r.Decisions {
		m[i] = make([]float64, len(d.Options))
	}
	return m
}

// Kept reports whether an option is left.
func (s *Search) Kept(decision, option int) bool { return s.kept[decision][option] }

// Keep leaves only these options of a decision. With one of them left an operation is
// decided. Arch parameters and what an update remembers of them stay as they are.
func (s *Search) Keep(decision int, options []int) error {
	d := s.Relaxed().Decisions[decision]
	kept := make([]bool, len(s.kept[decision]))
	possible := 0
	for _, k := range options {
		if k < 0 || k >= len(kept) || !s.kept[decision][k] {
			return fmt.Errorf("%s: option %d is not left", d.Address, k)
		}
		if kept[k] = true; d.Options[k].Alternative >= 0 {
			possible++
		}
	}
	if possible < d.Min {
		return fmt.Errorf("%s: no architecture would be left", d.Address)
	}
	s.kept[decision] = kept
	s.arrange()
	return nil
}

// Relax goes on with the same weights and arch parameters in another relaxation of the
// space, in which the same is decided.
func (s *Search) Relax(ctx context.Context, r sdk.Relaxation) error {
	before := s.Relaxed()
	r.EdgeWeights = s.parts.relaxation().EdgeWeights
	if err := s.net.Relax(ctx, r); err != nil {
		return err
	}
	after := s.Relaxed()
	place := map[string]int{}
	for i, d := range before.Decisions {
		place[d.Address] = i
	}
	params, kept := make(Params, len(after.Decisions)), make([][]bool, len(after.Decisions))
	for i, d := range after.Decisions {
		from, ok := place[d.Address]
		if !ok || len(before.Decisions[from].Options) != len(d.Options) || len(after.Decisions) != len(before.Decisions) {
			return fmt.Errorf("%s: another relaxation of the space decides something else", d.Address)
		}
		if from != i {
			return fmt.Errorf("%s: another relaxation of the space has its decisions in another order", d.Address)
		}
		params[i], kept[i] = s.params[from], s.kept[from]
	}
	s.params, s.kept = params, kept
	s.arrange()
	return nil
}

// SetWeightDecay sets the weight decay of the weight steps to come.
func (s *Search) SetWeightDecay(v float64) { s.weightDecay = &v }

// arrange makes the layout of what is left.
func (s *Search) arrange() { s.layout = newLayout(s.Relaxed(), s.kept, s.parts.EdgeNorm) }
