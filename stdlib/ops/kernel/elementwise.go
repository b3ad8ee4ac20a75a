package kernel

// span is how many numbers a task of an elementwise operation handles.
const span = 1 << 14

// spans runs f over the parts of [0,n).
func spans(ws *Workers, n int, f func(lo, hi int)) {
	ws.Run((n+span-1)/span, func(_, i int) { f(i*span, min(n, (i+1)*span)) })
}

// ReLU sets y = max(x, 0).
func ReLU[T Float](ws *Workers, x, y []T) {
	spans(ws, len(x), func(lo, hi int) { relu(y[lo:hi], x[lo:hi]) })
}

// ReLUGrad sets dx = dy where the result y is positive, else 0.
func ReLUGrad[T Float](ws *Workers, y, dy, dx []T) {
	spans(ws, len(y), func(lo, hi int) { reluGrad(dx[lo:hi], y[lo:hi], dy[lo:hi]) })
}

// Accumulate adds x to y.
func Accumulate[T Float](y, x []T) { add(y, y, x) }

// Sum adds the xs, from the first to the last, into y; y may be any of them.
func Sum[T Float](ws *Workers, xs [][]T, y []T) {
	spans(ws, len(y), func(lo, hi int) {
		if len(xs) == 1 {
			copy(y[lo:hi], xs[0][lo:hi])
			return
		}
		// Small parts, so that y stays near while the terms pass by.
		for l := lo; l < hi; l += 1 << 10 {
			h := min(hi, l+1<<10)
			add(y[l:h], xs[0][l:h], xs[1][l:h])
			for _, x := range xs[2:] {
				add(y[l:h], y[l:h], x[l:h])
			}
		}
	})
}

// Scale sets y = a*x.
func Scale[T Float](ws *Workers, a T, x, y []T) {
	spans(ws, len(x), func(lo, hi int) { affine(y[lo:hi], x[lo:hi], a, 0) })
}
