package kernel

// A task of an elementwise operation handles span numbers, or less, so that small maps
// make several tasks, but not less than spared, which takes about a microsecond.
const (
	span   = 1 << 14
	spared = 1 << 11
)

// portion is how many of n numbers a task handles: whole lines of the cache.
func portion(n int) int {
	const line = 16
	return min(max((n/leastTasks+line-1)/line*line, spared), span)
}

// spans runs f over the parts of [0,n).
func spans(ws *Workers, n int, f func(lo, hi int)) {
	size := portion(n)
	ws.Run((n+size-1)/size, func(_, i int) { f(i*size, min(n, (i+1)*size)) })
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

// WeightedSum sets y to the sum of the xs, each times its factor; those whose factor
// is zero are not read.
func WeightedSum[T Float](ws *Workers, xs [][]T, factors, y []T) {
	spans(ws, len(y), func(lo, hi int) {
		for l := lo; l < hi; l += 1 << 10 {
			h := min(hi, l+1<<10)
			first := true
			for i, x := range xs {
				switch {
				case factors[i] == 0:
				case first:
					affine(y[l:h], x[l:h], factors[i], 0)
					first = false
				default:
					affine2(y[l:h], x[l:h], y[l:h], factors[i], 1, 0)
				}
			}
			if first {
				clear(y[l:h])
			}
		}
	})
}

// Dots sets d to the dot products of dy with the xs, zero for those whose factor is
// zero.
func Dots[T Float](ws *Workers, xs [][]T, factors, dy, d []T) {
	k := len(xs)
	r := newReduction[T](ws, len(dy), 1, k)
	ws.Run(r.tasks, func(_, i int) {
		lo, hi, sums := r.part(i)
		for j, x := range xs {
			if factors[j] != 0 {
				sums[j] = dot(x[lo:hi], dy[lo:hi])
			}
		}
	})
	for i, v := range r.total(ws) {
		d[i] = T(v)
	}
}
