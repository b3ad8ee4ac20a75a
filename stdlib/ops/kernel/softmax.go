package kernel

// rowsPerTask is how many rows of n numbers a task handles.
func rowsPerTask(n int) int { return max(1<<12/n, 1) }

// inRows runs f for every row, a few to a task.
func inRows(ws *Workers, rows, n int, f func(worker, row int)) {
	size := rowsPerTask(n)
	ws.Run((rows+size-1)/size, func(worker, task int) {
		for r := task * size; r < min(rows, (task+1)*size); r++ {
			f(worker, r)
		}
	})
}

// Softmax normalises e^x along each of the rows of n numbers.
func Softmax[T Float](ws *Workers, rows, n int, x, y []T) {
	inRows(ws, rows, n, func(_, r int) {
		x, y := x[r*n:][:n], y[r*n:][:n]
		top := x[0]
		for _, v := range x {
			top = max(top, v)
		}
		affine(y, x, 1, -top)
		exps(y, y)
		affine(y, y, 1/sum(y), 0)
	})
}

// SoftmaxGrad sets dx = y * (dy - sum of y*dy).
func SoftmaxGrad[T Float](ws *Workers, rows, n int, y, dy, dx []T) {
	inRows(ws, rows, n, func(_, r int) {
		y, dy, dx := y[r*n:][:n], dy[r*n:][:n], dx[r*n:][:n]
		s := dot(y, dy)
		for i, v := range y {
			dx[i] = v * (dy[i] - s)
		}
	})
}
