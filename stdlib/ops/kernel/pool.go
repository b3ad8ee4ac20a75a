package kernel

// Pool is the geometry of a square pooling window over maps (B,C,H,W), as in
// [Conv]. What lies outside of the image takes no part. A pitch is how far apart
// pixels lie in memory; 0 means C.
type Pool struct {
	B, C, H, W, OH, OW  int
	Kernel, Stride, Pad int
	XPitch, YPitch      int

	// CountPadding makes a mean divide by all pixels of a window, those outside of
	// the image, which are zero, included.
	CountPadding bool
}

// pitches are those of the input and of the output.
func (g Pool) pitches() (x, y int) {
	x, y = g.XPitch, g.YPitch
	if x == 0 {
		x = g.C
	}
	if y == 0 {
		y = g.C
	}
	return x, y
}

// frame is a range of rows and columns.
type frame struct{ y0, y1, x0, x1 int }

// pixels is how many there are.
func (f frame) pixels() int { return (f.y1 - f.y0) * (f.x1 - f.x0) }

// window is the part of the image that output pixel i, counted row by row, sees,
// and by how many pixels its sum is divided for a mean.
func (g Pool) window(i int) (f frame, count int) {
	y, x := i/g.OW*g.Stride-g.Pad, i%g.OW*g.Stride-g.Pad
	f = frame{max(y, 0), min(y+g.Kernel, g.H), max(x, 0), min(x+g.Kernel, g.W)}
	if g.CountPadding {
		return f, g.Kernel * g.Kernel
	}
	return f, f.pixels()
}

// image is where the input and the output of image b begin.
func (g Pool) image(b int) (x, y int) {
	xp, yp := g.pitches()
	return b * g.H * g.W * xp, b * g.OH * g.OW * yp
}

// clearPixels zeroes c channels of n pixels.
func clearPixels[T Float](x []T, n, c, pitch int) {
	if pitch == c {
		clear(x[:n*c])
		return
	}
	for p := range n {
		clear(x[p*pitch:][:c])
	}
}

// MaxPool writes the maximum of every window.
func MaxPool[T Float](ws *Workers, g Pool, x, y []T) {
	xp, yp := g.pitches()
	ws.Run(g.B, func(_, b int) {
		xi, yi := g.image(b)
		for i := range g.OH * g.OW {
			f, _ := g.window(i)
			out := y[yi+i*yp:][:g.C]
			for r := f.y0; r < f.y1; r++ {
				for c := f.x0; c < f.x1; c++ {
					from := x[xi+(r*g.W+c)*xp:][:g.C]
					if r == f.y0 && c == f.x0 {
						copy(out, from)
						continue
					}
					for k, v := range from {
						out[k] = max(out[k], v)
					}
				}
			}
		}
	})
}

// MaxPoolGrad gives the gradient of every window to the first of its pixels that
// has the maximum.
func MaxPoolGrad[T Float](ws *Workers, g Pool, x, y, dy, dx []T) {
	xp, yp := g.pitches()
	ws.Run(g.B, func(_, b int) {
		xi, yi := g.image(b)
		clearPixels(dx[xi:], g.H*g.W, g.C, xp)
		for i := range g.OH * g.OW {
			f, _ := g.window(i)
			at := yi + i*yp
			for k, top := range y[at:][:g.C] {
			search:
				for r := f.y0; r < f.y1; r++ {
					for c := f.x0; c < f.x1; c++ {
						if q := xi + (r*g.W+c)*xp + k; x[q] == top {
							dx[q] += dy[at+k]
							break search
						}
					}
				}
			}
		}
	})
}

// AvgPool writes the mean of every window.
func AvgPool[T Float](ws *Workers, g Pool, x, y []T) {
	xp, yp := g.pitches()
	ws.Run(g.B, func(_, b int) {
		xi, yi := g.image(b)
		for i := range g.OH * g.OW {
			f, count := g.window(i)
			out := y[yi+i*yp:][:g.C]
			clear(out)
			for r := f.y0; r < f.y1; r++ {
				for c := f.x0; c < f.x1; c++ {
					add(out, out, x[xi+(r*g.W+c)*xp:][:g.C])
				}
			}
			affine(out, out, T(1/float64(count)), 0)
		}
	})
}

// AvgPoolGrad spreads the gradient of every window evenly over its pixels.
func AvgPoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	xp, yp := g.pitches()
	ws.Run(g.B, func(_, b int) {
		xi, yi := g.image(b)
		clearPixels(dx[xi:], g.H*g.W, g.C, xp)
		for i := range g.OH * g.OW {
			f, count := g.window(i)
			share := T(1 / float64(count))
			from := dy[yi+i*yp:][:g.C]
			for r := f.y0; r < f.y1; r++ {
				for c := f.x0; c < f.x1; c++ {
					out := dx[xi+(r*g.W+c)*xp:][:g.C]
					affine2(out, from, out, share, 1, 0)
				}
			}
		}
	})
}
