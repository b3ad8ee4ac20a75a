package kernel

// Conv is the geometry of a square convolution. Output (oy,ox) reads input rows
// oy*Stride + ky*Dilation - Pad, likewise for columns; whatever lies outside of
// the input is zero. A negative Pad shifts the window into the image.
type Conv struct {
	B, C, H, W int // input
	K, OH, OW  int // output
	Kernel     int
	Stride     int
	Dilation   int
	Groups     int
	Pad        int
	Row        bool // the filter is one row of Kernel weights, and there is no padding above

	XPitch, YPitch int // from one pixel to the next in memory; 0: C and K
}

// height is the number of rows of a filter.
func (g Conv) height() int {
	if g.Row {
		return 1
	}
	return g.Kernel
}

// above is the number of rows of padding.
func (g Conv) above() int {
	if g.Row {
		return 0
	}
	return g.Pad
}

// window is the number of weights of a filter for one channel.
func (g Conv) window() int { return g.height() * g.Kernel }

// reach is how far the last column of taps lies from the first, fall the same for
// rows.
func (g Conv) reach() int { return g.Dilation * (g.Kernel - 1) }
func (g Conv) fall() int  { return g.Dilation * (g.height() - 1) }

// taps is the number of weights of one filter.
func (g Conv) taps() int { return g.C / g.Groups * g.window() }

// Weights is the number of weights.
func (g Conv) Weights() int { return g.K * g.taps() }

// depthwise reports whether there is one filter per channel, and no window lies
// outside of the image.
func (g Conv) depthwise() bool {
	return g.Groups > 1 && g.Groups == g.C && g.Groups == g.K && g.Pad >= 0 && g.Pad <= g.reach()
}

// pointwise reports whether the images are their own patch matrices.
func (g Conv) pointwise() bool {
	return g.Kernel == 1 && g.Stride == 1 && g.Pad == 0 && g.Groups == 1 &&
		g.OH*g.OW%cols == 0 && g.H == g.OH && g.W == g.OW
}

// shifted reports whether taps are shifts of a padded image.
func (g Conv) shifted() bool { return g.Stride == 1 && g.Pad >= 0 && g.Pad <= g.reach() }

// planesForward computes y = x * w.
func planesForward[T Float](ws *Workers, g Conv, x, w, y []T) {
	if g.depthwise() {
		depthwiseForward(ws, g, x, w, y)
		return
	}
	kg, taps := g.K/g.Groups, g.taps()
	block := roundUp(kg, rows) * taps
	packed := buffer[T](ws, 0, slotWeights, g.Groups*block)
	for gr := range g.Groups {
		wg := w[gr*kg*taps:]
		packRows(packed[gr*block:], kg, taps, func(i, j int) T { return wg[i*taps+j] })
	}
	convolve(ws, g, x, packed, y)
}

// planesGradInput computes the gradient of x from that of y.
func planesGradInput[T Float](ws *Workers, g Conv, w, dy, dx []T) {
	if g.depthwise() {
		depthwiseGradInput(ws, g, w, dy, dx)
		return
	}
	cg, kg, taps, kk := g.C/g.Groups, g.K/g.Groups, g.taps(), g.window()
	if g.shifted() {
		// A convolution of dy with the filters turned around.
		block := roundUp(cg, rows) * kg * kk
		packed := buffer[T](ws, 0, slotWeights, g.Groups*block)
		for gr := range g.Groups {
			wg := w[gr*kg*taps:]
			packRows(packed[gr*block:], cg, kg*kk, func(c, j int) T {
				return wg[j/kk*taps+c*kk+kk-1-j%kk]
			})
		}
		back := Conv{B: g.B, C: g.K, H: g.OH, W: g.OW, K: g.C, OH: g.H, OW: g.W,
			Kernel: g.Kernel, Stride: 1, Dilation: g.Dilation, Groups: g.Groups, Pad: g.reach() - g.Pad, Row: g.Row}
		convolve(ws, back, dy, packed, dx)
		return
	}
	block := roundUp(taps, rows) * kg
	packed := buffer[T](ws, 0, slotWeights, g.Groups*block)
	for gr := range g.Groups {
		wg := w[gr*kg*taps:]
		packRows(packed[gr*block:], taps, kg, func(l, k int) T { return wg[k*taps+l] })
	}
	area := g.OH * g.OW
	pitch := roundUp(area, cols)
	off := offsets(kg, func(k int) int { return k * pitch })
	ws.Run(g.B, func(worker, b int) {
		in := buffer[T](ws, worker, slotInput, kg*pitch+cols)
		out := buffer[T](ws, worker, slotColumns, roundUp(taps, rows)*pitch)
		image := dx[b*g.C*g.H*g.W:][:g.C*g.H*g.W]
		clear(image)
		for gr := range g.Groups {
			for k := range kg {
				copy(in[k*pitch:][:area], dy[((b*g.K)+gr*kg+k)*area:][:area])
			}
			multiply(taps, area, packed[gr*block:], in, off, out, pitch)
			addPatches(g, out, pitch, image[gr*cg*g.H*g.W:])
		}
	})
}

