package kernel

import "math"

// Layer normalisation (Ba, Kiros and Hinton 2016) over the c channels of each of n
// pixels.

// LayerMoments writes, per pixel, the mean and the inverse of the standard
// deviation, (n,2).
func LayerMoments[T Float](ws *Workers, n, c int, epsilon float64, x, stats []T) {
	inRows(ws, n, c, func(_, p int) {
		x := x[p*c:][:c]
		mean := sum(x) / T(c)
		variance := float64(sumSquares(x, mean)) / float64(c)
		stats[2*p], stats[2*p+1] = mean, T(1/math.Sqrt(variance+epsilon))
	})
}

// LayerNorm sets y = scale * (x-mean) * inv + shift, with a scale and a shift per
// channel.
func LayerNorm[T Float](ws *Workers, n, c int, x, stats, scale, shift, y []T) {
	inRows(ws, n, c, func(_, p int) {
		mean, inv, out := stats[2*p], stats[2*p+1], y[p*c:][:c]
		for i, v := range x[p*c:][:c] {
			out[i] = scale[i]*(v-mean)*inv + shift[i]
		}
	})
}

// LayerNormGradParams writes the gradients of scale and shift.
func LayerNormGradParams[T Float](ws *Workers, n, c int, x, stats, dy, dscale, dshift []T) {
	r := newReduction[T](ws, n, c, 2*c)
	ws.Run(r.tasks, func(_, i int) {
		lo, hi, sums := r.part(i)
		plain, product := sums[:c], sums[c:]
		for p := lo; p < hi; p++ {
			mean, inv, x := stats[2*p], stats[2*p+1], x[p*c:][:c]
			for i, g := range dy[p*c:][:c] {
				plain[i] += g
				product[i] += g * (x[i] - mean) * inv
			}
		}
	})
	totals := r.total(ws)
	for i := range c {
		dshift[i], dscale[i] = T(totals[i]), T(totals[c+i])
	}
}

// LayerNormGradInput writes the gradient of x, also through the statistics.
func LayerNormGradInput[T Float](ws *Workers, n, c int, x, stats, scale, dy, dx []T) {
	inRows(ws, n, c, func(_, p int) {
		mean, inv, x, dy, out := stats[2*p], stats[2*p+1], x[p*c:][:c], dy[p*c:][:c], dx[p*c:][:c]
		var plain, product T
		for i, v := range dy {
			g := scale[i] * v
			plain += g
			product += g * (x[i] - mean) * inv
		}
		plain, product = plain/T(c), product/T(c)
		for i, v := range dy {
			out[i] = inv * (scale[i]*v - plain - product*(x[i]-mean)*inv)
		}
	})
}
