package kernel

// The two inner loops of convolution. Both address their second operand through
// a table of offsets, so that one loop serves a plain matrix (offsets l*ld), a
// matrix of image patches, and a padded image in which a filter tap is nothing
// but a shift.
const (
	rows = 4  // rows of the result per inner loop
	cols = 16 // columns of the result per inner loop
)

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// packRows copies an m x l matrix, whose element (i,j) is at(i,j), into blocks
// of four rows with the row fastest; missing rows are zero.
func packRows[T Float](dst []T, m, l int, at func(i, j int) T) {
	n := 0
	for i0 := 0; i0 < m; i0 += rows {
		for j := range l {
			for i := i0; i < i0+rows; i++ {
				var v T
				if i < m {
					v = at(i, j)
				}
				dst[n] = v
				n++
			}
		}
	}
}

// multiply computes c[i*ldc+p] = sum over l of a[i][l] * b[off[l]+p] for i < m
// and p < n, with a as packRows leaves it. It also writes the columns up to the
// next multiple of 16 and the rows up to the next multiple of 4, and reads b as
// far, so both need that much slack.
func multiply[T Float](m, n int, a, b []T, off []int, c []T, ldc int) {
	l := len(off)
	for p := 0; p < n; p += cols {
		for i := 0; i < m; i += rows {
			if single[T]() && haveAVX2 {
				multiplyAVX2(l, ptr(a[i*l:]), ptr(b[p:]), &off[0], ptr(c[i*ldc+p:]), ldc)
			} else {
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

// correlate adds to c[i*len(off)+l] the sum over p < n of a[i*lda+p] * b[off[l]+p]
// for i < m. n must be a multiple of 8 and a have rows up to the next multiple
// of 4.
func correlate[T Float](m, n int, a []T, lda int, b []T, off []int, c []T) {
	var sums [2 * rows]T
	for l := 0; l < len(off); l += 2 {
		o0, o1 := off[l], off[l]
		if l+1 < len(off) {
			o1 = off[l+1]
		}
		for i := 0; i < m; i += rows {
			if single[T]() && haveAVX2 {
				correlateAVX2(n, ptr(a[i*lda:]), lda, ptr(b[o0:]), ptr(b[o1:]), ptr(sums[:]))
			} else {
				correlateGo(n, a[i*lda:], lda, b[o0:], b[o1:], &sums)
			}
			for r := range min(rows, m-i) {
				c[(i+r)*len(off)+l] += sums[2*r]
				if l+1 < len(off) {
					c[(i+r)*len(off)+l+1] += sums[2*r+1]
				}
			}
		}
	}
}

func correlateGo[T Float](n int, a []T, lda int, b0, b1 []T, sums *[2 * rows]T) {
	b0, b1 = b0[:n], b1[:n]
	for r := 0; r < rows; r += 2 {
		x, y := a[r*lda:r*lda+n], a[(r+1)*lda:(r+1)*lda+n]
		var s00, s01, s10, s11 T
		for p := range b0 {
			s00 += x[p] * b0[p]
			s01 += x[p] * b1[p]
			s10 += y[p] * b0[p]
			s11 += y[p] * b1[p]
		}
		sums[2*r], sums[2*r+1], sums[2*r+2], sums[2*r+3] = s00, s01, s10, s11
	}
}
