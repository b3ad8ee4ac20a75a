package kernel

// Loops over the pixels of maps, each a row of c channels.

// parts divides n pixels of c channels into tasks of so many pixels.
func parts(n, c int) (tasks, size int) {
	size = max(portion(n*c)/c, 1)
	return (n + size - 1) / size, size
}

// reduction adds up numbers over n pixels of c channels: each task writes its sums,
// width of them, and total adds these up in order.
type reduction[T Float] struct {
	partial               []T
	n, tasks, size, width int
}

func newReduction[T Float](ws *Workers, n, c, width int) reduction[T] {
	tasks, size := parts(n, c)
	return reduction[T]{buffer[T](ws, 0, slotPartial, tasks*width), n, tasks, size, width}
}

// part is the pixels of a task and its sums, all zero.
func (r reduction[T]) part(task int) (lo, hi int, sums []T) {
	sums = r.partial[task*r.width:][:r.width]
	clear(sums)
	return task * r.size, min(r.n, (task+1)*r.size), sums
}

// total is in scratch memory.
func (r reduction[T]) total(ws *Workers) []float64 {
	totals := buffer[float64](ws, 0, slotTotals, r.width)
	clear(totals)
	for at := 0; at < len(r.partial); at += r.width {
		for i, v := range r.partial[at:][:r.width] {
			totals[i] += float64(v)
		}
	}
	return totals
}

// Bias sets y = x + bias of the channel.
func Bias[T Float](ws *Workers, n, c int, x, bias, y []T) {
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		for p := lo; p < hi; p++ {
			add(y[p*c:][:c], x[p*c:][:c], bias)
		}
	})
}

// BiasGrad sums dy over everything but the channels.
func BiasGrad[T Float](ws *Workers, n, c int, dy, db []T) {
	r := newReduction[T](ws, n, c, c)
	ws.Run(r.tasks, func(_, i int) {
		lo, hi, sums := r.part(i)
		sumRows(hi-lo, c, Channels[T]{dy[lo*c:], c}, sums)
	})
	totals := r.total(ws)
	for i, v := range totals {
		db[i] = T(v)
	}
}

// Gate multiplies every channel of each of b images by its factor.
func Gate[T Float](ws *Workers, b, area, c int, x, factors, y []T) {
	tasks, size := parts(b*area, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(b*area, (i+1)*size)
		for p := lo; p < hi; p++ {
			multiplied(y[p*c:][:c], x[p*c:][:c], factors[p/area*c:][:c])
		}
	})
}

// GateGrad is the gradient of the factors.
func GateGrad[T Float](ws *Workers, b, area, c int, x, dy, dfactors []T) {
	ws.Run(b, func(_, i int) {
		sums := dfactors[i*c:][:c]
		clear(sums)
		for p := i * area; p < (i+1)*area; p++ {
			x := x[p*c:][:c]
			for j, v := range dy[p*c:][:c] {
				sums[j] += v * x[j]
			}
		}
	})
}

// GlobalPool sets y (B,C) to the means over the pixels of x (B,C,H,W).
func GlobalPool[T Float](ws *Workers, b, area, c int, x, y []T) {
	ws.Run(b, func(_, i int) {
		sums := y[i*c:][:c]
		clear(sums)
		sumRows(area, c, Channels[T]{x[i*area*c:], c}, sums)
		affine(sums, sums, T(1/float64(area)), 0)
	})
}

// GlobalPoolGrad spreads dy (B,C) evenly over the pixels of dx (B,C,H,W).
func GlobalPoolGrad[T Float](ws *Workers, b, area, c int, dy, dx []T) {
	ws.Run(b, func(_, i int) {
		first := dx[i*area*c:][:c]
		affine(first, dy[i*c:][:c], T(1/float64(area)), 0)
		for p := i*area + 1; p < (i+1)*area; p++ {
			copy(dx[p*c:][:c], first)
		}
	})
}

// Pick copies the channels chosen out of n pixels of c channels.
func Pick[T Float](ws *Workers, n, c int, chosen []int, x, y []T) {
	k := len(chosen)
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		for p := lo; p < hi; p++ {
			x, y := x[p*c:][:c], y[p*k:][:k]
			for i, ch := range chosen {
				y[i] = x[ch]
			}
		}
	})
}

// Put is the transpose of Pick for channels that are chosen once at most: it writes
// them back to their places and zeros elsewhere.
func Put[T Float](ws *Workers, n, c int, chosen []int, y, x []T) {
	k := len(chosen)
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		if k < c {
			clear(x[lo*c : hi*c])
		}
		for p := lo; p < hi; p++ {
			x, y := x[p*c:][:c], y[p*k:][:k]
			for i, ch := range chosen {
				x[ch] = y[i]
			}
		}
	})
}

// Channels is a range of the channels of pixels in memory: element i of pixel p is
// at Data[p*Pitch+i].
type Channels[T Float] struct {
	Data  []T
	Pitch int
}

// Copy writes c channels of n pixels to another place.
func Copy[T Float](ws *Workers, n, c int, from, to Channels[T]) {
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		for p := lo; p < hi; p++ {
			copy(to.Data[p*to.Pitch:][:c], from.Data[p*from.Pitch:])
		}
	})
}

// Clear makes c channels of n pixels zero.
func Clear[T Float](ws *Workers, n, c int, x Channels[T]) {
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		clearPixels(x.Data[lo*x.Pitch:], x.Pitch, hi-lo, c)
	})
}

// Unfold writes, for every channel and tap, the map as that tap sees it; OH and OW
// are H and W.
func Unfold[T Float](ws *Workers, g Conv, x, y []T) {
	kk := g.window()
	tasks, size := parts(g.B*g.H*g.W, g.C*kk)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(g.B*g.H*g.W, (i+1)*size)
		for p := lo; p < hi; p++ {
			out := y[p*g.C*kk:][:g.C*kk]
			g.underTaps(p, func(tap, q int) {
				for c := range g.C {
					if q < 0 {
						out[c*kk+tap] = 0
					} else {
						out[c*kk+tap] = x[q*g.C+c]
					}
				}
			})
		}
	})
}

// Fold is the transpose of Unfold: it adds every value to the pixel it came from.
func Fold[T Float](ws *Workers, g Conv, dy, dx []T) {
	kk, area := g.window(), g.H*g.W
	ws.Run(g.B, func(_, b int) {
		clear(dx[b*area*g.C:][:area*g.C])
		for p := b * area; p < (b+1)*area; p++ {
			from := dy[p*g.C*kk:][:g.C*kk]
			g.underTaps(p, func(tap, q int) {
				if q < 0 {
					return
				}
				for c := range g.C {
					dx[q*g.C+c] += from[c*kk+tap]
				}
			})
		}
	})
}

// underTaps calls f with every tap of the window at pixel p of the batch and the
// pixel under it, -1 outside of the image.
func (g Conv) underTaps(p int, f func(tap, q int)) {
	b, y, x := p/(g.H*g.W), p/g.W%g.H, p%g.W
	for tap := range g.window() {
		iy, ix := y+tap/g.Kernel*g.Dilation-g.above(), x+tap%g.Kernel*g.Dilation-g.Pad
		q := (b*g.H+iy)*g.W + ix
		if iy < 0 || iy >= g.H || ix < 0 || ix >= g.W {
			q = -1
		}
		f(tap, q)
	}
}
