package kernel

// Adaptive pooling divides a plane of HxW pixels evenly into OHxOW windows: window
// i begins at pixel floor(i*H/OH) and ends before ceil((i+1)*H/OH), so that
// neighbours may share a pixel.

// window is the pixels of window i of n over size pixels.
func window(i, n, size int) (from, to int) { return i * size / n, ((i+1)*size + n - 1) / n }

// AdaptivePool writes the mean of every window; only the sizes of g are read.
func AdaptivePool[T Float](ws *Workers, g Pool, x, y []T) {
	inGroups(ws, g.Planes, func(p int) {
		x, y := x[p*g.H*g.W:][:g.H*g.W], y[p*g.OH*g.OW:][:g.OH*g.OW]
		for i := range y {
			y0, y1 := window(i/g.OW, g.OH, g.H)
			x0, x1 := window(i%g.OW, g.OW, g.W)
			var s T
			for r := y0; r < y1; r++ {
				s += sum(x[r*g.W+x0 : r*g.W+x1])
			}
			y[i] = s / T((y1-y0)*(x1-x0))
		}
	})
}

// AdaptivePoolGrad spreads the gradient of every window evenly over its pixels.
func AdaptivePoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	inGroups(ws, g.Planes, func(p int) {
		dx := dx[p*g.H*g.W:][:g.H*g.W]
		clear(dx)
		for i, v := range dy[p*g.OH*g.OW:][:g.OH*g.OW] {
			y0, y1 := window(i/g.OW, g.OH, g.H)
			x0, x1 := window(i%g.OW, g.OW, g.W)
			v /= T((y1 - y0) * (x1 - x0))
			for r := y0; r < y1; r++ {
				for c := x0; c < x1; c++ {
					dx[r*g.W+c] += v
				}
			}
		}
	})
}
