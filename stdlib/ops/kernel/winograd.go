package kernel

// Convolution after Winograd (1980) and Lavin and Gray (2016). The output is cut
// into squares of 4x4 pixels. Every square of 6x6 pixels of the source under one
// becomes 36 numbers per channel, every filter of 3x3 weights becomes 36, and the
// 36 products, each a product of matrices over the channels, become the square:
// 36 multiplications instead of 144. The transforms are loops over vectors of
// channels, and that of the source serves all filters of a call.
//
// The numbers of a result lose about one digit more than in a plain convolution,
// a relative error of 1e-6 instead of 3e-7.

const (
	square   = 4             // pixels of the side of a square of the output
	patch    = square + 2    // of the side of the source under it
	products = patch * patch // numbers of a channel
	aside    = 16            // numbers between products, so that they lie in different sets of a cache

	leastFilters              = 8 * 16    // products of channels
	squareTarget              = 128 << 10 // numbers for the products of a task
	leastSquares, mostSquares = 36, 96    // of a task
)

// squares is how a sweep is cut into tasks: some rows of squares of one image, or
// whole images. The images are cut in one part or in two halves alike, so that two
// threads have the same to do although a task is whole tiles.
type squares struct {
	down, across  int   // squares of an image
	part          int   // images that are cut alike
	images, rows  int   // of a task
	tasks, most   int   // how many tasks, and squares in one
	at, to, lines []int // where squares of the source, those of the output, and channels lie; whole tiles
}

// cut says how to compute s by squares, or nil if it is better not to: the loops
// want whole vectors of channels, and the transforms enough products to pay for.
func (s *sweep) cut() *squares {
	if len(s.taps) != 9 || s.step != 1 || s.dstStep != 1 || s.groups != 1 || s.channelwise || s.srcC%slim != 0 || s.outC%slim != 0 || s.srcC*s.outC < leastFilters {
		return nil
	}
	for i, t := range s.taps {
		if t.y != s.taps[0].y+i/3 || t.x != s.taps[0].x+i%3 {
			return nil
		}
	}
	q := &squares{down: (s.outH + square - 1) / square, across: (s.outW + square - 1) / square}
	if q.down*q.across*square*square*2 > 3*s.outH*s.outW {
		return nil // too much would be for nothing
	}
	most := min(max(squareTarget/(products*(s.srcC+s.outC)), leastSquares), mostSquares)
	least := 0
	try := func(part, images, rows int) {
		c := *q
		c.part, c.images, c.rows = part, images, rows
		c.tasks = s.images / part * c.partTasks()
		if least > 0 && (images*rows*q.across > most || c.tasks < min(leastTasks, s.images)) {
			return
		}
		// What it takes on one thread and on two: the tiles of all tasks, and as much as
		// one for each task.
		var halves [2]int
		for task := range c.tasks {
			half := 0
			if task >= c.tasks/2 {
				half = 1
			}
			halves[half] += 1 + (c.task(task).n+s.loops.tile-1)/s.loops.tile
		}
		if cost := halves[0] + halves[1] + 2*max(halves[0], halves[1]); least == 0 || cost < least {
			least, *q = cost, c
		}
	}
	for rows := range q.down {
		try(s.images, 1, rows+1)
	}
	for images := range s.images {
		try(s.images, images+1, q.down)
		if s.images%2 == 0 {
			try(s.images/2, images+1, q.down)
		}
	}
	q.most = q.images * q.rows * q.across
	q.at, q.to, q.lines = s.loops.wholeTiles(q.most, s.srcC), s.loops.wholeTiles(q.most, s.outC), s.loops.wholeTiles(s.srcC, 1)
	return q
}

// wholeTiles is n offsets that are step apart, filled up to whole tiles by repeating the
// last one.
func (l *loops) wholeTiles(n, step int) []int {
	t := multiples(n, step)
	for len(t)%l.tile > 0 {
		t = append(t, t[n-1])
	}
	return t
}

// squareTask is the squares of a task, none after the last one: from one row of squares of an image to
// another, or those of some images.
type squareTask struct {
	image, images int
	row, rows     int
	n             int
}

func (q *squares) task(task int) squareTask {
	if task >= q.tasks {
		return squareTask{}
	}
	each, strips := q.partTasks(), (q.down+q.rows-1)/q.rows
	first, task := task/each*q.part, task%each
	t := squareTask{image: first + task/strips*q.images, row: task % strips * q.rows}
	t.images, t.rows = min(q.images, first+q.part-t.image), min(q.rows, q.down-t.row)
	t.n = t.images * t.rows * q.across
	return t
}

// partTasks is how many tasks a part is.
func (q *squares) partTasks() int {
	return (q.part + q.images - 1) / q.images * ((q.down + q.rows - 1) / q.rows)
}

// each calls f for every square: its number, image, and first pixel.
func (t squareTask) each(across int, f func(i, image, y, x int)) {
	i := 0
	for image := t.image; image < t.image+t.images; image++ {
		for y := t.row; y < t.row+t.rows; y++ {
			for x := range across {
				f(i, image, y*square, x*square)
				i++
			}
		}
	}
}

