package kernel

// Softmax normalises e^x along the middle of (outer, n, inner).
func Softmax[T Float](ws *Workers, outer, n, inner int, x, y []T) {
	ws.Run(outer, func(_, o int) {
		x, y := x[o*n*inner:][:n*inner], y[o*n*inner:][:n*inner]
		for p := range inner {
			top := x[p]
			for i := p; i < len(x); i += inner {
				top = max(top, x[i])
			}
			var s T
			for i := p; i < len(x); i += inner {
				y[i] = exp(x[i] - top)
				s += y[i]
			}
			s = 1 / s
			for i := p; i < len(x); i += inner {
				y[i] *= s
			}
		}
	})
}

// SoftmaxGrad sets dx = y * (dy - sum of y*dy).
func SoftmaxGrad[T Float](ws *Workers, outer, n, inner int, y, dy, dx []T) {
	ws.Run(outer, func(_, o int) {
		at := o * n * inner
		y, dy, dx := y[at:][:n*inner], dy[at:][:n*inner], dx[at:][:n*inner]
		for p := range inner {
			var s T
			for i := p; i < len(y); i += inner {
				s += y[i] * dy[i]
			}
			for i := p; i < len(y); i += inner {
				dx[i] = y[i] * (dy[i] - s)
			}
		}
	})
}
