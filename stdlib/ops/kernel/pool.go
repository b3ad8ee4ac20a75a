package kernel

import "math"

// Pool is the geometry of a square pooling window, as in [Conv]. What lies
// outside of the image takes no part.
type Pool struct {
	Planes, H, W, OH, OW int
	Kernel, Stride, Pad  int

	// CountPadding makes a mean divide by all pixels of a window, those outside of
	// the image, which are zero, included.
	CountPadding bool
}

// dense is one plane with stride 1; a window is a filter whose taps are all one.
func (g Pool) dense() Conv {
	return Conv{B: 1, C: 1, H: g.H, W: g.W, K: 1,
		OH: (g.OH-1)*g.Stride + 1, OW: (g.OW-1)*g.Stride + 1,
		Kernel: g.Kernel, Stride: 1, Dilation: 1, Groups: 1, Pad: g.Pad}
}

const planesPerTask = 16

// each runs f over tasks of a few planes.
func (g Pool) each(ws *Workers, f func(worker, first, end int)) {
	ws.Run((g.Planes+planesPerTask-1)/planesPerTask, func(worker, task int) {
		f(worker, task*planesPerTask, min(g.Planes, (task+1)*planesPerTask))
	})
}

// MaxPool writes the maximum of every window.
func MaxPool[T Float](ws *Workers, g Pool, x, y []T) {
	lay := ws.layout(g.dense())
	pitch := roundUp(lay.pixels, cols)
	g.each(ws, func(worker, first, end int) {
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		tops := buffer[T](ws, worker, slotOutput, pitch)
		fill(padded, T(math.Inf(-1)))
		for p := first; p < end; p++ {
			place(lay, padded, x[p*g.H*g.W:])
			highest(tops, padded, lay.off)
			sample(y[p*g.OH*g.OW:], tops, lay.width, g)
		}
	})
}

// MaxPoolGrad gives the gradient of every window to the first of its pixels that
// has the maximum.
func MaxPoolGrad[T Float](ws *Workers, g Pool, x, y, dy, dx []T) {
	lay := ws.layout(g.dense())
	pitch := roundUp(lay.pixels, cols)
	in, out := g.H*g.W, g.OH*g.OW
	g.each(ws, func(worker, first, end int) {
		size := lay.inputSize(1)
		padded := buffer[T](ws, worker, slotInput, 2*size)
		padded, sums := padded[:size], padded[size:]
		tops := buffer[T](ws, worker, slotOutput, 2*pitch)
		tops, grads := tops[:pitch], tops[pitch:]
		fill(padded, T(math.Inf(-1)))
		clear(tops)
		clear(grads)
		for p := first; p < end; p++ {
			place(lay, padded, x[p*in:])
			spread(tops, lay.width, g.OH, g.OW, g.Stride, y[p*out:])
			spread(grads, lay.width, g.OH, g.OW, g.Stride, dy[p*out:])
			clear(sums)
			// Whoever takes a gradient leaves zero for the taps that follow.
			for _, o := range lay.off {
				award(tops, grads, padded[o:], sums[o:])
			}
			middle := sums[lay.first():]
			for r := range g.H {
				copy(dx[p*in+r*g.W:][:g.W], middle[r*lay.width:])
			}
		}
	})
}

// AvgPool writes the mean of every window.
func AvgPool[T Float](ws *Workers, g Pool, x, y []T) {
	lay := ws.layout(g.dense())
	pitch := roundUp(lay.pixels, cols)
	shares := windowShares[T](ws, g)
	g.each(ws, func(worker, first, end int) {
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		sums := buffer[T](ws, worker, slotOutput, pitch)
		clear(padded)
		for p := first; p < end; p++ {
			place(lay, padded, x[p*g.H*g.W:])
			total(sums, padded, lay.off)
			out := y[p*g.OH*g.OW:][:g.OH*g.OW]
			sample(out, sums, lay.width, g)
			for i, f := range shares {
				out[i] *= f
			}
		}
	})
}

// AvgPoolGrad spreads the gradient of every window evenly over its pixels.
func AvgPoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	back := g.dense()
	back.H, back.W, back.OH, back.OW, back.Pad = back.OH, back.OW, g.H, g.W, back.reach()-g.Pad
	lay := ws.layout(back)
	pitch := roundUp(lay.pixels, cols)
	shares := windowShares[T](ws, g)
	out := g.OH * g.OW
	g.each(ws, func(worker, first, end int) {
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		sums := buffer[T](ws, worker, slotOutput, pitch)
		line := buffer[T](ws, worker, slotColumns, out)
		clear(padded)
		for p := first; p < end; p++ {
			for i, f := range shares {
				line[i] = dy[p*out+i] * f
			}
			spread(padded[lay.first():], lay.width, g.OH, g.OW, g.Stride, line)
			total(sums, padded, lay.off)
			gather(lay, dx[p*g.H*g.W:][:g.H*g.W], sums)
		}
	})
}

// windowShares is one over the number of pixels that count in every window.
func windowShares[T Float](ws *Workers, g Pool) []T {
	s := buffer[T](ws, 0, slotWeights, g.OH*g.OW)
	inside := func(o, size int) int {
		return min(o*g.Stride-g.Pad+g.Kernel, size) - max(o*g.Stride-g.Pad, 0)
	}
	if g.CountPadding {
		fill(s, 1/T(g.Kernel*g.Kernel))
		return s
	}
	for i := range s {
		s[i] = 1 / T(inside(i/g.OW, g.H)*inside(i%g.OW, g.W))
	}
	return s
}

// sample takes every Stride-th result out of a dense one.
func sample[T Float](dst, src []T, width int, g Pool) {
	for oy := range g.OH {
		row := src[oy*g.Stride*width:]
		if g.Stride == 1 {
			copy(dst[oy*g.OW:][:g.OW], row)
			continue
		}
		for ox := range g.OW {
			dst[oy*g.OW+ox] = row[ox*g.Stride]
		}
	}
}

func fill[T Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}
