package space

import (
	"iter"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// A step changes one decision. For the one-of kinds it takes any other
// alternative. For a Subset it adds an item, removes one, or swaps one for
// another, as Min and Max allow.

// steps returns the values of d that are one step from v, ascending.
func (d *Decision) steps(v int64) []int64 {
	if d.Kind != Subset {
		out := make([]int64, 0, len(d.Alts)-1)
		for i := range int64(len(d.Alts)) {
			if i != v {
				out = append(out, i)
			}
		}
		return out
	}
	var out []int64
	n := len(d.Alts)
	taken := bits.OnesCount64(uint64(v))
	for i := range n {
		in := v>>i&1 != 0
		if in && taken > d.Min || !in && taken < d.Max {
			out = append(out, v^1<<i)
		}
		for k := range i {
			if in != (v>>k&1 != 0) {
				out = append(out, v^1<<i^1<<k)
			}
		}
	}
	slices.Sort(out)
	return out
}

// held is the value that g takes of d, or of the twin that it has in d's place.
func (g Genotype) held(d *Decision) int64 {
	if v := g[d.ID]; v != Inactive {
		return v
	}
	for _, t := range d.twins {
		if v := g[t.ID]; v != Inactive {
			return v
		}
	}
	return Inactive
}

// Mutable reports whether d can take more than one value.
func (d *Decision) Mutable() bool {
	if d.Kind != Subset {
		return len(d.Alts) > 1
	}
	return len(d.Alts) > 0 && (d.Min < d.Max || 0 < d.Min && d.Min < len(d.Alts))
}

// mutate takes one step at a uniformly drawn decision.
func (s *Space) mutate(rng *rand.Rand, g Genotype) Genotype {
	n := 0
	for id, v := range g {
		if v != Inactive && s.Decisions[id].Mutable() {
			n++
		}
	}
	if n == 0 {
		return g.Clone()
	}
	n = rng.IntN(n)
	for id, v := range g {
		if v == Inactive || !s.Decisions[id].Mutable() {
			continue
		}
		if n == 0 {
			return s.mutateAt(rng, g, s.Decisions[id])
		}
		n--
	}
	panic("unreachable")
}

// mutateAt takes one uniformly drawn step at d.
func (s *Space) mutateAt(rng *rand.Rand, g Genotype, d *Decision) Genotype {
	if g[d.ID] == Inactive || !d.Mutable() {
		return g.Clone()
	}
	v := d.otherValue(rng, g[d.ID])
	if d.flat {
		h := g.Clone()
		h[d.ID] = v
		return h
	}
	return s.build(func(e *Decision) int64 {
		if e == d {
			return v
		}
		if old := g.held(e); old != Inactive {
			return old
		}
		return e.pick(rng)
	})
}

func (d *Decision) otherValue(rng *rand.Rand, v int64) int64 {
	if d.Kind == Subset {
		steps := d.steps(v)
		return steps[rng.IntN(len(steps))]
	}
	w := rng.Int64N(int64(len(d.Alts) - 1))
	if w >= v {
		w++
	}
	return w
}

// MaxCompletions bounds what [Space.Neighbors] enumerates for one step.
const MaxCompletions = 128

// Neighbors yields the architectures one step from g, in order of decision,
// value and rank of what is new.
//
// Two architectures are neighbours when they are one step apart in one
// decision and agree on every other decision that both have. A step may open
// decisions that g does not have: with at most [MaxCompletions] ways to take
// them, all are yielded, otherwise only the first in order of rank; a step back
// from there is then possible only from that first one. The relation is thus
// symmetric, every neighbourhood is finite, and every architecture can be
// reached from every other. Under a constraint the neighbours outside are left
// out, and it may take more than one step to get from one part of what is inside
// to another.
func (s *Space) Neighbors(g Genotype) iter.Seq[Genotype] {
	return func(yield func(Genotype) bool) {
		inside := func(h Genotype) bool { return !s.admits(h) || yield(h) }
		for id, v := range g {
			if v == Inactive {
				continue
			}
			d := s.Decisions[id]
			for _, w := range d.steps(v) {
				if !s.step(g, d, w, inside) {
					return
				}
			}
		}
	}
}

// step yields the neighbours of g whose value of d is w.
func (s *Space) step(g Genotype, d *Decision, w int64, yield func(Genotype) bool) bool {
	if d.flat {
		h := g.Clone()
		h[d.ID] = w
		return yield(h)
	}
	base, opened := s.carry(g, d, w)
	n := completions(opened)
	if n > MaxCompletions {
		n = 1
	}
	for r := range n {
		h := base.Clone()
		for i := len(opened) - 1; i >= 0; i-- {
			e := opened[i]
			digit := uint64(0)
			if n > 1 {
				digit, r = r%e.size.word, r/e.size.word
			}
			h.unrankAt(e, number{word: digit})
		}
		if !s.agree(g, h, d) {
			continue
		}
		if _, closed := s.carry(h, d, g[d.ID]); completions(closed) > MaxCompletions && !g.isFirst(closed) {
			continue
		}
		if !yield(h) {
			return false
		}
	}
	return true
}

// carry is the architecture whose value of d is w and which is g elsewhere, and
// the topmost decisions that it has and g has not; they are left open.
func (s *Space) carry(g Genotype, d *Decision, w int64) (base Genotype, opened []*Decision) {
	base = s.build(func(e *Decision) int64 {
		if e == d {
			return w
		}
		v := g.held(e)
		if v == Inactive {
			opened = append(opened, e)
		}
		return v
	})
	return base, opened
}

// agree reports whether g and h take the same of every decision but d that both
// have. Only what was opened can differ, by twins of what g had.
func (s *Space) agree(g, h Genotype, d *Decision) bool {
	for id, v := range h {
		e := s.Decisions[id]
		if e.twins == nil || e == d || v == Inactive {
			continue
		}
		if old := g.held(e); old != Inactive && old != v {
			return false
		}
	}
	return true
}

// completions is the number of ways to take all of the decisions, or some
// number above MaxCompletions when there are more than that.
func completions(all []*Decision) uint64 {
	n := uint64(1)
	for _, d := range all {
		if !d.size.fits() || d.size.word > MaxCompletions || n > MaxCompletions {
			return MaxCompletions + 1
		}
		n *= d.size.word
	}
	return n
}

// isFirst reports whether g takes the first of all ways below the decisions.
func (g Genotype) isFirst(all []*Decision) bool {
	for _, d := range all {
		if !g.rankAt(d).isZero() {
			return false
		}
	}
	return true
}

// cross takes every decision from one of two parents, by a fair coin where both
// have it. What the child decides and neither of them has, because it exists
// under alternatives of two decisions that never met, is drawn uniformly.
func (s *Space) cross(rng *rand.Rand, g, h Genotype) Genotype {
	return s.build(func(d *Decision) int64 {
		a, b := g.held(d), h.held(d)
		if a == Inactive && b == Inactive {
			return d.pick(rng)
		}
		if a == Inactive || b != Inactive && a != b && rng.Uint64()&1 != 0 {
			return b
		}
		return a
	})
}

// Distance is the number of decisions that g and h take differently, one that
// only one of them has included. It is a metric.
func (s *Space) Distance(g, h Genotype) int {
	n := 0
	for id, v := range g {
		d := s.Decisions[id]
		if d.twins == nil && v != h[id] || d.twins != nil && d == d.twins[0] && g.held(d) != h.held(d) {
			n++
		}
	}
	return n
}
