package kernel

// Adaptive pooling divides a map of HxW pixels evenly into OHxOW windows: window
// i begins at pixel floor(i*H/OH) and ends before ceil((i+1)*H/OH), so that
// neighbours may share a pixel.

// window is the pixels of window i of n over size pixels.
func window(i, n, size int) (from, to int) { return i * size / n, ((i+1)*size + n - 1) / n }

// AdaptivePool writes the mean of every window; only the sizes of g are read.
func AdaptivePool[T Float](ws *Workers, g Pool, x, y []T) {
	ws.Run(g.B, func(_, b int) {
		for i := range g.OH * g.OW {
			out := y[(b*g.OH*g.OW+i)*g.C:][:g.C]
			clear(out)
			n := 0
			for _, q := range g.adaptive(b, i) {
				add(out, out, x[q*g.C:][:g.C])
				n++
			}
			affine(out, out, T(1/float64(n)), 0)
		}
	})
}

// AdaptivePoolGrad spreads the gradient of every window evenly over its pixels.
func AdaptivePoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	ws.Run(g.B, func(_, b int) {
		clear(dx[b*g.H*g.W*g.C:][:g.H*g.W*g.C])
		for i := range g.OH * g.OW {
			from := dy[(b*g.OH*g.OW+i)*g.C:][:g.C]
			for n, q := range g.adaptive(b, i) {
				out := dx[q*g.C:][:g.C]
				for c, v := range from {
					out[c] += v / T(n)
				}
			}
		}
	})
}

// adaptive yields the number of pixels of window i of image b with each of them.
func (g Pool) adaptive(b, i int) func(yield func(n, q int) bool) {
	y0, y1 := window(i/g.OW, g.OH, g.H)
	x0, x1 := window(i%g.OW, g.OW, g.W)
	return func(yield func(n, q int) bool) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				if !yield((y1-y0)*(x1-x0), (b*g.H+y)*g.W+x) {
					return
				}
			}
		}
	}
}
