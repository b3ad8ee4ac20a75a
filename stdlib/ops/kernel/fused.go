package kernel

// Loops that do in one pass over memory what several operations would do in one
// each. All of them go over tiles of pixels that stay in the first cache.

// inWork is how many numbers are in work at a time.
const inWork = 1 << 11

// tiles runs f over the pixels from lo to hi, a tile of c channels at a time.
func tiles(lo, hi, c int, f func(p, n int)) {
	size := max(inWork/c, 1)
	for p := lo; p < hi; p += size {
		f(p, min(size, hi-p))
	}
}

// at is the channels from pixel p on.
func (m Channels[T]) at(p int) Channels[T] { return Channels[T]{m.Data[p*m.Pitch:], m.Pitch} }

// Term is an addend of a [Combination].
type Term[T Float] struct {
	X      Channels[T]
	Factor []T  // per channel
	Masked bool // counts only where the mask is positive
}

// Combination is a sum of terms, each times a factor per channel, and a constant per
// channel, which is zero if terms are masked, over n pixels of c channels. It may be wanted as it is and rectified;
// places without data are not written.
type Combination[T Float] struct {
	N, C         int
	Terms        []Term[T]
	Constant     []T
	Mask         Channels[T]
	Y, Rectified Channels[T]
}

// Combine computes a combination. Y may take the place of the first term, or of the
// first masked one if there is one.
func Combine[T Float](ws *Workers, g *Combination[T]) {
	tasks, size := parts(g.N, g.C)
	ws.Run(tasks, func(_, i int) {
		tiles(i*size, min(g.N, (i+1)*size), g.C, g.tile)
	})
}

func (g *Combination[T]) tile(p, n int) {
	to := g.Y
	if to.Data == nil {
		to = g.Rectified
	}
	y := to.at(p)
	begun := false
	for _, masked := range [2]bool{true, false} {
		for _, t := range g.Terms {
			switch {
			case t.Masked != masked:
			case !begun:
				setRows(n, g.C, y, t.X.at(p), t.Factor, g.Constant)
				begun = true
			default:
				addRows(n, g.C, y, t.X.at(p), t.Factor)
			}
		}
		if masked && begun {
			maskRows(n, g.C, y, g.Mask.at(p))
		}
	}
	if !begun {
		for q := range n {
			row := y.Data[q*y.Pitch:][:g.C]
			copy(row, g.Constant)
		}
	}
	if g.Rectified.Data != nil {
		rectifyRows(n, g.C, g.Rectified.at(p), y)
	}
}

// ProductSums adds up over n pixels, per channel, dy and for every x the product of
// dy and x less its mean: len(xs)+1 rows of c sums in scratch memory.
func ProductSums[T Float](ws *Workers, n, c int, dy Channels[T], xs []Channels[T], means [][]T) []float64 {
	r := newReduction[T](ws, n, c, (len(xs)+1)*c)
	ws.Run(r.tasks, func(_, i int) {
		lo, hi, sums := r.part(i)
		tiles(lo, hi, c, func(p, n int) {
			sumRows(n, c, dy.at(p), sums)
			for j, x := range xs {
				productRows(n, c, dy.at(p), x.at(p), means[j], sums[(j+1)*c:])
			}
		})
	})
	return r.total(ws)
}

// Spread is one result of [SpreadOut]: Y = P*dy + Q*X + R, per channel.
type Spread[T Float] struct {
	X, Y    Channels[T]
	P, Q, R []T
}

// SpreadOut computes several results from dy over n pixels of c channels. Each may
// take the place of its X.
func SpreadOut[T Float](ws *Workers, n, c int, dy Channels[T], all []Spread[T]) {
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		tiles(i*size, min(n, (i+1)*size), c, func(p, n int) {
			for _, s := range all {
				mixRows(n, c, s.Y.at(p), dy.at(p), s.X.at(p), s.P, s.Q, s.R)
			}
		})
	})
}
