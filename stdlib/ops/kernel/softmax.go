package kernel

// Softmax normalises e^x along the middle of (outer, n, inner).
func Softmax[T Float](ws *Workers, outer, n, inner int, x, y []T) {
	if inner == 1 {
		inGroups(ws, outer, func(o int) {
			x, y := x[o*n:][:n], y[o*n:][:n]
			top := x[0]
			for _, v := range x {
				top = max(top, v)
			}
			affine(y, x, 1, -top)
			exps(y, y)
			affine(y, y, 1/sum(y), 0)
		})
		return
	}
	ws.Run(outer, func(worker, o int) {
		x, y := x[o*n*inner:][:n*inner], y[o*n*inner:][:n*inner]
		work := buffer[T](ws, worker, slotOutput, 2*inner)
		tops, sums := work[:inner], work[inner:]
		copy(tops, x)
		for at := inner; at < len(x); at += inner {
			for p, v := range x[at:][:inner] {
				tops[p] = max(tops[p], v)
			}
		}
		clear(sums)
		for at := 0; at < len(x); at += inner {
			row := y[at:][:inner]
			affine2(row, x[at:][:inner], tops, 1, -1, 0)
			exps(row, row)
			add(sums, sums, row)
		}
		for p, v := range sums {
			sums[p] = 1 / v
		}
		for at := 0; at < len(x); at += inner {
			row := y[at:][:inner]
			for p, f := range sums {
				row[p] *= f
			}
		}
	})
}

// SoftmaxGrad sets dx = y * (dy - sum of y*dy).
func SoftmaxGrad[T Float](ws *Workers, outer, n, inner int, y, dy, dx []T) {
	if inner == 1 {
		inGroups(ws, outer, func(o int) {
			y, dy, dx := y[o*n:][:n], dy[o*n:][:n], dx[o*n:][:n]
			s := dot(y, dy)
			for i, v := range y {
				dx[i] = v * (dy[i] - s)
			}
		})
		return
	}
	ws.Run(outer, func(worker, o int) {
		from := o * n * inner
		y, dy, dx := y[from:][:n*inner], dy[from:][:n*inner], dx[from:][:n*inner]
		sums := buffer[T](ws, worker, slotOutput, inner)
		clear(sums)
		for at := 0; at < len(y); at += inner {
			d := dy[at:][:inner]
			for p, v := range y[at:][:inner] {
				sums[p] += v * d[p]
			}
		}
		for at := 0; at < len(y); at += inner {
			d, out := dy[at:][:inner], dx[at:][:inner]
			for p, v := range y[at:][:inner] {
				out[p] = v * (d[p] - sums[p])
			}
		}
	})
}
