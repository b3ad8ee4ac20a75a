package count

import (
	"math/bits"
	"slices"
)

// distribution is how often each value of a sum occurs: values ascending, and for
// each a count of width words, least significant first. None may be written to once
// it is made. An empty one is impossible.
type distribution struct {
	values []int64
	counts []uint64
}

// adder makes distributions, with counts of width words and values up to limit;
// what is larger is dropped. It gives up after too much work.
type adder struct {
	width int
	limit int64
	steps int
	over  bool
}

// maxSpan bounds the values of one distribution, one apart.
const maxSpan = 1 << 22

// maxPairs bounds the sums of values that lie far apart.
const maxPairs = 1 << 23

// one is a single value that occurs n times.
func (a *adder) one(value int64, n uint64) distribution {
	if value > a.limit || n == 0 {
		return distribution{}
	}
	d := distribution{values: []int64{value}, counts: make([]uint64, a.width)}
	d.counts[0] = n
	return d
}

func (d distribution) isZero() bool { return len(d.values) == 0 }

// isUnit reports whether d is the value 0, once.
func (d distribution) isUnit() bool {
	if len(d.values) != 1 || d.values[0] != 0 || d.counts[0] != 1 {
		return false
	}
	for _, w := range d.counts[1:] {
		if w != 0 {
			return false
		}
	}
	return true
}

// sum is the distribution of either of two.
func (a *adder) sum(x, y distribution) distribution {
	switch {
	case x.isZero():
		return y
	case y.isZero():
		return x
	}
	w := a.width
	a.work(len(x.values) + len(y.values))
	out := distribution{
		values: make([]int64, 0, len(x.values)+len(y.values)),
		counts: make([]uint64, 0, len(x.counts)+len(y.counts)),
	}
	i, j := 0, 0
	for i < len(x.values) || j < len(y.values) {
		switch {
		case j == len(y.values) || i < len(x.values) && x.values[i] < y.values[j]:
			out.values = append(out.values, x.values[i])
			out.counts = append(out.counts, x.counts[i*w:i*w+w]...)
			i++
		case i == len(x.values) || y.values[j] < x.values[i]:
			out.values = append(out.values, y.values[j])
			out.counts = append(out.counts, y.counts[j*w:j*w+w]...)
			j++
		default:
			out.values = append(out.values, x.values[i])
			var carry uint64
			for k := range w {
				var s uint64
				s, carry = bits.Add64(x.counts[i*w+k], y.counts[j*w+k], carry)
				out.counts = append(out.counts, s)
			}
			i++
			j++
		}
	}
	return out
}

// product is the distribution of the sum of two independent values. The counts of
// the smaller one must fit in a word.
func (a *adder) product(x, y distribution) distribution {
	if len(x.values) < len(y.values) || len(x.values) == len(y.values) && !a.small(y) {
		x, y = y, x
	}
	switch {
	case y.isZero():
		return distribution{}
	case y.isUnit():
		return x
	case !a.small(y):
		a.over = true
		return distribution{}
	}
	low := x.values[0] + y.values[0]
	span := min(x.values[len(x.values)-1]+y.values[len(y.values)-1], a.limit) - low + 1
	if span <= 0 {
		return distribution{}
	}
	pairs := len(x.values) * len(y.values)
	if a.work(pairs * a.width); a.over {
		return distribution{}
	}
	if span <= maxSpan && span <= int64(8*pairs) {
		a.work(int(span))
		return a.dense(x, y, low, int(span))
	}
	if pairs > maxPairs {
		a.over = true
		return distribution{}
	}
	return a.sparse(x, y)
}

func (a *adder) small(d distribution) bool {
	for i := 0; i < len(d.counts); i += a.width {
		for _, w := range d.counts[i+1 : i+a.width] {
			if w != 0 {
				return false
			}
		}
	}
	return true
}

func (a *adder) work(n int) {
	a.steps += n
	a.over = a.over || a.steps > maxSums
}

// dense adds into one cell for each value there may be.
func (a *adder) dense(x, y distribution, low int64, span int) distribution {
	w := a.width
	cells := make([]uint64, span*w)
	for j, dy := range y.values {
		n := y.counts[j*w]
		for i, dx := range x.values {
			at := int(dx + dy - low)
			if at >= span {
				break
			}
			switch w {
			case 1:
				cells[at] += x.counts[i] * n
			case 2:
				c, k := cells[2*at:2*at+2], x.counts[2*i:2*i+2]
				hi, lo := bits.Mul64(k[0], n)
				var carry uint64
				c[0], carry = bits.Add64(c[0], lo, 0)
				c[1] += k[1]*n + hi + carry
			default:
				accumulate(cells[at*w:at*w+w], x.counts[i*w:i*w+w], n)
			}
		}
	}
	size := 0
	for i := range span {
		if nonzero(cells[i*w : i*w+w]) {
			size++
		}
	}
	out := distribution{values: make([]int64, 0, size), counts: make([]uint64, 0, size*w)}
	for i := range span {
		if c := cells[i*w : i*w+w]; nonzero(c) {
			out.values = append(out.values, low+int64(i))
			out.counts = append(out.counts, c...)
		}
	}
	return out
}

func nonzero(c []uint64) bool {
	for _, w := range c {
		if w != 0 {
			return true
		}
	}
	return false
}

// accumulate adds n times x to sum.
func accumulate(sum, x []uint64, n uint64) {
	var carry uint64
	for k, w := range x {
		hi, lo := bits.Mul64(w, n)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		sum[k], c = bits.Add64(sum[k], lo, 0)
		carry = hi + c
	}
}

// sparse adds values that lie far apart.
func (a *adder) sparse(x, y distribution) distribution {
	w := a.width
	type pair struct {
		value int64
		i, j  int32
	}
	all := make([]pair, 0, len(x.values)*len(y.values))
	for j, dy := range y.values {
		for i, dx := range x.values {
			if dx+dy > a.limit {
				break
			}
			all = append(all, pair{dx + dy, int32(i), int32(j)})
		}
	}
	slices.SortFunc(all, func(p, q pair) int {
		if p.value < q.value {
			return -1
		}
		if p.value > q.value {
			return 1
		}
		return 0
	})
	a.work(32 * len(all)) // sorting them is most of it
	var out distribution
	for _, p := range all {
		if n := len(out.values); n == 0 || out.values[n-1] != p.value {
			out.values = append(out.values, p.value)
			out.counts = append(out.counts, make([]uint64, w)...)
		}
		i := int(p.i) * w
		accumulate(out.counts[len(out.counts)-w:], x.counts[i:i+w], y.counts[int(p.j)*w])
	}
	return out
}