// gradChunks is how many partial weight gradients are summed at the end.
const gradChunks = 8

// planesGradWeight computes the gradient of w from that of y.
func planesGradWeight[T Float](ws *Workers, g Conv, x, dy, dw []T) {
	if g.depthwise() {
		depthwiseGradWeight(ws, g, x, dy, dw)
		return
	}
	if g.pointwise() && g.K%rows == 0 {
		pointwiseGradWeight(ws, g, x, dy, dw)
		return
	}
	lay := ws.layout(g)
	cg, kg, taps := g.C/g.Groups, g.K/g.Groups, g.taps()
	tasks := (g.B + lay.images - 1) / lay.images
	perChunk := (tasks + gradChunks - 1) / gradChunks
	chunks := (tasks + perChunk - 1) / perChunk
	size := g.Weights()
	partial := buffer[T](ws, 0, slotPartial, chunks*size)
	pitch := roundUp(lay.pixels, cols)
	ws.Run(chunks, func(worker, chunk int) {
		sum := partial[chunk*size:][:size]
		clear(sum)
		in := buffer[T](ws, worker, slotInput, lay.inputSize(cg))
		out := buffer[T](ws, worker, slotOutput, roundUp(kg, rows)*pitch)
		for task := chunk * perChunk; task < min(tasks, (chunk+1)*perChunk); task++ {
			b := task * lay.images
			n := min(lay.images, g.B-b)
			for gr := range g.Groups {
				load(lay, in, x, b, n, gr)
				clear(out[:kg*pitch])
				for j := range n {
					for k := range kg {
						src := dy[((b+j)*g.K+gr*kg+k)*g.OH*g.OW:]
						scatter(lay, out[k*pitch+j*lay.image:], src)
					}
				}
				correlate(kg, pitch, out, pitch, in, lay.off, sum[gr*kg*taps:][:kg*taps])
			}
		}
	})
	sumPartials(dw, partial, chunks)
}

// pointwiseGradWeight needs no copy of the images.
func pointwiseGradWeight[T Float](ws *Workers, g Conv, x, dy, dw []T) {
	area, size, chunks := g.OH*g.OW, g.Weights(), min(g.B, gradChunks)
	partial := buffer[T](ws, 0, slotPartial, chunks*size)
	off := ws.layout(g).planes
	ws.Run(chunks, func(_, chunk int) {
		sum := partial[chunk*size:][:size]
		clear(sum)
		for b := chunk * g.B / chunks; b < (chunk+1)*g.B/chunks; b++ {
			correlate(g.K, area, dy[b*g.K*area:][:g.K*area], area, x[b*g.C*area:][:g.C*area], off, sum)
		}
	})
	sumPartials(dw, partial, chunks)
}

// sumPartials adds up equally long vectors in order.
func sumPartials[T Float](dst, partial []T, n int) {
	copy(dst, partial)
	for i := 1; i < n; i++ {
		Accumulate(dst, partial[i*len(dst):][:len(dst)])
	}
}

// convolve is the forward pass with packed weights.
func convolve[T Float](ws *Workers, g Conv, x, packed, y []T) {
	cg, kg, taps := g.C/g.Groups, g.K/g.Groups, g.taps()
	area := g.OH * g.OW
	if g.pointwise() && kg%rows == 0 {
		off := ws.layout(g).planes
		ws.Run(g.B, func(_, b int) {
			multiply(kg, area, packed, x[b*g.C*area:][:g.C*area], off, y[b*g.K*area:][:g.K*area], area)
		})
		return
	}
	lay := ws.layout(g)
	pitch := roundUp(lay.pixels, cols)
	block := roundUp(kg, rows) * taps
	ws.Run((g.B+lay.images-1)/lay.images, func(worker, task int) {
		b := task * lay.images
		n := min(lay.images, g.B-b)
		in := buffer[T](ws, worker, slotInput, lay.inputSize(cg))
		out := buffer[T](ws, worker, slotOutput, roundUp(kg, rows)*pitch)
		for gr := range g.Groups {
			load(lay, in, x, b, n, gr)
			multiply(kg, lay.pixels, packed[gr*block:], in, lay.off, out, pitch)
			for j := range n {
				for k := range kg {
					dst := y[((b+j)*g.K+gr*kg+k)*area:][:area]
					gather(lay, dst, out[k*pitch+j*lay.image:])
				}
			}
		}
	})
}
