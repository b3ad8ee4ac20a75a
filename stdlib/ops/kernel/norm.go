package kernel

// Batch normalisation (Ioffe and Szegedy 2015) over maps of n pixels of c channels,
// in its parts: the statistics, the normalisation with a scale and a shift per
// channel, and their gradients.

// Moments are the mean and the biased variance of every channel of a map.
type Moments[T Float] struct{ Mean, Variance []T }

// Measure writes the moments of the channels of n pixels, pitch numbers apart.
func (m Moments[T]) Measure(ws *Workers, n, pitch int, x []T) {
	c := len(m.Mean)
	plain := newReduction[T](ws, n, c, c)
	ws.Run(plain.tasks, func(_, i int) {
		lo, hi, sums := plain.part(i)
		sumRows(hi-lo, c, Channels[T]{x[lo*pitch:], pitch}, sums)
	})
	for i, v := range plain.total(ws) {
		m.Mean[i] = T(v / float64(n))
	}
	squares := newReduction[T](ws, n, c, c)
	ws.Run(squares.tasks, func(_, i int) {
		lo, hi, sums := squares.part(i)
		squareRows(hi-lo, c, Channels[T]{x[lo*pitch:], pitch}, m.Mean, sums)
	})
	for i, v := range squares.total(ws) {
		m.Variance[i] = T(v / float64(n))
	}
}

// Normalize sets y = scale * (x-mean) * inv + shift, per channel; inv is one over
// the standard deviation.
func Normalize[T Float](ws *Workers, n, c int, x, mean, inv, scale, shift, y []T) {
	f := buffer[T](ws, 0, slotWeights, 2*c)
	factors, terms := f[:c], f[c:]
	for i := range c {
		factors[i] = scale[i] * inv[i]
		terms[i] = shift[i] - factors[i]*mean[i]
	}
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		setRows(hi-lo, c, Channels[T]{y[lo*c:], c}, Channels[T]{x[lo*c:], c}, factors, terms)
	})
}

// NormalizeGradParams writes the gradients of shift and scale.
func NormalizeGradParams[T Float](ws *Workers, n, c int, x, mean, inv, dy, dshift, dscale []T) {
	r := newReduction[T](ws, n, c, 2*c)
	ws.Run(r.tasks, func(_, i int) {
		lo, hi, sums := r.part(i)
		from := Channels[T]{dy[lo*c:], c}
		sumRows(hi-lo, c, from, sums)
		productRows(hi-lo, c, from, Channels[T]{x[lo*c:], c}, mean, sums[c:])
	})
	totals := r.total(ws)
	for i := range c {
		dshift[i], dscale[i] = T(totals[i]), T(totals[c+i])*inv[i]
	}
}

// NormalizeGradInput writes the gradient of x, also through the statistics.
func NormalizeGradInput[T Float](ws *Workers, n, c int, x, mean, inv, scale, dshift, dscale, dy, dx []T) {
	f := buffer[T](ws, 0, slotWeights, 3*c)
	forY, forX, terms := f[:c], f[c:2*c], f[2*c:]
	for i := range c {
		forY[i] = scale[i] * inv[i]
		forX[i] = -forY[i] * inv[i] * dscale[i] / T(n)
		terms[i] = -forY[i]*dshift[i]/T(n) - forX[i]*mean[i]
	}
	tasks, size := parts(n, c)
	ws.Run(tasks, func(_, i int) {
		lo, hi := i*size, min(n, (i+1)*size)
		mixRows(hi-lo, c, Channels[T]{dx[lo*c:], c}, Channels[T]{dy[lo*c:], c}, Channels[T]{x[lo*c:], c}, forY, forX, terms)
	})
}
