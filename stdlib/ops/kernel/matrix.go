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

// part is a matrix within m.
func (m matrix[T]) part(row, rows, col, cols int) matrix[T] {
	return matrix[T]{m.data[row*m.down+col*m.across:], rows, cols, m.down, m.across}
}

// product computes c = scale*a*b, or adds it to c, in a worker's scratch memory.
func product[T Float](ws *Workers, worker int, scale T, a, b, c matrix[T], adds bool) {
	m, l, n, rows := a.rows, a.cols, b.cols, panelRows[T]()
	pitch := roundUp(n, cols)
	left := buffer[T](ws, worker, slotColumns, roundUp(m, rows)*l)
	right := buffer[T](ws, worker, slotInput, l*pitch)
	out := buffer[T](ws, worker, slotOutput, roundUp(m, rows)*pitch)
	for i0 := 0; i0 < m; i0 += rows {
		panel := left[i0*l:][:rows*l]
		if m-i0 < rows {
			clear(panel)
		}
		for r := range min(rows, m-i0) {
			at := (i0 + r) * a.down
			for j := range l {
				panel[j*rows+r] = scale * a.data[at]
				at += a.across
			}
		}
	}
	for i := range l {
		row := right[i*pitch:][:pitch]
		clear(row[n:])
		if b.across == 1 {
			copy(row, b.data[i*b.down:][:n])
		}
	}
	if b.across != 1 {
		for j := range n {
			at := j * b.across
			for i := range l {
				right[i*pitch+j] = b.data[at]
				at += b.down
			}
		}
	}
	multiply(m, n, left, right, ws.steps(l, pitch), out, pitch)
	for i := range m {
		from := out[i*pitch:][:n]
		switch row := c.data[i*c.down:]; {
		case c.across != 1:
			for j, v := range from {
				if adds {
					v += row[j*c.across]
				}
				row[j*c.across] = v
			}
		case adds:
			add(row[:n], row[:n], from)
		default:
			copy(row, from)
		}
	}
}
