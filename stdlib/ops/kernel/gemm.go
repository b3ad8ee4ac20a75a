package kernel

// The inner loop of matrix products. It finds the rows of its second operand
// through a table of offsets.
const (
	rows = 4  // rows of the result per inner loop
	cols = 16 // columns of the result per inner loop
	deep = 8  // rows of the loop for AVX-512
)

// panelRows is how many rows of the result an inner loop computes.
func panelRows[T Float]() int {
	if single[T]() && haveAVX512 {
		return deep
	}
	return rows
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// multiply computes c[i*ldc+p] = sum over l of a[i][l] * b[off[l]+p] for i < m
// and p < n, with a in panels of as many rows as the inner loop computes, the row fastest. It also
// writes the columns up to the next multiple of 16 and the rows up to the next whole
// panel, and reads b as far, so both need that much slack.
func multiply[T Float](m, n int, a, b []T, off []int, c []T, ldc int) {
	l, step := len(off), panelRows[T]()
	for p := 0; p < n; p += cols {
		for i := 0; i < m; i += step {
			switch {
			case step == deep:
				multiplyAVX512(l, ptr(a[i*l:]), ptr(b[p:]), &off[0], ptr(c[i*ldc+p:]), ldc)
			case single[T]() && haveAVX2:
				multiplyAVX2(l, ptr(a[i*l:]), ptr(b[p:]), &off[0], ptr(c[i*ldc+p:]), ldc)
			default:
				multiplyGo(a[i*l:(i+rows)*l], b[p:], off, c[i*ldc+p:], ldc)
			}
		}
	}
}

func multiplyGo[T Float](a, b []T, off []int, c []T, ldc int) {
	for p := 0; p < cols; p += 2 {
		var c00, c01, c10, c11, c20, c21, c30, c31 T
		for l, o := range off {
			w := a[l*rows : l*rows+rows : l*rows+rows]
			x := b[o+p : o+p+2 : o+p+2]
			c00 += w[0] * x[0]
			c01 += w[0] * x[1]
			c10 += w[1] * x[0]
			c11 += w[1] * x[1]
			c20 += w[2] * x[0]
			c21 += w[2] * x[1]
			c30 += w[3] * x[0]
			c31 += w[3] * x[1]
		}
		c[p], c[p+1] = c00, c01
		c[ldc+p], c[ldc+p+1] = c10, c11
		c[2*ldc+p], c[2*ldc+p+1] = c20, c21
		c[3*ldc+p], c[3*ldc+p+1] = c30, c31
	}
}
