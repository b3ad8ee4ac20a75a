package space

import (
	"bytes"
	"iter"
	"math/big"
	"slices"
	"sort"
)

// Collection is a set of architectures of one space in little memory: their
// ranks, all of the same number of bytes, in order. The 423,624 graphs of
// NAS-Bench-101 take four bytes each. A Collection never changes.
type Collection struct {
	space *Space
	width int    // bytes of a rank
	ranks []byte // big endian, ascending, each once
}

// Collect makes a collection of architectures in any order; one that comes more
// than once is held once. A genotype of another space is an error.
func (s *Space) Collect(all iter.Seq[Genotype]) (*Collection, error) {
	last := s.Size()
	last.Sub(last, big.NewInt(1))
	c := &Collection{space: s, width: max(1, (last.BitLen()+7)/8)}
	sorted := true
	key := make([]byte, c.width)
	for g := range all {
		if err := s.Check(g); err != nil {
			return nil, err
		}
		c.key(g, key)
		if n := c.Len(); n > 0 && bytes.Compare(c.at(n-1), key) >= 0 {
			sorted = false
		}
		c.ranks = append(c.ranks, key...)
	}
	if !sorted {
		c.sort()
	}
	c.ranks = slices.Clip(c.ranks)
	return c, nil
}

func (c *Collection) key(g Genotype, to []byte) { g.rank(c.space.Root).view().FillBytes(to) }

func (c *Collection) at(i int) []byte { return c.ranks[i*c.width : (i+1)*c.width] }

// sort brings the ranks in order and drops repetitions.
func (c *Collection) sort() {
	sort.Sort(&byRank{c, make([]byte, c.width)})
	n := 0
	for i := range c.Len() {
		if n == 0 || !bytes.Equal(c.at(n-1), c.at(i)) {
			copy(c.at(n), c.at(i))
			n++
		}
	}
	c.ranks = c.ranks[:n*c.width]
}

type byRank struct {
	*Collection
	spare []byte
}

func (b *byRank) Less(i, k int) bool { return bytes.Compare(b.at(i), b.at(k)) < 0 }

func (b *byRank) Swap(i, k int) {
	copy(b.spare, b.at(i))
	copy(b.at(i), b.at(k))
	copy(b.at(k), b.spare)
}

// Len is the number of architectures.
func (c *Collection) Len() int { return len(c.ranks) / c.width }

// At returns architecture i of the collection, in order of rank.
func (c *Collection) At(i int) Genotype {
	g := c.space.empty()
	g.unrank(c.space.Root, fromBig(new(big.Int).SetBytes(c.at(i))))
	return g
}

// Find returns the position of g, an architecture of the space, and whether the
// collection holds it.
func (c *Collection) Find(g Genotype) (int, bool) {
	key := make([]byte, c.width)
	c.key(g, key)
	return sort.Find(c.Len(), func(i int) int { return bytes.Compare(key, c.at(i)) })
}

// All yields the architectures in order of rank.
func (c *Collection) All() iter.Seq[Genotype] {
	return func(yield func(Genotype) bool) {
		for i := range c.Len() {
			if !yield(c.At(i)) {
				return
			}
		}
	}
}

// Bytes is the memory that the architectures take.
func (c *Collection) Bytes() int { return cap(c.ranks) }
