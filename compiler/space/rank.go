package space

import (
	"fmt"
	"iter"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"sort"
)

// empty is a genotype in which nothing is decided.
func (s *Space) empty() Genotype { return s.blank.Clone() }

// Sample draws an architecture uniformly: each of the Size() architectures, or of
// those inside the constraint, is exactly equally likely, however unequal the
// subtrees are. Where a constraint is so tight that TrySample fails it returns nil.
func (s *Space) Sample(rng *rand.Rand) Genotype {
	g, _ := s.TrySample(rng)
	return g
}

// SampleInto draws like Sample and overwrites g, a genotype of s. Where most of
// the decisions do not exist in an architecture, making room for them costs more
// than the draw. It reports whether TrySample would not have failed.
func (s *Space) SampleInto(g Genotype, rng *rand.Rand) bool {
	if s.inside == nil {
		s.drawInto(g, rng)
		return true
	}
	for range Tries {
		if s.drawInto(g, rng); s.inside(g) {
			return true
		}
	}
	return false
}

// drawInto is a uniform sample of the tree.
func (s *Space) drawInto(g Genotype, rng *rand.Rand) {
	copy(g, s.blank)
	g.sample(s.Root, rng)
}

func (g Genotype) sample(group *Group, rng *rand.Rand) {
	for _, d := range group.Decisions {
		v := d.pick(rng)
		g[d.ID] = v
		if !d.flat {
			d.each(v, func(a *Alt) { g.sample(a.Sub, rng) })
		}
	}
}

// pick draws a value of d for a uniform sample of all that is below d.
func (d *Decision) pick(rng *rand.Rand) int64 {
	if d.Kind == Subset {
		return d.lottery.pick(rng)
	}
	return d.draw.pick(rng)
}

// Unrank returns the architecture with the given rank, from 0 to Size()-1.
func (s *Space) Unrank(rank *big.Int) (Genotype, error) {
	if rank.Sign() < 0 || rank.Cmp(s.Root.size.view()) >= 0 {
		return nil, fmt.Errorf("architecture %s does not exist: %s has %s, numbered from 0", rank, s.Name, s.Size())
	}
	g := s.empty()
	g.unrank(s.Root, fromBig(new(big.Int).Set(rank)))
	return g, nil
}

func (g Genotype) unrank(group *Group, rank number) {
	if rank.fits() && group.size.fits() {
		g.unrankWord(group, rank.word)
		return
	}
	r := rank.Big()
	for i := len(group.Decisions) - 1; i >= 0; i-- {
		d := group.Decisions[i]
		digit := new(big.Int)
		r.QuoRem(r, d.size.view(), digit)
		g.unrankAt(d, fromBig(digit))
	}
}

func (g Genotype) unrankAt(d *Decision, rank number) {
	switch {
	case rank.fits() && d.size.fits():
		g.unrankWordAt(d, rank.word)
	case d.Kind == Subset:
		g[d.ID] = d.subset.splitBig(rank.Big(), func(item int, r *big.Int) {
			g.unrank(d.Alts[item].Sub, fromBig(r))
		})
	default:
		i := sort.Search(len(d.sums), func(i int) bool { return d.sums[i].cmp(rank) > 0 }) - 1
		g[d.ID] = int64(i)
		g.unrank(d.Alts[i].Sub, fromBig(new(big.Int).Sub(rank.view(), d.sums[i].view())))
	}
}

// unrankWord and unrankWordAt are the same where everything fits in a word.
func (g Genotype) unrankWord(group *Group, r uint64) {
	for i := len(group.Decisions) - 1; i >= 0; i-- {
		d := group.Decisions[i]
		n := d.size.word
		g.unrankWordAt(d, r%n)
		r /= n
	}
}

func (g Genotype) unrankWordAt(d *Decision, r uint64) {
	switch {
	case d.Kind == Subset:
		g[d.ID] = d.subset.split(r, func(item int, rank uint64) {
			g.unrankWord(d.Alts[item].Sub, rank)
		})
	case d.flat:
		g[d.ID] = int64(r)
	default:
		i := sort.Search(len(d.sums), func(i int) bool { return d.sums[i].word > r }) - 1
		g[d.ID] = int64(i)
		g.unrankWord(d.Alts[i].Sub, r-d.sums[i].word)
	}
}

