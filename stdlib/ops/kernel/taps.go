package kernel

// Loops over the taps of a window, each a shift of the source. The length of dst
// is a multiple of 16.

// weigh computes dst[p] = sum over t of w[t] * src[off[t]+p].
func weigh[T Float](dst, src []T, off []int, w []T) {
	if single[T]() && haveAVX2 {
		p := 0
		for ; p+2*cols <= len(dst); p += 2 * cols {
			weigh32AVX2(len(off), ptr(w), ptr(src[p:]), &off[0], ptr(dst[p:]))
		}
		for ; p < len(dst); p += cols {
			weighAVX2(len(off), ptr(w), ptr(src[p:]), &off[0], ptr(dst[p:]))
		}
		return
	}
	for p := range dst {
		var s T
		for t, o := range off {
			s += w[t] * src[o+p]
		}
		dst[p] = s
	}
}

// dots adds to sums[t] the sum over p of a[p] * b[off[t]+p]. The length of a is a
// multiple of 16.
func dots[T Float](a, b []T, off []int, sums []T) {
	t := 0
	if single[T]() && haveAVX2 {
		for ; t+5 <= len(off); t += 5 {
			dots5AVX2(len(a), ptr(a), ptr(b), &off[t], ptr(sums[t:]))
		}
	}
	for ; t < len(off); t++ {
		sums[t] += dot(a, b[off[t]:][:len(a)])
	}
}
