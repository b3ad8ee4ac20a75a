package kernel

// Filters lie in memory one after the other, each as channels of taps. The inner loops
// want lines, one for every tap of every channel, with the weights that a block of
// filters has there side by side. Turning the one into the other goes by eight filters,
// so that what is read and what is written are both contiguous.

// filter is row k of the filters, of n weights.
func filter[T Float](w [][]T, k, n int) []T {
	at := k * n
	for len(w) > 1 && at >= len(w[0]) {
		at -= len(w[0])
		w = w[1:]
	}
	return w[0][at:][:n]
}

// pack lets f fill in the weights of every block; those of missing channels are 0.
func pack[T Float](ws *Workers, s *sweep, f func(b panel, to []T)) []T {
	packed := buffer[T](ws, 0, slotWeights, s.weights)
	ws.runSome(len(s.blocks), s.weights, func(_, i int) {
		b, end := s.blocks[i], s.weights
		if i+1 < len(s.blocks) {
			end = s.blocks[i+1].at
		}
		to := packed[b.at:end]
		if b.count < b.width {
			clear(to)
		}
		f(b, to)
	})
	return packed
}

// eight are the n weights each of eight filters.
func eight[T Float](w [][]T, first, n int) (a, b, c, d, e, f, g, h []T) {
	at := func(i int) []T { return filter(w, first+i, n)[:n] }
	return at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)
}

// packFilters writes count filters, from the first on, of channels with kk taps each, to
// lines that are width apart, those of a tap one after the other.
func packFilters[T Float](to []T, width int, w [][]T, first, count, channels, kk int) {
	k, n := 0, channels*kk
	for ; k+slim <= count; k += slim {
		a, b, c, d, e, f, g, h := eight(w, first+k, n)
		for t := range kk {
			at := t*channels*width + k
			for i := t; i < n; i += kk {
				line := (*[slim]T)(to[at:])
				line[0], line[1], line[2], line[3] = a[i], b[i], c[i], d[i]
				line[4], line[5], line[6], line[7] = e[i], f[i], g[i], h[i]
				at += width
			}
		}
	}
	for ; k < count; k++ {
		f := filter(w, first+k, n)
		for t := range kk {
			at := t*channels*width + k
			for i := t; i < n; i += kk {
				to[at] = f[i]
				at += width
			}
		}
	}
}

// unpackFilters is the inverse of packFilters.
func unpackFilters[T Float](from []T, width int, w [][]T, first, count, channels, kk int) {
	k, n := 0, channels*kk
	for ; k+slim <= count; k += slim {
		a, b, c, d, e, f, g, h := eight(w, first+k, n)
		for t := range kk {
			at := t*channels*width + k
			for i := t; i < n; i += kk {
				line := (*[slim]T)(from[at:])
				a[i], b[i], c[i], d[i] = line[0], line[1], line[2], line[3]
				e[i], f[i], g[i], h[i] = line[4], line[5], line[6], line[7]
				at += width
			}
		}
	}
	for ; k < count; k++ {
		f := filter(w, first+k, n)
		for t := range kk {
			at := t*channels*width + k
			for i := t; i < n; i += kk {
				f[i] = from[at]
				at += width
			}
		}
	}
}

// packTurned writes the weights that filters have for count channels, from the first on,
// to lines that are width apart, one for every filter of every tap. The filters are n
// of channels with kk taps each, from the filter at on.
func packTurned[T Float](to []T, width int, w [][]T, at, n, first, count, channels, kk int, taps []tap) {
	for k := range n {
		f := filter(w, at+k, channels*kk)[first*kk:][:count*kk]
		for t, tap := range taps {
			line := to[(t*n+k)*width:][:count]
			i := tap.index
			for ; len(line) >= slim; line = line[slim:] {
				line[0], line[1], line[2], line[3] = f[i], f[i+kk], f[i+2*kk], f[i+3*kk]
				line[4], line[5], line[6], line[7] = f[i+4*kk], f[i+5*kk], f[i+6*kk], f[i+7*kk]
				i += slim * kk
			}
			for c := range line {
				line[c] = f[i]
				i += kk
			}
		}
	}
}
