package kernel

// WeighRows multiplies every row of x by its factor.
func WeighRows[T Float](ws *Workers, rows, size int, x, factors, y []T) {
	ws.Run(rows, func(_, i int) { affine(y[i*size:][:size], x[i*size:][:size], factors[i], 0) })
}

// Multiply sets y = a*b, number by number.
func Multiply[T Float](ws *Workers, a, b, y []T) {
	spans(ws, len(y), func(lo, hi int) { multiplied(y[lo:hi], a[lo:hi], b[lo:hi]) })
}

// multiplied sets y = a*b.
func multiplied[T Float](y, a, b []T) {
	y, b = y[:len(a)], b[:len(a)]
	for i, v := range a {
		y[i] = v * b[i]
	}
}

// AddRow sets y = x + row for every row of x; the rows have the length of row.
func AddRow[T Float](ws *Workers, x, row, y []T) {
	n := len(row)
	ws.Run(len(x)/n, func(_, i int) { add(y[i*n:][:n], x[i*n:][:n], row) })
}

// SumRows adds up the rows of x, from the first to the last.
func SumRows[T Float](ws *Workers, x, row []T) {
	spans(ws, len(row), func(lo, hi int) {
		copy(row[lo:hi], x[lo:hi])
		for at := len(row); at < len(x); at += len(row) {
			add(row[lo:hi], row[lo:hi], x[at+lo:at+hi])
		}
	})
}

// Transpose writes the transposes of b matrices of the given size.
func Transpose[T Float](ws *Workers, b, height, width int, x, y []T) {
	ws.Run(b, func(_, i int) { transpose(x[i*height*width:], height, width, width, y[i*height*width:], height) })
}

// transpose writes the transpose of a matrix whose rows, and those of the result,
// are so far apart. It goes in blocks that stay near, along the side whose rows are
// further apart: these may be apart by a power of two, and then a cache holds few of them.
func transpose[T Float](x []T, height, width, from int, y []T, to int) {
	const side = 16
	for r0 := 0; r0 < height; r0 += side {
		rows := min(side, height-r0)
		for c0 := 0; c0 < width; c0 += side {
			columns := min(side, width-c0)
			if from < to {
				for c := c0; c < c0+columns; c++ {
					in, out := x[r0*from+c:], y[c*to+r0:][:rows]
					for r := range out {
						out[r] = in[r*from]
					}
				}
				continue
			}
			for r := r0; r < r0+rows; r++ {
				in, out := x[r*from+c0:][:columns], y[c0*to+r:]
				for c, v := range in {
					out[c*to] = v
				}
			}
		}
	}
}

// sumPartials adds up equally long vectors in order.
func sumPartials[T Float](dst, partial []T, n int) {
	copy(dst, partial)
	for i := 1; i < n; i++ {
		Accumulate(dst, partial[i*len(dst):][:len(dst)])
	}
}
