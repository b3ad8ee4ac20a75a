package kernel

// Loops over n pixels of c channels, with numbers that belong to the channels.

// setRows sets y = a*x + b; without b, a*x.
func setRows[T Float](n, c int, y, x Channels[T], a, b []T) {
	a = a[:c]
	for p := range n {
		out, row := y.Data[p*y.Pitch:][:c], x.Data[p*x.Pitch:][:c]
		if b == nil {
			for i, f := range a {
				out[i] = f * row[i]
			}
			continue
		}
		b := b[:c]
		for i, f := range a {
			out[i] = f*row[i] + b[i]
		}
	}
}

// addRows adds a*x to y.
func addRows[T Float](n, c int, y, x Channels[T], a []T) {
	a = a[:c]
	for p := range n {
		out, row := y.Data[p*y.Pitch:][:c], x.Data[p*x.Pitch:][:c]
		for i, f := range a {
			out[i] += f * row[i]
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

// sumRows adds x to sums.
func sumRows[T Float](n, c int, x Channels[T], sums []T) {
	sums = sums[:c]
	for p := range n {
		row := x.Data[p*x.Pitch:][:c]
		for i, v := range row {
			sums[i] += v
		}
	}
}

// productRows adds g * (x-mean) to sums; no mean is zero.
func productRows[T Float](n, c int, g, x Channels[T], mean, sums []T) {
	sums = sums[:c]
	for p := range n {
		d, row := g.Data[p*g.Pitch:][:c], x.Data[p*x.Pitch:][:c]
		if mean == nil {
			for i, v := range d {
				sums[i] += v * row[i]
			}
			continue
		}
		m := mean[:c]
		for i, v := range d {
			sums[i] += v * (row[i] - m[i])
		}
	}
}

// mixRows sets y = p*u + q*v + r.
func mixRows[T Float](n, c int, y, u, v Channels[T], p, q, r []T) {
	p, q, r = p[:c], q[:c], r[:c]
	for i := range n {
		out, a, b := y.Data[i*y.Pitch:][:c], u.Data[i*u.Pitch:][:c], v.Data[i*v.Pitch:][:c]
		for j, f := range p {
			out[j] = f*a[j] + q[j]*b[j] + r[j]
		}
	}
}
