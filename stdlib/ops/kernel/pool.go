package kernel

// Pool is the geometry of a square pooling window, as in [Conv]. What lies
// outside of the image takes no part.
type Pool struct {
	Planes, H, W, OH, OW int
	Kernel, Stride, Pad  int
}

// window is the half-open range of input positions under output position o.
func (g Pool) window(o, size int) (lo, hi int) {
	lo = o*g.Stride - g.Pad
	return max(lo, 0), min(lo+g.Kernel, size)
}

func (g Pool) tasks() int { return (g.Planes + planesPerTask - 1) / planesPerTask }

const planesPerTask = 16

// each runs f over the planes.
func (g Pool) each(ws *Workers, f func(worker, plane int)) {
	ws.Run(g.tasks(), func(worker, task int) {
		for p := task * planesPerTask; p < min(g.Planes, (task+1)*planesPerTask); p++ {
			f(worker, p)
		}
	})
}

// MaxPool writes the maximum of every window.
func MaxPool[T Float](ws *Workers, g Pool, x, y []T) {
	g.each(ws, func(_, p int) {
		in, out := x[p*g.H*g.W:][:g.H*g.W], y[p*g.OH*g.OW:][:g.OH*g.OW]
		for oy := range g.OH {
			y0, y1 := g.window(oy, g.H)
			for ox := range g.OW {
				x0, x1 := g.window(ox, g.W)
				m := in[y0*g.W+x0]
				for r := y0; r < y1; r++ {
					for _, v := range in[r*g.W+x0 : r*g.W+x1] {
						if v > m {
							m = v
						}
					}
				}
				out[oy*g.OW+ox] = m
			}
		}
	})
}

// MaxPoolGrad gives the gradient of every window to the first of its pixels that
// has the maximum.
func MaxPoolGrad[T Float](ws *Workers, g Pool, x, y, dy, dx []T) {
	g.each(ws, func(_, p int) {
		in, out := x[p*g.H*g.W:][:g.H*g.W], y[p*g.OH*g.OW:][:g.OH*g.OW]
		grad, din := dy[p*g.OH*g.OW:][:g.OH*g.OW], dx[p*g.H*g.W:][:g.H*g.W]
		clear(din)
		for oy := range g.OH {
			y0, y1 := g.window(oy, g.H)
			for ox := range g.OW {
				x0, x1 := g.window(ox, g.W)
				m := out[oy*g.OW+ox]
			search:
				for r := y0; r < y1; r++ {
					for i := r*g.W + x0; i < r*g.W+x1; i++ {
						if in[i] == m {
							din[i] += grad[oy*g.OW+ox]
							break search
						}
					}
				}
			}
		}
	})
}

// AvgPool writes the mean of every window over the pixels inside of the image.
func AvgPool[T Float](ws *Workers, g Pool, x, y []T) {
	g.each(ws, func(worker, p int) {
		in, out := x[p*g.H*g.W:][:g.H*g.W], y[p*g.OH*g.OW:][:g.OH*g.OW]
		line := buffer[T](ws, worker, slotInput, g.W)
		for oy := range g.OH {
			y0, y1 := g.window(oy, g.H)
			copy(line, in[y0*g.W:])
			for r := y0 + 1; r < y1; r++ {
				add(line, line, in[r*g.W:][:g.W])
			}
			for ox := range g.OW {
				x0, x1 := g.window(ox, g.W)
				var s T
				for _, v := range line[x0:x1] {
					s += v
				}
				out[oy*g.OW+ox] = s / T((y1-y0)*(x1-x0))
			}
		}
	})
}

// AvgPoolGrad spreads the gradient of every window evenly over its pixels.
func AvgPoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	g.each(ws, func(worker, p int) {
		grad, din := dy[p*g.OH*g.OW:][:g.OH*g.OW], dx[p*g.H*g.W:][:g.H*g.W]
		line := buffer[T](ws, worker, slotInput, g.W)
		clear(din)
		for oy := range g.OH {
			y0, y1 := g.window(oy, g.H)
			clear(line)
			for ox := range g.OW {
				x0, x1 := g.window(ox, g.W)
				v := grad[oy*g.OW+ox] / T((y1-y0)*(x1-x0))
				for i := x0; i < x1; i++ {
					line[i] += v
				}
			}
			for r := y0; r < y1; r++ {
				row := din[r*g.W:][:g.W]
				add(row, row, line)
			}
		}
	})
}
