package kernel

// tally is the number, the mean and the sum of squared distances from the mean
// of some values.
type tally struct{ n, mean, squares float64 }

// observe computes the tally of every channel of some pixels. What is added up are
// distances from a guess of the mean, the mean of a few pixels, so that little is
// lost where the mean is large next to the deviation.
func observe[T Float](x []T, pixels, channels, pitch int, to []tally) {
	guesses := 8
	for guesses > pixels {
		guesses /= 2
	}
	step := pixels / guesses * pitch
	n := float64(pixels)
	var sums [2 * wide]T
	for c, width := 0, slim; c < channels; c += width {
		if width = slim; haveAVX512 && channels-c > slim {
			width = wide
		}
		count := min(width, channels-c)
		var pivots [wide]T
		for i := range guesses {
			for k, v := range x[i*step+c:][:count] {
				pivots[k] += v
			}
		}
		for k := range pivots {
			pivots[k] /= T(guesses)
		}
		switch {
		case !single[T]() || !haveAVX2:
			observeGo(pixels, x[c:], pitch, pivots[:count], sums[:2*width])
		case width == wide:
			observe16AVX512(pixels, ptr(x[c:]), pitch, count, ptr(pivots[:]), ptr(sums[:]))
		default:
			observe8AVX2(pixels, ptr(x[c:]), pitch, &masks[slim-count], ptr(pivots[:]), ptr(sums[:]))
		}
		for k := range count {
			s, q := float64(sums[k]), float64(sums[width+k])
			to[c+k] = tally{n, float64(pivots[k]) + s/n, max(q-s*s/n, 0)}
		}
	}
}

// observeGo adds up distances from the pivots and, in the second half of sums, their
// squares.
func observeGo[T Float](pixels int, x []T, pitch int, pivots, sums []T) {
	clear(sums)
	squares := sums[len(sums)/2:]
	for p := range pixels {
		for k, v := range x[p*pitch:][:len(pivots)] {
			d := v - pivots[k]
			sums[k] += d
			squares[k] += d * d
		}
	}
}

// tallies is scratch memory for n of them.
func (w *Workers) tallies(n int) []tally {
	if cap(w.observed) < n {
		w.observed = make([]tally, n)
	}
	return w.observed[:n]
}

// merge adds up the tallies of all tasks in order (Chan, Golub and LeVeque 1979). Those
// of a task have seen as many values each.
func merge[T Float](ws *Workers, parts []tally, m *Moments[T]) {
	const numbers = 4 // that take as long as a tally
	c := len(m.Mean)
	ws.runSome((c+slim-1)/slim, len(parts)*numbers, func(_, i int) {
		lo, hi := i*slim, min((i+1)*slim, c)
		var sums [slim]tally
		n := 0.0
		for at := 0; at < len(parts); at += c {
			more := parts[at].n
			share := more / (n + more)
			for k, part := range parts[at+lo : at+hi] {
				sum := &sums[k]
				d := part.mean - sum.mean
				sum.mean += d * share
				sum.squares += part.squares + d*d*n*share
			}
			n += more
		}
		for k, sum := range sums[:hi-lo] {
			m.Mean[lo+k], m.Variance[lo+k] = T(sum.mean), T(sum.squares/n)
		}
	})
}