// Rank is the position of g in the order of all architectures, the inverse of
// Unrank.
func (s *Space) Rank(g Genotype) (*big.Int, error) {
	if err := s.Check(g); err != nil {
		return nil, err
	}
	return g.rank(s.Root).Big(), nil
}

func (g Genotype) rank(group *Group) number {
	var r number
	for _, d := range group.Decisions {
		r = r.mul(d.size).add(g.rankAt(d))
	}
	return r
}

func (g Genotype) rankAt(d *Decision) number {
	v := g[d.ID]
	if d.Kind == Subset {
		return d.subset.join(v, func(item int) number { return g.rank(d.Alts[item].Sub) })
	}
	return d.sums[v].add(g.rank(d.Alts[v].Sub))
}

// Active yields the decisions that exist in g, by ID.
func (s *Space) Active(g Genotype) iter.Seq[*Decision] {
	return func(yield func(*Decision) bool) {
		for id, v := range g {
			if v != Inactive && !yield(s.Decisions[id]) {
				return
			}
		}
	}
}

// Check tells whether g is an architecture of s: as long as the list of
// decisions, every value in range, and Inactive exactly where the decision
// does not exist under the alternatives taken.
func (s *Space) Check(g Genotype) error {
	if len(g) != len(s.Decisions) {
		return fmt.Errorf("the genotype has %d decisions, %s has %d", len(g), s.Name, len(s.Decisions))
	}
	visited, err := g.check(s.Root)
	if err != nil {
		return err
	}
	for _, v := range g {
		if v != Inactive {
			visited--
		}
	}
	if visited == 0 {
		return nil
	}
	return s.stray(g)
}

// check tests what is below group and returns how many decisions that is.
func (g Genotype) check(group *Group) (visited int, err error) {
	for _, d := range group.Decisions {
		v := g[d.ID]
		if err := d.inRange(v); err != nil {
			return 0, err
		}
		visited++
		if d.flat {
			continue
		}
		d.each(v, func(a *Alt) {
			if err == nil {
				var n int
				n, err = g.check(a.Sub)
				visited += n
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return visited, nil
}

func (d *Decision) inRange(v int64) error {
	switch {
	case v == Inactive:
		return fmt.Errorf("the genotype leaves out %s", d.Address)
	case d.Kind != Subset:
		if v < 0 || v >= int64(len(d.Alts)) {
			return fmt.Errorf("%s has no alternative %d: there are %d, numbered from 0", d.Address, v, len(d.Alts))
		}
	case v < 0 || v>>len(d.Alts) != 0:
		return fmt.Errorf("%s takes an item beyond its %d", d.Address, len(d.Alts))
	default:
		if n := bits.OnesCount64(uint64(v)); n < d.Min || n > d.Max {
			return fmt.Errorf("%s takes %d items, it must take %s", d.Address, n, span(d.Min, d.Max))
		}
	}
	return nil
}

func span(least, most int) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d..%d", least, most)
}

// stray names the first decision that g takes though it does not exist.
func (s *Space) stray(g Genotype) error {
	exists := s.build(func(d *Decision) int64 { return g[d.ID] })
	for id, v := range g {
		if v != Inactive && exists[id] == Inactive {
			return fmt.Errorf("%s does not exist under the alternatives taken", s.Decisions[id].Address)
		}
	}
	return nil
}

// build makes a genotype from the root down; choose is asked for every
// decision that exists and must answer with a value in range.
func (s *Space) build(choose func(*Decision) int64) Genotype {
	g := s.empty()
	g.build(s.Root, choose)
	return g
}

func (g Genotype) build(group *Group, choose func(*Decision) int64) {
	for _, d := range group.Decisions {
		v := choose(d)
		g[d.ID] = v
		if v != Inactive && !d.flat {
			d.each(v, func(a *Alt) { g.build(a.Sub, choose) })
		}
	}
}
