package kernel

//go:generate go -C gen run . -pkg kernel -out ../loops_amd64.s -stubs ../loops_amd64.go -other ../loops_other.go

// ConvForward computes y = x * w. With m it also writes the moments of the channels
// of y, gathered while y is written. The filters in w are those of one convolution,
// or of several with the same input and geometry, one after the other along K.
func ConvForward[T Float](ws *Workers, g Conv, x []T, w [][]T, y []T, m *Moments[T]) {
	s := ws.sweeps(g, false).forward
	cg, kg, kk := g.C/g.Groups, g.K/g.Groups, g.window()
	packed := pack(ws, s, func(b panel, to []T) { packFilters(to, b.width, w, b.group*kg+b.first, b.count, cg, kk) })
	convolve(ws, s, x, packed, y, m)
}

// ConvGradInput computes the gradient of x from that of y.
func ConvGradInput[T Float](ws *Workers, g Conv, w [][]T, dy, dx []T) {
	cg, kg, kk := g.C/g.Groups, g.K/g.Groups, g.window()
	sweeps := ws.sweeps(g, false)
	clearUnseen(ws, sweeps, dx)
	for _, s := range sweeps.backward {
		if len(s.taps) == 0 {
			continue
		}
		packed := pack(ws, s, func(b panel, to []T) {
			if s.channelwise {
				for c := range b.count {
					row := filter(w, b.first+c, kk)
					for t, tap := range s.taps {
						to[t*b.width+c] = row[tap.index]
					}
				}
				return
			}
			packTurned(to, b.width, w, b.group*kg, kg, b.first, b.count, cg, kk, s.taps)
		})
		convolve(ws, s, dy, packed, dx, nil)
	}
}

// convolve runs a sweep with packed weights.
func convolve[T Float](ws *Workers, s *sweep, src, packed, dst []T, m *Moments[T]) {
	tasks := s.tasks
	if bySquares[T](s) {
		tasks = s.squares.tasks
	}
	var parts []tally
	if m != nil {
		parts = ws.tallies(tasks * s.outC)
	}
	if bySquares[T](s) {
		convolveSquares(ws, s, floats(src), floats(packed), floats(dst), parts)
	} else {
		ws.Run(tasks, func(worker, task int) {
			image, row, grid := s.part(task)
			in := input(ws, worker, s, src, image, row, grid, 0)
			out := dst[s.first(image, row):]
			convolveTask(s, in, packed, out, grid)
			if m != nil {
				observe(out, grid.pixels, s.outC, s.dstPitch, parts[task*s.outC:][:s.outC])
			}
		})
	}
	if m != nil {
		merge(ws, parts, m)
	}
}

// bySquares reports whether s is computed by squares.
func bySquares[T Float](s *sweep) bool { return s.squares != nil && single[T]() && haveAVX2 }

// ConvGradWeight computes the gradients of the filters from that of y.
func ConvGradWeight[T Float](ws *Workers, g Conv, x, dy []T, dw [][]T) {
	s := ws.sweeps(g, false).forward
	cg, kg, kk := g.C/g.Groups, g.K/g.Groups, g.window()
	blocks, size, tasks := s.gradBlocks, s.gradWeights, s.tasks
	if bySquares[T](s) {
		blocks, size, tasks = s.blocks, s.weights, s.squares.tasks
	}
	chunks := min(tasks, gradChunks)
	partial := buffer[T](ws, 0, slotPartial, chunks*size)
	of := func(chunk int) []T { return partial[chunk*size:][:size] }
	var summed pairs
	ws.Run(chunks, func(worker, chunk int) {
		from, to := chunk*tasks/chunks, (chunk+1)*tasks/chunks
		if bySquares[T](s) {
			correlateSquares(ws, worker, s, floats(x), floats(dy), from, to, floats(of(chunk)))
		} else {
			correlate(ws, worker, s, x, dy, from, to, of(chunk))
		}
		summed.done(chunk, chunks, func(first, second int) { Accumulate(of(first), of(second)) })
	})
	ws.runSome(len(blocks), 2*size, func(_, i int) {
		b := blocks[i]
		sums := of(0)[b.at:][:b.width*cg*kk]
		if chunks > gradChunks/2 {
			Accumulate(sums, of(gradChunks / 2)[b.at:])
		}
		unpackFilters(sums, b.width, dw, b.group*kg+b.first, b.count, cg, kk)
	})
}

