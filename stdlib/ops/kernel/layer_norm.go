package kernel

import "math"

// Layer normalisation (Ba, Kiros and Hinton 2016) over the c channels of each of
// n positions of b maps.

// LayerMoments writes, per map and position, the means and then the inverses of
// the standard deviations, (b,2,n).
func LayerMoments[T Float](ws *Workers, b, c, n int, epsilon float64, x, stats []T) {
	ws.Run(b, func(_, i int) {
		x, mean, inv := x[i*c*n:][:c*n], stats[2*i*n:][:n], stats[(2*i+1)*n:][:n]
		clear(mean)
		for ch := range c {
			add(mean, mean, x[ch*n:][:n])
		}
		affine(mean, mean, T(1/float64(c)), 0)
		clear(inv)
		for ch := range c {
			for p, v := range x[ch*n:][:n] {
				d := v - mean[p]
				inv[p] += d * d
			}
		}
		for p, v := range inv {
			inv[p] = T(1 / math.Sqrt(float64(v)/float64(c)+epsilon))
		}
	})
}

// LayerNorm sets y = scale * (x-mean) * inv + shift, with a scale and a shift per
// channel.
func LayerNorm[T Float](ws *Workers, b, c, n int, x, stats, scale, shift, y []T) {
	ws.Run(b, func(_, i int) {
		mean, inv := stats[2*i*n:][:n], stats[(2*i+1)*n:][:n]
		for ch := range c {
			at := (i*c + ch) * n
			out := y[at:][:n]
			for p, v := range x[at:][:n] {
				out[p] = scale[ch]*(v-mean[p])*inv[p] + shift[ch]
			}
		}
	})
}

// LayerNormGradParams writes the gradients of scale and shift.
func LayerNormGradParams[T Float](ws *Workers, b, c, n int, x, stats, dy, dscale, dshift []T) {
	ws.Run(c, func(_, ch int) {
		var s, q float64
		for i := range b {
			mean, inv := stats[2*i*n:][:n], stats[(2*i+1)*n:][:n]
			at := (i*c + ch) * n
			x := x[at:][:n]
			for p, g := range dy[at:][:n] {
				s += float64(g)
				q += float64(g * (x[p] - mean[p]) * inv[p])
			}
		}
		dscale[ch], dshift[ch] = T(q), T(s)
	})
}

// LayerNormGradInput writes the gradient of x, also through the statistics.
func LayerNormGradInput[T Float](ws *Workers, b, c, n int, x, stats, scale, dy, dx []T) {
	ws.Run(b, func(worker, i int) {
		mean, inv := stats[2*i*n:][:n], stats[(2*i+1)*n:][:n]
		sums := buffer[T](ws, worker, slotOutput, 2*n)
		clear(sums)
		plain, product := sums[:n], sums[n:]
		for ch := range c {
			at := (i*c + ch) * n
			x := x[at:][:n]
			for p, v := range dy[at:][:n] {
				g := scale[ch] * v
				plain[p] += g
				product[p] += g * (x[p] - mean[p]) * inv[p]
			}
		}
		f := T(1 / float64(c))
		for ch := range c {
			at := (i*c + ch) * n
			x, out := x[at:][:n], dx[at:][:n]
			for p, v := range dy[at:][:n] {
				out[p] = inv[p] * (scale[ch]*v - f*plain[p] - f*product[p]*(x[p]-mean[p])*inv[p])
			}
		}
	})
}
