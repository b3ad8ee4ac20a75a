package space

import (
	"fmt"
	"math/rand/v2"
)

// Tries bounds how many draws a uniform sample under a constraint takes before it
// gives up: a space that holds less than one in thousands is as good as empty.
const Tries = 100_000

// A move under a constraint is tried so often before it is made larger, up to a
// number of steps at once; one in detours tries is larger anyway, so that what is
// outside can be crossed.
const (
	triesPerStep = 64
	mostSteps    = 8
	detours      = 16
)

// Constrain restricts the architectures to those for which inside holds, before
// the space is used. What a genotype means is the business of whoever calls; inside
// is asked about genotypes of this space only, perhaps from several goroutines.
//
// Sampling, enumeration and every move then stay inside. Size, Rank, Unrank and
// what reads and writes genotypes stay those of the tree, so that numbers and texts
// mean the same with and without the constraint.
func (s *Space) Constrain(inside func(Genotype) bool) { s.inside = inside }

// admits reports whether g is inside the constraint, if there is one.
func (s *Space) admits(g Genotype) bool { return s.inside == nil || s.inside(g) }

// TightError says that a constraint left nothing to be found by drawing.
type TightError struct {
	Space string
	Tries int
}

func (e *TightError) Error() string {
	return fmt.Sprintf("none of %d architectures drawn from %s meets its requirements", e.Tries, e.Space)
}

// TrySample draws an architecture uniformly among those inside the constraint, by
// rejection, so each is exactly equally likely. It fails with a [TightError] when
// none was found. Without a constraint it does not fail.
func (s *Space) TrySample(rng *rand.Rand) (Genotype, error) {
	g := make(Genotype, len(s.Decisions))
	if !s.SampleInto(g, rng) {
		return nil, &TightError{s.Name, Tries}
	}
	return g, nil
}

// Mutate changes g a little. Without a constraint that is one step at a uniformly
// drawn decision among those that exist in g and have a choice; decisions that come
// into existence are drawn uniformly, all others are kept. A space of one
// architecture returns g.
//
// Under a constraint the step is drawn anew until it stays inside. Now and then two
// or more steps are taken at once, more of them the longer nothing is found, and in
// the end the result is a uniform sample. So everything inside can be reached from
// everywhere, also across what is outside.
func (s *Space) Mutate(rng *rand.Rand, g Genotype) Genotype {
	if s.inside == nil {
		return s.mutate(rng, g)
	}
	for try := range triesPerStep * mostSteps {
		h := s.mutate(rng, g)
		for more := try / triesPerStep; more > 0 || rng.IntN(detours) == 0; more-- {
			h = s.mutate(rng, h)
		}
		if !h.Equal(g) && s.inside(h) {
			return h
		}
	}
	if h, err := s.TrySample(rng); err == nil {
		return h
	}
	return g.Clone()
}

// MutateAt takes one uniformly drawn step at d, which exists in g; otherwise, and
// where d has no choice, g is returned. Under a constraint the step is drawn anew
// until it stays inside, and g is returned where none does.
func (s *Space) MutateAt(rng *rand.Rand, g Genotype, d *Decision) Genotype {
	if s.inside == nil {
		return s.mutateAt(rng, g, d)
	}
	for range triesPerStep {
		if h := s.mutateAt(rng, g, d); s.inside(h) {
			return h
		}
	}
	return g.Clone()
}

// Crossover takes every decision from one of two parents, by a fair coin where
// both have it. The child has only decisions that one of them has. Under a
// constraint the coins are thrown anew until the child is inside; where it never
// is, the child is one of the parents.
func (s *Space) Crossover(rng *rand.Rand, g, h Genotype) Genotype {
	if s.inside == nil {
		return s.cross(rng, g, h)
	}
	for range triesPerStep {
		if c := s.cross(rng, g, h); s.inside(c) {
			return c
		}
	}
	if rng.Uint64()&1 != 0 {
		return h.Clone()
	}
	return g.Clone()
}

// Unconstrained is the space without its constraint: all of the tree.
func (s *Space) Unconstrained() *Space {
	free := *s
	free.inside = nil
	return &free
}