// correlate writes the gradient of the filters over some tasks, in blocks of lines.
func correlate[T Float](ws *Workers, worker int, s *sweep, x, dy []T, first, end int, sums []T) {
	clear(sums)
	for task := first; task < end; task++ {
		image, row, grid := s.part(task)
		in := input(ws, worker, s, x, image, row, grid, 0)
		out := dy[s.first(image, row):]
		for _, b := range s.gradBlocks {
			sums := sums[b.at:][:b.width*len(s.lines)]
			if s.channelwise {
				correlateTaps(b, s.lines, in[b.first:], grid.at[:grid.pixels], out[b.first:], s.dstPitch, sums)
			} else {
				correlateBlock(b, s.lines, in[b.group*s.srcC/s.groups:], grid.at[:grid.pixels], out[b.group*s.outC/s.groups+b.first:], s.dstPitch, sums)
			}
		}
	}
}

// convolveTask computes all channels of the pixels of a task.
func convolveTask[T Float](s *sweep, in, packed, out []T, g *grid) {
	if s.channelwise {
		weigh(s, in, packed, out, g)
		return
	}
	cg, kg := s.srcC/s.groups, s.outC/s.groups
	for _, b := range s.blocks {
		in, out, w := in[b.group*cg:], out[b.group*kg+b.first:], packed[b.at:][:b.width*s.length()]
		switch {
		case !single[T]() || !haveAVX2:
			convolveGo(in, g.at[:g.pixels], s.segments, s.run, w, b.width, out, g.to, b.count)
		default:
			convolveBlock(b, len(g.at)/s.loops.tile, ptr(in), g.at, s.segments, s.run, ptr(w), ptr(out), g.to)
		}
	}
}

// convolveBlock computes the channels of a block for every pixel of so many tiles.
func convolveBlock(b panel, tiles int, src *float32, at, segments []int, run int, w, dst *float32, to []int) {
	switch {
	case b.width == broad:
		convolve32AVX512(tiles, src, &at[0], &segments[0], len(segments), run, w, dst, &to[0], b.count)
	case b.width == wide && haveAVX512:
		convolve16AVX512(tiles, src, &at[0], &segments[0], len(segments), run, w, dst, &to[0], b.count)
	case b.width == wide:
		convolve16AVX2(tiles, src, &at[0], &segments[0], len(segments), run, w, dst, &to[0], b.count)
	case haveAVX512:
		convolve8AVX512(tiles, src, &at[0], &segments[0], len(segments), run, w, dst, &to[0], b.count)
	default:
		convolve8AVX2(tiles, src, &at[0], &segments[0], len(segments), run, w, dst, &to[0], b.count)
	}
}

// convolveGo computes the first channels of a block, of so many packed ones, for
// every pixel.
func convolveGo[T Float](src []T, at, segments []int, run int, w []T, width int, dst []T, to []int, channels int) {
	for p, first := range at {
		out := dst[to[p]:][:channels]
		for k := 0; k < channels; k += 4 {
			var s [4]T
			l := k
			for _, o := range segments {
				for _, v := range src[first+o:][:run] {
					q := w[l : l+4 : l+4]
					s[0] += v * q[0]
					s[1] += v * q[1]
					s[2] += v * q[2]
					s[3] += v * q[3]
					l += width
				}
			}
			copy(out[k:], s[:])
		}
	}
}

// correlateBlock adds to the rows of sums, as wide as b, the sum over the pixels at
// of the source, moved by the offset of the row, times the channels of dy.
func correlateBlock[T Float](b panel, rows []int, src []T, at []int, dy []T, pitch int, sums []T) {
	if single[T]() && haveAVX2 {
		correlateRows(b, rows, ptr(src), at, ptr(dy), pitch, ptr(sums))
	} else {
		correlateRowsGo(rows, src, at, dy, pitch, sums, b.width, b.count)
	}
}

// correlateRows is correlateBlock in assembly, for whole tiles of rows.
func correlateRows(b panel, rows []int, src *float32, at []int, dy *float32, pitch int, sums *float32) {
	n := len(rows) / planned().tile
	switch {
	case b.width == broad:
		correlate32AVX512(n, &rows[0], len(at), src, &at[0], dy, pitch, sums)
	case b.width == wide && haveAVX512:
		correlate16AVX512(n, &rows[0], len(at), src, &at[0], dy, pitch, sums, b.count)
	case b.width == wide:
		correlate16AVX2(n, &rows[0], len(at), src, &at[0], dy, pitch, sums)
	case haveAVX512:
		correlate8AVX512(n, &rows[0], len(at), src, &at[0], dy, pitch, sums, b.count)
	default:
		correlate8AVX2(n, &rows[0], len(at), src, &at[0], dy, pitch, sums, &masks[slim-b.count])
	}
}

func correlateRowsGo[T Float](rows []int, src []T, at []int, dy []T, pitch int, sums []T, width, channels int) {
	for r, o := range rows {
		var s [broad]T
		for p, first := range at {
			v := src[first+o]
			for k, d := range dy[p*pitch:][:channels] {
				s[k] += v * d
			}
		}
		for k, v := range s[:channels] {
			sums[r*width+k] += v
		}
	}
}

// masks holds the mask of the first n of eight numbers at 8-n.
var masks = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}
