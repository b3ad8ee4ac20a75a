package kernel

// Loops over the planes of maps (B,C,area): adding and multiplying a number per
// plane, and moving planes about.

// Bias sets y = x + bias of the channel.
func Bias[T Float](ws *Workers, b, c, area int, x, bias, y []T) {
	ws.Run(b, func(_, i int) {
		for ch := range c {
			p := (i*c + ch) * area
			affine(y[p:][:area], x[p:][:area], 1, bias[ch])
		}
	})
}

// BiasGrad sums dy over everything but the channels.
func BiasGrad[T Float](ws *Workers, b, c, area int, dy, db []T) {
	ws.Run(c, func(_, ch int) {
		var s float64
		for i := range b {
			s += float64(sum(dy[(i*c+ch)*area:][:area]))
		}
		db[ch] = T(s)
	})
}

// Gate multiplies every plane of x by its factor.
func Gate[T Float](ws *Workers, planes, area int, x, factors, y []T) {
	inGroups(ws, planes, func(p int) {
		affine(y[p*area:][:area], x[p*area:][:area], factors[p], 0)
	})
}

// GateGrad is the gradient of the factors: the dot products of the planes.
func GateGrad[T Float](ws *Workers, planes, area int, x, dy, dfactors []T) {
	inGroups(ws, planes, func(p int) {
		dfactors[p] = dot(x[p*area:][:area], dy[p*area:][:area])
	})
}

// Multiply sets y = a*b, number by number.
func Multiply[T Float](ws *Workers, a, b, y []T) {
	spans(ws, len(y), func(lo, hi int) {
		y, b := y[lo:hi], b[lo:hi]
		for i, v := range a[lo:hi] {
			y[i] = v * b[i]
		}
	})
}

// AddRow sets y = x + row for every row of x; the rows have the length of row.
func AddRow[T Float](ws *Workers, x, row, y []T) {
	n := len(row)
	ws.Run(len(x)/n, func(_, i int) { add(y[i*n:][:n], x[i*n:][:n], row) })
}

// SumRows adds up the rows of x, from the first to the last.
func SumRows[T Float](ws *Workers, x, row []T) {
	spans(ws, len(row), func(lo, hi int) {
		copy(row[lo:hi], x[lo:hi])
		for at := len(row); at < len(x); at += len(row) {
			add(row[lo:hi], row[lo:hi], x[at+lo:at+hi])
		}
	})
}

// Pick copies the planes chosen out of every image of c planes.
func Pick[T Float](ws *Workers, b, c, area int, chosen []int, x, y []T) {
	ws.Run(b, func(_, i int) {
		for k, ch := range chosen {
			copy(y[(i*len(chosen)+k)*area:][:area], x[(i*c+ch)*area:])
		}
	})
}

// Put is the transpose of Pick for planes that are chosen once at most: it writes
// them back to their places and zeros elsewhere.
func Put[T Float](ws *Workers, b, c, area int, chosen []int, y, x []T) {
	ws.Run(b, func(_, i int) {
		if len(chosen) < c {
			clear(x[i*c*area:][:c*area])
		}
		for k, ch := range chosen {
			copy(x[(i*c+ch)*area:][:area], y[(i*len(chosen)+k)*area:])
		}
	})
}

// Transpose writes the transposes of b matrices of the given size.
func Transpose[T Float](ws *Workers, b, height, width int, x, y []T) {
	ws.Run(b, func(_, i int) {
		x, y := x[i*height*width:][:height*width], y[i*height*width:][:height*width]
		for r := range height {
			for c, v := range x[r*width:][:width] {
				y[c*height+r] = v
			}
		}
	})
}

// Unfold writes, for every channel and tap, the map as that tap sees it; OH and OW
// are H and W.
func Unfold[T Float](ws *Workers, g Conv, x, y []T) {
	area, kk := g.H*g.W, g.window()
	inGroups(ws, g.B*g.C, func(p int) {
		copyPatches(g, y[p*kk*area:], area, x[p*area:][:area])
	})
}

// Fold is the transpose of Unfold: it adds every value to the pixel it came from.
func Fold[T Float](ws *Workers, g Conv, dy, dx []T) {
	area, kk := g.H*g.W, g.window()
	one := g
	one.C, one.Groups = 1, 1
	inGroups(ws, g.B*g.C, func(p int) {
		plane := dx[p*area:][:area]
		clear(plane)
		addPatches(one, dy[p*kk*area:], area, plane)
	})
}

// inGroups runs f for every plane, a few to a task.
func inGroups(ws *Workers, planes int, f func(plane int)) {
	ws.Run((planes+planesPerTask-1)/planesPerTask, func(_, task int) {
		for p := task * planesPerTask; p < min(planes, (task+1)*planesPerTask); p++ {
			f(p)
		}
	})
}
