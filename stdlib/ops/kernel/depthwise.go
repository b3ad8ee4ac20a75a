package kernel

// A depthwise convolution has one filter per channel. It runs plane by plane on
// the shifted layout; a stride is a convolution with stride 1 of which only some
// results are kept, and in the backward pass one whose gradient has zeros in
// between.

// dense is one plane of g with stride 1.
func (g Conv) dense() Conv {
	return Conv{B: 1, C: 1, H: g.H, W: g.W, K: 1,
		OH: (g.OH-1)*g.Stride + 1, OW: (g.OW-1)*g.Stride + 1,
		Kernel: g.Kernel, Stride: 1, Dilation: g.Dilation, Groups: 1, Pad: g.Pad, Row: g.Row}
}

func depthwiseForward[T Float](ws *Workers, g Conv, x, w, y []T) {
	lay := ws.layout(g.dense())
	kk, in, out := g.taps(), g.H*g.W, g.OH*g.OW
	pitch := roundUp(lay.pixels, cols)
	ws.Run(g.B, func(worker, b int) {
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		sums := buffer[T](ws, worker, slotOutput, pitch)
		clear(padded)
		for p := b * g.C; p < (b+1)*g.C; p++ {
			place(lay, padded, x[p*in:])
			weigh(sums, padded, lay.off, w[p%g.C*kk:][:kk])
			dst := y[p*out:][:out]
			if g.Stride == 1 {
				gather(lay, dst, sums)
				continue
			}
			for oy := range g.OH {
				row := sums[oy*g.Stride*lay.width:]
				for ox := range g.OW {
					dst[oy*g.OW+ox] = row[ox*g.Stride]
				}
			}
		}
	})
}

func depthwiseGradInput[T Float](ws *Workers, g Conv, w, dy, dx []T) {
	d := g.dense()
	back := Conv{B: 1, C: 1, H: d.OH, W: d.OW, K: 1, OH: g.H, OW: g.W,
		Kernel: g.Kernel, Stride: 1, Dilation: g.Dilation, Groups: 1, Pad: g.reach() - g.Pad, Row: g.Row}
	lay := ws.layout(back)
	kk, in, out := g.taps(), g.H*g.W, g.OH*g.OW
	pitch := roundUp(lay.pixels, cols)
	turned := buffer[T](ws, 0, slotWeights, g.C*kk)
	for c := range g.C {
		for t := range kk {
			turned[c*kk+t] = w[c*kk+kk-1-t]
		}
	}
	ws.Run(g.B, func(worker, b int) {
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		sums := buffer[T](ws, worker, slotOutput, pitch)
		clear(padded)
		for p := b * g.C; p < (b+1)*g.C; p++ {
			spread(padded[lay.first():], lay.width, g.OH, g.OW, g.Stride, dy[p*out:])
			weigh(sums, padded, lay.off, turned[p%g.C*kk:][:kk])
			gather(lay, dx[p*in:][:in], sums)
		}
	})
}

func depthwiseGradWeight[T Float](ws *Workers, g Conv, x, dy, dw []T) {
	lay := ws.layout(g.dense())
	kk, in, out := g.taps(), g.H*g.W, g.OH*g.OW
	pitch := roundUp(lay.pixels, cols)
	chunks := min(g.B, gradChunks)
	size := g.Weights()
	partial := buffer[T](ws, 0, slotPartial, chunks*size)
	ws.Run(chunks, func(worker, chunk int) {
		sum := partial[chunk*size:][:size]
		clear(sum)
		padded := buffer[T](ws, worker, slotInput, lay.inputSize(1))
		grad := buffer[T](ws, worker, slotOutput, pitch)
		clear(grad)
		clear(padded)
		for b := chunk * g.B / chunks; b < (chunk+1)*g.B/chunks; b++ {
			for c := range g.C {
				p := b*g.C + c
				place(lay, padded, x[p*in:])
				spread(grad, lay.width, g.OH, g.OW, g.Stride, dy[p*out:])
				dots(grad, padded, lay.off, sum[c*kk:][:kk])
			}
		}
	})
	sumPartials(dw, partial, chunks)
}

// place copies a plane into the middle of a padded one.
func place[T Float](lay *layout, padded, src []T) {
	dst := padded[lay.first():]
	for r := range lay.H {
		copy(dst[r*lay.width:][:lay.W], src[r*lay.W:])
	}
}

// spread writes the pixels of a plane step apart.
func spread[T Float](dst []T, width, h, w, step int, src []T) {
	for y := range h {
		row, from := dst[y*step*width:], src[y*w:][:w]
		if step == 1 {
			copy(row, from)
			continue
		}
		for x, v := range from {
			row[x*step] = v
		}
	}
}
