package kernel

// Loops over contiguous numbers. Each has an assembly form for the whole groups
// of eight at its front and a Go form for the rest and for other types. All but e^x
// wait for memory rather than for arithmetic, and have no form for AVX-512.

// Variant names the inner loops in use. Results of different variants may differ
// in their last bits.
func Variant() string {
	switch {
	case haveAVX512:
		return "avx512"
	case haveAVX2:
		return "avx2"
	}
	return "portable"
}

// head is how many of n numbers the assembly loops take.
func head[T Float](n int) int {
	if single[T]() && haveAVX2 {
		return n &^ 7
	}
	return 0
}

// dot is the sum of a[i]*b[i].
func dot[T Float](a, b []T) T {
	h := head[T](len(a))
	var s T
	if h > 0 {
		s = T(dotAVX2(h, ptr(a), ptr(b)))
	}
	for i := h; i < len(a); i++ {
		s += a[i] * b[i]
	}
	return s
}

// sum adds up x.
func sum[T Float](x []T) T {
	h := head[T](len(x))
	var s T
	if h > 0 {
		s = T(sumAVX2(h, ptr(x)))
	}
	for _, v := range x[h:] {
		s += v
	}
	return s
}

// sumSquares adds up (x-m)².
func sumSquares[T Float](x []T, m T) T {
	h := head[T](len(x))
	var s T
	if h > 0 {
		s = T(sumSquaresAVX2(h, ptr(x), float32(m)))
	}
	for _, v := range x[h:] {
		s += (v - m) * (v - m)
	}
	return s
}

// sumProduct adds up g and g*(x-m).
func sumProduct[T Float](g, x []T, m T) (s, p T) {
	h := head[T](len(x))
	if h > 0 {
		a, b := sumProductAVX2(h, ptr(g), ptr(x), float32(m))
		s, p = T(a), T(b)
	}
	for i := h; i < len(x); i++ {
		s += g[i]
		p += g[i] * (x[i] - m)
	}
	return s, p
}

// affine sets y = a*x + b.
func affine[T Float](y, x []T, a, b T) {
	h := head[T](len(x))
	if h > 0 {
		affineAVX2(h, ptr(y), ptr(x), float32(a), float32(b))
	}
	for i := h; i < len(x); i++ {
		y[i] = a*x[i] + b
	}
}

// affine2 sets y = a*u + b*v + c.
func affine2[T Float](y, u, v []T, a, b, c T) {
	h := head[T](len(y))
	if h > 0 {
		affine2AVX2(h, ptr(y), ptr(u), ptr(v), float32(a), float32(b), float32(c))
	}
	for i := h; i < len(y); i++ {
		y[i] = a*u[i] + b*v[i] + c
	}
}

// add sets y = a + b.
func add[T Float](y, a, b []T) {
	h := head[T](len(y))
	if h > 0 {
		addAVX2(h, ptr(y), ptr(a), ptr(b))
	}
	for i := h; i < len(y); i++ {
		y[i] = a[i] + b[i]
	}
}

// relu sets y = max(x, 0).
func relu[T Float](y, x []T) {
	h := head[T](len(y))
	if h > 0 {
		reluAVX2(h, ptr(y), ptr(x))
	}
	for i := h; i < len(y); i++ {
		y[i] = max(x[i], 0)
	}
}

// reluGrad sets d = g where y > 0, else 0.
func reluGrad[T Float](d, y, g []T) {
	h := head[T](len(d))
	if h > 0 {
		reluGradAVX2(h, ptr(d), ptr(y), ptr(g))
	}
	for i := h; i < len(d); i++ {
		if y[i] > 0 {
			d[i] = g[i]
		} else {
			d[i] = 0
		}
	}
}

// exps sets y = e^x.
func exps[T Float](y, x []T) {
	h, first := head[T](len(x)), 0
	if haveAVX512 && h >= wide {
		first = h / wide * wide
		expAVX512(first, ptr(y), ptr(x))
	}
	if h > first {
		expAVX2(h-first, ptr(y[first:]), ptr(x[first:]))
	}
	for i := h; i < len(x); i++ {
		y[i] = exp(x[i])
	}
}