// pixels is the first pixel of the output of a task, and how many there are.
func (t squareTask) pixels(s *sweep) (first, n int) {
	y := t.row * square
	return (t.image*s.outH + y) * s.outW, t.images * min(t.rows*square, s.outH-y) * s.outW
}

// transform is a transform of squares, as loops over vectors of 8 and of 16 numbers.
type transform struct {
	eight, sixteen func(n int, src *float32, down, across int, dst *float32, dstDown, dstAcross int, scratch *float32)
}

var (
	dataSquare     = transform{dataSquareAVX2, dataSquareAVX512}
	outputSquare   = transform{outputSquareAVX2, outputSquareAVX512}
	gradientSquare = transform{gradientSquareAVX2, gradientSquareAVX512}
	filterSquare   = transform{filterSquareAVX2, filterSquareAVX512}
	weightSquare   = transform{weightSquareAVX2, weightSquareAVX512}
)

// run transforms the squares of n channels, a multiple of 8.
func (t *transform) run(n int, src []float32, down, across int, dst []float32, dstDown, dstAcross int, scratch []float32) {
	first := 0
	if haveAVX512 && n >= wide {
		t.sixteen(n/wide, &src[0], down, across, &dst[0], dstDown, dstAcross, &scratch[0])
		first = n / wide * wide
	}
	if first < n {
		t.eight((n-first)/slim, &src[first], down, across, &dst[first], dstDown, dstAcross, &scratch[0])
	}
}

// transformFilters turns packed weights, blocks of 9 taps, into blocks of 36 products.
func transformFilters(ws *Workers, worker int, s *sweep, packed []float32) {
	u := s.filters(ws, worker)
	scratch := buffer[float32](ws, worker, slotColumns, products*wide)
	for i, b := range s.blocks {
		n := s.srcC * b.width
		filterSquare.run(n, packed[b.at:], 3*n, n, u[s.transformed(i):], patch*(n+aside), n+aside, scratch)
	}
}

// filters is where a worker has its transformed filters.
func (s *sweep) filters(ws *Workers, worker int) []float32 {
	return buffer[float32](ws, worker, slotFilters, s.weights/9*products+len(s.blocks)*products*aside)
}

// transformed is where the transformed filters of a block begin.
func (s *sweep) transformed(block int) int {
	return s.blocks[block].at/9*products + block*products*aside
}

// transformSource writes the products of the squares of a task, stride apart.
func transformSource(ws *Workers, worker int, s *sweep, src []float32, t squareTask, to []float32, stride int) {
	c := s.srcC
	scratch := buffer[float32](ws, worker, slotColumns, products*(wide+c))
	scratch, edge := scratch[:products*wide], scratch[products*wide:]
	t.each(s.squares.across, func(i, image, y, x int) {
		y, x = y+s.taps[0].y, x+s.taps[0].x
		from, down, across := edge, patch*c, c
		if y >= 0 && x >= 0 && y+patch <= s.srcH && x+patch <= s.srcW {
			from, down, across = src[((image*s.srcH+y)*s.srcW+x)*s.srcPitch:], s.srcW*s.srcPitch, s.srcPitch
		} else {
			copySquare(edge, patch, src[image*s.srcH*s.srcW*s.srcPitch:], s.srcH, s.srcW, c, s.srcPitch, y, x)
		}
		dataSquare.run(c, from, down, across, to[i*c:], patch*stride, stride, scratch)
	})
}

// copySquare copies the pixels of an image from (y,x) on, zeros where there are
// none, into a square.
func copySquare(dst []float32, side int, image []float32, h, w, c, pitch, y, x int) {
	lo, hi := min(max(-x, 0), side), max(min(w-x, side), 0)
	for r := range side {
		row := dst[r*side*c:][:side*c]
		if y+r < 0 || y+r >= h || lo >= hi {
			clear(row)
			continue
		}
		clear(row[:lo*c])
		clear(row[hi*c:])
		copyPixels(row[lo*c:], c, image[((y+r)*w+x+lo)*pitch:], pitch, hi-lo, c)
	}
}

