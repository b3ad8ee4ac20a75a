package space

import (
	"math/big"
	"math/rand/v2"
)

// ways counts the completions of a subset while its items are gone through one
// by one: to[i][j] is the number of ways to decide items i, i+1, … and whatever
// is below them when j of the earlier ones are taken, so that between min and
// max are taken in the end (elementary symmetric polynomials of the item sizes,
// summed over the sizes allowed). Subsets that take an item come before those
// that do not.
type ways struct {
	items []number
	to    [][]number
	small bool // everything fits in a machine word
}

func newWays(items []number, least, most int) *ways {
	n := len(items)
	w := &ways{items: items, to: make([][]number, n+1)}
	last := make([]number, most+2)
	for j := least; j <= most; j++ {
		last[j] = number{word: 1}
	}
	w.to[n] = last
	for i := n - 1; i >= 0; i-- {
		row := make([]number, most+2)
		for j := 0; j <= min(i, most); j++ {
			row[j] = w.to[i+1][j].add(items[i].mul(w.to[i+1][j+1]))
		}
		w.to[i] = row
	}
	w.small = w.total().fits()
	return w
}

// total is the number of architectures of the subset and all below it.
func (w *ways) total() number { return w.to[0][0] }

// split undoes ways: it reads completion r as a set of items and calls below
// with the rank in each taken item's group.
func (w *ways) split(r uint64, below func(item int, rank uint64)) (set int64) {
	j := 0
	for i, n := range w.items {
		rest := w.to[i+1][j+1].word
		taken := n.word * rest
		if r >= taken {
			r -= taken
			continue
		}
		set |= 1 << i
		if below != nil {
			below(i, r/rest)
		}
		r %= rest
		j++
	}
	return set
}

// splitBig is split for any size. It overwrites r.
func (w *ways) splitBig(r *big.Int, below func(item int, rank *big.Int)) (set int64) {
	j := 0
	for i, n := range w.items {
		rest := w.to[i+1][j+1]
		taken := n.mul(rest).view()
		if r.Cmp(taken) >= 0 {
			r.Sub(r, taken)
			continue
		}
		set |= 1 << i
		rank, left := new(big.Int).QuoRem(r, rest.view(), new(big.Int))
		if below != nil {
			below(i, rank)
		}
		r.Set(left)
		j++
	}
	return set
}

// join is the inverse of split.
func (w *ways) join(set int64, below func(item int) number) number {
	var r number
	j := 0
	for i, n := range w.items {
		rest := w.to[i+1][j+1]
		if set>>i&1 == 0 {
			r = r.add(n.mul(rest))
			continue
		}
		r = r.add(below(i).mul(rest))
		j++
	}
	return r
}

// pick draws a set with a probability proportional to its completions.
func (w *ways) pick(rng *rand.Rand) int64 {
	if w.small {
		return w.split(rng.Uint64N(w.total().word), nil)
	}
	return w.splitBig(below(rng, w.total().big), nil)
}

// weights draws an alternative with a probability proportional to the number
// of architectures below it, exactly.
type weights struct {
	n    int
	ends []number // running sums of the reduced weights; nil when all are equal
}

func newWeights(sizes []number) weights {
	w := weights{n: len(sizes)}
	equal := true
	for _, n := range sizes {
		equal = equal && n.cmp(sizes[0]) == 0
	}
	if equal {
		return w
	}
	var sum number
	for _, n := range reduce(sizes) {
		sum = sum.add(n)
		w.ends = append(w.ends, sum)
	}
	return w
}

func (w weights) pick(rng *rand.Rand) int64 {
	if w.ends == nil {
		return int64(rng.Uint64N(uint64(w.n)))
	}
	total := w.ends[w.n-1]
	if total.fits() {
		return int64(search(w.ends, number{word: rng.Uint64N(total.word)}))
	}
	return int64(search(w.ends, fromBig(below(rng, total.big))))
}

// search returns the first i with r < ends[i].
func search(ends []number, r number) int {
	lo, hi := 0, len(ends)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if r.cmp(ends[mid]) < 0 {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// below draws a uniform integer of [0, n) by rejection, without bias.
func below(rng *rand.Rand, n *big.Int) *big.Int {
	length := n.BitLen()
	buf := make([]byte, (length+63)/64*8)
	drop := uint(len(buf)*8 - length)
	r := new(big.Int)
	for {
		for i := 0; i < len(buf); i += 8 {
			w := rng.Uint64()
			for k := range 8 {
				buf[i+k] = byte(w >> (8 * k))
			}
		}
		r.SetBytes(buf)
		r.Rsh(r, drop)
		if r.Cmp(n) < 0 {
			return r
		}
	}
}
