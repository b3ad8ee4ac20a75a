package kernel

// Batch normalisation (Ioffe and Szegedy 2015) over maps of b images, c channels
// and area pixels, in its parts: the statistics, the normalisation with a scale
// and a shift per channel, and their gradients.

// Moments writes the mean and the biased variance of every channel of x.
func Moments[T Float](ws *Workers, b, c, area int, x, mean, variance []T) {
	n := float64(b * area)
	ws.Run(c, func(_, ch int) {
		var s float64
		for i := range b {
			s += float64(sum(x[(i*c+ch)*area:][:area]))
		}
		m := T(s / n)
		s = 0
		for i := range b {
			s += float64(sumSquares(x[(i*c+ch)*area:][:area], m))
		}
		mean[ch], variance[ch] = m, T(s/n)
	})
}

// Normalize sets y = scale * (x-mean) * inv + shift, per channel; inv is one over
// the standard deviation.
func Normalize[T Float](ws *Workers, b, c, area int, x, mean, inv, scale, shift, y []T) {
	ws.Run(b, func(_, i int) {
		for ch := range c {
			p := (i*c + ch) * area
			a := scale[ch] * inv[ch]
			affine(y[p:][:area], x[p:][:area], a, shift[ch]-a*mean[ch])
		}
	})
}

// NormalizeGradParams writes the gradients of shift and scale.
func NormalizeGradParams[T Float](ws *Workers, b, c, area int, x, mean, inv, dy, dshift, dscale []T) {
	ws.Run(c, func(_, ch int) {
		var s, p float64
		for i := range b {
			at := (i*c + ch) * area
			a, q := sumProduct(dy[at:][:area], x[at:][:area], mean[ch])
			s += float64(a)
			p += float64(q)
		}
		dshift[ch], dscale[ch] = T(s), T(p)*inv[ch]
	})
}

// NormalizeGradInput writes the gradient of x, also through the statistics.
func NormalizeGradInput[T Float](ws *Workers, b, c, area int, x, mean, inv, scale, dshift, dscale, dy, dx []T) {
	n := T(b * area)
	ws.Run(b, func(_, i int) {
		for ch := range c {
			p := (i*c + ch) * area
			a := scale[ch] * inv[ch]
			k := -a * inv[ch] * dscale[ch] / n
			affine2(dx[p:][:area], dy[p:][:area], x[p:][:area], a, k, -a*dshift[ch]/n-k*mean[ch])
		}
	})
}