// convolveSquares is the pass of s with packed weights.
func convolveSquares(ws *Workers, s *sweep, src, packed, dst []float32, parts []tally) {
	q, c, k := s.squares, s.srcC, s.outC
	from, to := q.most*c+aside, q.most*k+aside
	ws.runPrepared(q.tasks, func(worker int) { transformFilters(ws, worker, s, packed) }, func(worker, task int) {
		t := q.task(task)
		u := s.filters(ws, worker)
		v := buffer[float32](ws, worker, slotInput, products*from)
		m := buffer[float32](ws, worker, slotOutput, products*to)
		transformSource(ws, worker, s, src, t, v, from)
		tiles := (t.n + s.loops.tile - 1) / s.loops.tile
		// The products work in the nearest memory: meanwhile what is written after
		// them can come, and what is read in the task that is likely to be next.
		soon, later := s.outputOf(dst, t), s.sourceOf(src, q.task(task+1))
		for p := range products {
			fetch(soon, p)
			fetch(later, p)
			for i, b := range s.blocks {
				w := &u[s.transformed(i)+p*(c*b.width+aside)]
				convolveBlock(b, tiles, &v[p*from], q.at, q.at[:1], c, w, &m[p*to+b.first], q.to)
			}
		}
		scratch := buffer[float32](ws, worker, slotColumns, products*(wide+k))
		scratch, edge := scratch[:products*wide], scratch[products*wide:]
		t.each(q.across, func(i, image, y, x int) {
			pixel := dst[((image*s.outH+y)*s.outW+x)*s.dstPitch:]
			if y+square <= s.outH && x+square <= s.outW {
				outputSquare.run(k, m[i*k:], patch*to, to, pixel, s.outW*s.dstPitch, s.dstPitch, scratch)
				return
			}
			outputSquare.run(k, m[i*k:], patch*to, to, edge, square*k, k, scratch)
			for r := range min(square, s.outH-y) {
				copyPixels(pixel[r*s.outW*s.dstPitch:], s.dstPitch, edge[r*square*k:], k, min(square, s.outW-x), k)
			}
		})
		if parts != nil {
			p, n := t.pixels(s)
			observe(dst[p*s.dstPitch:], n, k, s.dstPitch, parts[task*k:][:k])
		}
	})
}

// correlateSquares writes the gradient of the filters over some tasks, blocks of 9
// taps.
func correlateSquares(ws *Workers, worker int, s *sweep, src, dy []float32, first, end int, to []float32) {
	q, c, k, lines := s.squares, s.srcC, s.outC, len(s.squares.lines)
	vStride, dStride := q.most*c+aside, q.most*k+aside
	v := buffer[float32](ws, worker, slotInput, products*vStride)
	d := buffer[float32](ws, worker, slotOutput, products*dStride)
	sums := buffer[float32](ws, worker, slotSums, products*lines*k)
	clear(sums)
	scratch := buffer[float32](ws, worker, slotEdge, products*(wide+k))
	scratch, edge := scratch[:products*wide], scratch[products*wide:]
	for task := first; task < end; task++ {
		t := q.task(task)
		transformSource(ws, worker, s, src, t, v, vStride)
		t.each(q.across, func(i, image, y, x int) {
			g, down, across := edge, square*k, k
			if y+square <= s.outH && x+square <= s.outW {
				g, down, across = dy[((image*s.outH+y)*s.outW+x)*s.dstPitch:], s.outW*s.dstPitch, s.dstPitch
			} else {
				copySquare(edge, square, dy[image*s.outH*s.outW*s.dstPitch:], s.outH, s.outW, k, s.dstPitch, y, x)
			}
			gradientSquare.run(k, g, down, across, d[i*k:], patch*dStride, dStride, scratch)
		})
		next := s.squares.task(task + 1)
		x, g := s.sourceOf(src, next), s.outputOf(dy, next)
		for p := range products {
			fetch(x, p)
			fetch(g, p)
			for _, b := range s.blocks {
				sum := &sums[(b.first*products+p*b.width)*lines]
				correlateRows(b, q.lines, &v[p*vStride], q.at[:t.n], &d[p*dStride+b.first], k, sum)
			}
		}
	}
	for _, b := range s.blocks {
		n := c * b.width
		weightSquare.run(n, sums[b.first*products*lines:], patch*lines*b.width, lines*b.width, to[b.at:], 3*n, n, scratch)
	}
}

// outputOf is the part of the output that the squares of a task are.
func (s *sweep) outputOf(dst []float32, t squareTask) []float32 {
	if t.n == 0 {
		return nil
	}
	first, n := t.pixels(s)
	return pixels(dst, first, first+n, s.outC, s.dstPitch)
}

// pixels is a range of pixels.
func pixels(x []float32, from, to, c, pitch int) []float32 {
	if to <= from {
		return nil
	}
	return x[from*pitch:][:(to-1-from)*pitch+c]
}

// sourceOf is the part of the source that the squares of a task lie in.
func (s *sweep) sourceOf(src []float32, t squareTask) []float32 {
	if t.n == 0 {
		return nil
	}
	y := max(t.row*square+s.taps[0].y, 0)
	end := min((t.row+t.rows)*square+s.taps[0].y+2, s.srcH)
	return pixels(src, (t.image*s.srcH+y)*s.srcW, ((t.image+t.images-1)*s.srcH+end)*s.srcW, s.srcC, s.srcPitch)
}

// fetch asks for the part p, of as many as there are products, of some memory.
func fetch(x []float32, p int) {
	const line = 16
	from, to := len(x)*p/products, len(x)*(p+1)/products
	if n := (to - from + line - 1) / line; n > 0 {
		prefetchAVX2(n, &x[from])
	}
}
