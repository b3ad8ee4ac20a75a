package kernel

// matrix is a view of numbers: element (i,j) lies at i*down + j*across.
type matrix[T Float] struct {
	data         []T
	rows, cols   int
	down, across int
}

// dense is a matrix as rows one after the other.
func dense[T Float](data []T, rows, cols int) matrix[T] { return matrix[T]{data, rows, cols, cols, 1} }

// turned is the transpose.
func (m matrix[T]) turned() matrix[T] { return matrix[T]{m.data, m.cols, m.rows, m.across, m.down} }

// product computes c = scale*a*b, or adds it to c, in a worker's scratch memory;
// the rows of c lie one after the other.
func product[T Float](ws *Workers, worker int, scale T, a, b matrix[T], c []T, adds bool) {
	m, l, n := a.rows, a.cols, b.cols
	pitch := roundUp(n, cols)
	left := buffer[T](ws, worker, slotColumns, roundUp(m, rows)*l)
	right := buffer[T](ws, worker, slotInput, l*pitch)
	out := buffer[T](ws, worker, slotOutput, roundUp(m, rows)*pitch)
	packRows(left, m, l, func(i, j int) T { return scale * a.data[i*a.down+j*a.across] })
	for i := range l {
		row := right[i*pitch:][:pitch]
		clear(row[n:])
		if b.across == 1 {
			copy(row, b.data[i*b.down:][:n])
			continue
		}
		for j := range n {
			row[j] = b.data[i*b.down+j*b.across]
		}
	}
	multiply(m, n, left, right, offsets(l, func(i int) int { return i * pitch }), out, pitch)
	for i := range m {
		row, from := c[i*n:][:n], out[i*pitch:][:n]
		if adds {
			add(row, row, from)
		} else {
			copy(row, from)
		}
	}
}
