package space

import (
	"iter"
	"math/big"
)

// All yields every architecture in order of rank, those outside the constraint left
// out.
func (s *Space) All() iter.Seq[Genotype] { return s.Between(new(big.Int), s.Size()) }

// Between yields the architectures whose rank is at least from and less than to,
// in order of rank, those outside the constraint left out. It holds one of them at a time, so that the largest space
// can be gone through from anywhere.
func (s *Space) Between(from, to *big.Int) iter.Seq[Genotype] {
	first, end := fromBig(new(big.Int).Set(from)), s.Root.size
	if last := fromBig(new(big.Int).Set(to)); last.cmp(end) < 0 {
		end = last
	}
	return func(yield func(Genotype) bool) {
		one := number{word: 1}
		for r := first; r.cmp(end) < 0; r = r.add(one) {
			g := s.empty()
			g.unrank(s.Root, r)
			if s.admits(g) && !yield(g) {
				return
			}
		}
	}
}

// Shard cuts total ranks into n consecutive parts whose lengths differ by one
// at most, and returns where part i of them, counted from 0, begins and ends.
func Shard(total *big.Int, i, n int64) (from, to *big.Int) {
	cut := func(k int64) *big.Int {
		p := new(big.Int).Mul(total, big.NewInt(k))
		return p.Quo(p, big.NewInt(n))
	}
	return cut(i), cut(i + 1)
}
