package kernel

// Loops over n pixels of c channels, with numbers that belong to the channels. The
// assembly loops take blocks of 16 and 8 channels, and with AVX-512 the last ones,
// however many; the Go loops take the rest.

// blocks runs long for every block of 16 channels, narrow for one of 8 and last for
// fewer than 16 others, if there are such loops for T, and returns how many channels
// that makes.
func blocks[T Float](c int, long, narrow, last func(i int)) int {
	if !single[T]() || !haveAVX2 {
		return 0
	}
	i := 0
	for ; i+wide <= c; i += wide {
		long(i)
	}
	if haveAVX512 && i < c && c-i != slim {
		last(i)
		return c
	}
	if i+slim <= c {
		narrow(i)
		i += slim
	}
	return i
}

// setRows sets y = a*x + b.
func setRows[T Float](n, c int, y, x Channels[T], a, b []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				setRows16AVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]), ptr(b[i:]))
			} else {
				setRows16AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]), ptr(b[i:]))
			}
		},
		func(i int) {
			setRows8AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]), ptr(b[i:]))
		},
		func(i int) {
			setRowsLastAVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]), ptr(b[i:]), c-i)
		})
	if first == c {
		return
	}
	a, b = a[first:c], b[first:c]
	for p := range n {
		out, row := y.Data[p*y.Pitch+first:][:len(a)], x.Data[p*x.Pitch+first:][:len(a)]
		for i, f := range a {
			out[i] = f*row[i] + b[i]
		}
	}
}

// addRows adds a*x to y.
func addRows[T Float](n, c int, y, x Channels[T], a []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				addRows16AVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]))
			} else {
				addRows16AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]))
			}
		},
		func(i int) {
			addRows8AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]))
		},
		func(i int) {
			addRowsLastAVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(a[i:]), c-i)
		})
	if first == c {
		return
	}
	a = a[first:c]
	for p := range n {
		out, row := y.Data[p*y.Pitch+first:][:len(a)], x.Data[p*x.Pitch+first:][:len(a)]
		for i, f := range a {
			out[i] += f * row[i]
		}
	}
}

// mixRows sets y = p*u + q*v + r.
func mixRows[T Float](n, c int, y, u, v Channels[T], p, q, r []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				mixRows16AVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(u.Data[i:]), u.Pitch, ptr(v.Data[i:]), v.Pitch, ptr(p[i:]), ptr(q[i:]), ptr(r[i:]))
			} else {
				mixRows16AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(u.Data[i:]), u.Pitch, ptr(v.Data[i:]), v.Pitch, ptr(p[i:]), ptr(q[i:]), ptr(r[i:]))
			}
		},
		func(i int) {
			mixRows8AVX2(n, ptr(y.Data[i:]), y.Pitch, ptr(u.Data[i:]), u.Pitch, ptr(v.Data[i:]), v.Pitch, ptr(p[i:]), ptr(q[i:]), ptr(r[i:]))
		},
		func(i int) {
			mixRowsLastAVX512(n, ptr(y.Data[i:]), y.Pitch, ptr(u.Data[i:]), u.Pitch, ptr(v.Data[i:]), v.Pitch, ptr(p[i:]), ptr(q[i:]), ptr(r[i:]), c-i)
		})
	if first == c {
		return
	}
	p, q, r = p[first:c], q[first:c], r[first:c]
	for i := range n {
		out, a, b := y.Data[i*y.Pitch+first:][:len(p)], u.Data[i*u.Pitch+first:][:len(p)], v.Data[i*v.Pitch+first:][:len(p)]
		for j, f := range p {
			out[j] = f*a[j] + r[j] + q[j]*b[j]
		}
	}
}

// sumRows adds x to sums.
func sumRows[T Float](n, c int, x Channels[T], sums []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				sumRows16AVX512(n, ptr(x.Data[i:]), x.Pitch, ptr(sums[i:]))
			} else {
				sumRows16AVX2(n, ptr(x.Data[i:]), x.Pitch, ptr(sums[i:]))
			}
		},
		func(i int) {
			sumRows8AVX2(n, ptr(x.Data[i:]), x.Pitch, ptr(sums[i:]))
		},
		func(i int) {
			sumRowsLastAVX512(n, ptr(x.Data[i:]), x.Pitch, ptr(sums[i:]), c-i)
		})
	if first == c {
		return
	}
	sums = sums[first:c]
	for p := range n {
		for i, v := range x.Data[p*x.Pitch+first:][:len(sums)] {
			sums[i] += v
		}
	}
}

// squareRows adds (x-mean)² to sums.
func squareRows[T Float](n, c int, x Channels[T], mean, sums []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				squareRows16AVX512(n, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
			} else {
				squareRows16AVX2(n, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
			}
		},
		func(i int) {
			squareRows8AVX2(n, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
		},
		func(i int) {
			squareRowsLastAVX512(n, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]), c-i)
		})
	if first == c {
		return
	}
	mean, sums = mean[first:c], sums[first:c]
	for p := range n {
		for i, v := range x.Data[p*x.Pitch+first:][:len(sums)] {
			sums[i] += (v - mean[i]) * (v - mean[i])
		}
	}
}

// productRows adds g * (x-mean) to sums.
func productRows[T Float](n, c int, g, x Channels[T], mean, sums []T) {
	first := blocks[T](c,
		func(i int) {
			if haveAVX512 {
				productRows16AVX512(n, ptr(g.Data[i:]), g.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
			} else {
				productRows16AVX2(n, ptr(g.Data[i:]), g.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
			}
		},
		func(i int) {
			productRows8AVX2(n, ptr(g.Data[i:]), g.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]))
		},
		func(i int) {
			productRowsLastAVX512(n, ptr(g.Data[i:]), g.Pitch, ptr(x.Data[i:]), x.Pitch, ptr(mean[i:]), ptr(sums[i:]), c-i)
		})
	if first == c {
		return
	}
	mean, sums = mean[first:c], sums[first:c]
	for p := range n {
		d, row := g.Data[p*g.Pitch+first:][:len(sums)], x.Data[p*x.Pitch+first:][:len(sums)]
		for i, v := range d {
			sums[i] += v * (row[i] - mean[i])
		}
	}
}

// maskRows makes y zero where m is not positive.
func maskRows[T Float](n, c int, y, m Channels[T]) {
	if y.Pitch == c && m.Pitch == c {
		reluGrad(y.Data[:n*c], m.Data, y.Data)
		return
	}
	for p := range n {
		out := y.Data[p*y.Pitch:][:c]
		reluGrad(out, m.Data[p*m.Pitch:][:c], out)
	}
}

// rectifyRows sets y = max(x, 0).
func rectifyRows[T Float](n, c int, y, x Channels[T]) {
	if y.Pitch == c && x.Pitch == c {
		relu(y.Data[:n*c], x.Data)
		return
	}
	for p := range n {
		relu(y.Data[p*y.Pitch:][:c], x.Data[p*x.Pitch:])
	}
}
