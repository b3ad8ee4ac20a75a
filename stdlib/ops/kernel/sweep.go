package kernel

// sweep is a convolution as the inner loops see it: every pixel of a grid adds up
// the taps of a filter over a source, and is written to a destination. The forward
// pass is one sweep. So is the gradient of the input with stride 1, with the
// filter turned around; with stride s there are s*s, one for every position of an
// input pixel between the windows, each with the taps that reach it.
type sweep struct {
	images               int
	srcH, srcW, srcC     int
	srcPitch             int
	outH, outW, outC     int // the grid
	step                 int // source pixels from one pixel of the grid to the next
	taps                 []tap
	groups               int
	dstH, dstW, dstPitch int
	dstStep              int // destination pixels from one pixel of the grid to the next
	dstY, dstX           int // where the first one lies

	channelwise bool // an output channel reads the same channel of the source alone
	pooling     bool // the source is always copied, whole images at a time

	// A task is some whole images, or some rows of one image. Its part of the source
	// is copied into scratch memory with zeros around it, unless no tap lies outside.
	direct        bool
	perTask, rows int // images, or rows of the grid
	tasks         int
	top, left     int // of scratch memory, from the first pixel of the grid
	width, height int // of scratch memory for one image, for rows rows
	segments      []int
	run           int
	whole, last   grid // the pixels of a task; the last ones of an image or a batch may be fewer

	blocks      []panel // of output channels, with packed weights
	weights     int     // how many there are
	lines       []int   // for every number that a pixel adds up, where it lies; whole tiles
	gradBlocks  []panel // of output channels, with sums for every line
	gradWeights int     // how many there are

	loops   *loops
	squares *squares // if it is better computed by squares
}

// tap is where a weight of the filter, the index-th of a channel, meets the
// source, from the place of the pixel.
type tap struct{ y, x, index int }

// grid lists the pixels of a task: where in the source their segments begin, and
// where they are written. It is filled up to a whole number of tiles by
// repeating the last one.
type grid struct {
	images, rows int
	pixels       int
	at, to       []int
}

const (
	scratchTarget = 24 << 10 // numbers in the scratch memory of a task
	pixelTarget   = 1024     // pixels of a task
	leastPixels   = 96       // pixels of a task if an image has as many
	leastTasks    = 8        // tasks, if there are enough pixels
)

// forwardSweep is the forward pass of g.
func forwardSweep(g Conv, pooling bool) *sweep {
	s := &sweep{images: g.B, srcH: g.H, srcW: g.W, srcC: g.C, outH: g.OH, outW: g.OW, outC: g.K,
		step: g.Stride, groups: g.Groups, channelwise: pooling || g.depthwise(), pooling: pooling, dstH: g.OH, dstW: g.OW, dstStep: 1}
	s.srcPitch, s.dstPitch = g.pitches()
	for ky := range g.height() {
		for kx := range g.Kernel {
			s.taps = append(s.taps, tap{ky*g.Dilation - g.above(), kx*g.Dilation - g.Pad, ky*g.Kernel + kx})
		}
	}
	s.plan()
	return s
}

// backwardSweeps are the gradient of the input of g.
func backwardSweeps(g Conv, pooling bool) []*sweep {
	var all []*sweep
	rows := g.Stride
	if g.Row {
		rows = 1
	}
	for py := range min(rows, g.H) {
		for px := range min(g.Stride, g.W) {
			s := &sweep{images: g.B, srcH: g.OH, srcW: g.OW, srcC: g.K, outC: g.C, step: 1, groups: g.Groups, channelwise: pooling || g.depthwise(), pooling: pooling,
				outH: (g.H - py + g.Stride - 1) / g.Stride, outW: (g.W - px + g.Stride - 1) / g.Stride,
				dstH: g.H, dstW: g.W, dstStep: g.Stride, dstY: py, dstX: px}
			s.dstPitch, s.srcPitch = g.pitches()
			for ky := g.height() - 1; ky >= 0; ky-- {
				y := py + g.above() - ky*g.Dilation
				for kx := g.Kernel - 1; kx >= 0; kx-- {
					x := px + g.Pad - kx*g.Dilation
					if y%g.Stride == 0 && x%g.Stride == 0 {
						s.taps = append(s.taps, tap{y / g.Stride, x / g.Stride, ky*g.Kernel + kx})
					}
				}
			}
			s.plan()
			all = append(all, s)
		}
	}
	return all
}

// plan fills in the second half of s. Everything follows from the shape.
func (s *sweep) plan() {
	s.loops = planned()
	var bottom, right int
	if len(s.taps) > 0 {
		s.top, s.left = s.taps[0].y, s.taps[0].x
		bottom, right = s.top, s.left
	}
	for _, t := range s.taps {
		s.top, s.left = min(s.top, t.y), min(s.left, t.x)
		bottom, right = max(bottom, t.y), max(right, t.x)
	}
	reach := bottom - s.top
	s.direct = !s.pooling && (!s.channelwise || s.srcC%slim == 0) && s.top >= 0 && s.left >= 0 &&
		(s.outH-1)*s.step+bottom < s.srcH && (s.outW-1)*s.step+right < s.srcW
	s.width = (s.outW-1)*s.step + right - s.left + 1
	high := func(rows int) int { return (rows-1)*s.step + reach + 1 }

	area := s.outH * s.outW
	s.perTask, s.rows = 1, s.outH
	fits := func(images, rows int) bool {
		return images*rows*s.outW <= pixelTarget && (s.direct || images*high(rows)*s.width*s.srcC <= scratchTarget)
	}
	if strips := (leastTasks + s.images - 1) / s.images; strips > 1 && !s.pooling {
		s.rows = max((s.outH+strips-1)/strips, min(s.outH, (leastPixels+s.outW-1)/s.outW))
	}
	for s.rows > 1 && !fits(1, s.rows) && !s.pooling {
		s.rows--
	}
	if strips := (s.outH + s.rows - 1) / s.rows; strips > 1 { // equally many rows to all
		s.rows = (s.outH + strips - 1) / strips
		s.tasks = s.images * ((s.outH + s.rows - 1) / s.rows)
	} else {
		for s.perTask < s.images && fits(s.perTask+1, s.rows) &&
			((s.perTask+1)*leastTasks <= s.images || (s.perTask+1)*area <= leastPixels) {
			s.perTask++
		}
		if s.images*area >= 2*leastPixels {
			s.perTask = evenly(s.images, s.perTask)
		}
		s.tasks = (s.images + s.perTask - 1) / s.perTask
	}
	s.height = high(s.rows)
	if s.direct {
		s.width, s.height, s.top, s.left = s.srcW, s.srcH, 0, 0
	}
	s.segment()
	s.squares = s.cut()
	if s.channelwise {
		s.blocks, s.weights = divide(1, s.outC, s.loops.channelwise, len(s.taps))
		s.gradBlocks, s.gradWeights = divide(1, s.outC, s.loops.taps, len(s.lines))
	} else {
		choices := s.loops.convolution
		if s.squares != nil {
			choices = s.loops.squares
		}
		s.blocks, s.weights = divide(s.groups, s.outC/s.groups, choices, s.length())
		s.gradBlocks, s.gradWeights = divide(s.groups, s.outC/s.groups, s.loops.correlation, len(s.lines))
	}
	s.whole = s.grid(s.perTask, s.rows)
	s.last = s.whole
	if n := s.images % s.perTask; n > 0 {
		s.last = s.grid(n, s.rows)
	} else if r := s.outH % s.rows; r > 0 {
		s.last = s.grid(1, r)
	}
}

// evenly is how many images, at most so many, are a task such that one of two threads
// has, but for a twentieth, half of the images; most if there is no such number.
func evenly(images, most int) int {
	for per := most; per > 0; per-- {
		tasks := (images + per - 1) / per
		if larger := (tasks + 1) / 2 * per; larger*40 <= images*21 {
			return per
		}
	}
	return most
}

// pitch is the distance between pixels where the inner loops read the source.
func (s *sweep) pitch() int {
	if s.direct {
		return s.srcPitch
	}
	return s.srcC
}

// segment says where the taps of a pixel lie, as long runs of numbers as there
// are: without groups, neighbouring taps of a row are one run.
func (s *sweep) segment() {
	together := 1
	if !s.channelwise && s.groups == 1 && s.pitch() == s.srcC {
		for together < len(s.taps) && s.taps[together].y == s.taps[0].y && s.taps[together].x == s.taps[0].x+together {
			together++
		}
		for i, t := range s.taps {
			if first := s.taps[i-i%together]; t.y != first.y || t.x != first.x+i%together || len(s.taps)%together != 0 {
				together = 1
				break
			}
		}
	}
	s.run = together * s.srcC / s.groups // 1 if every channel is on its own
	for i := 0; i < len(s.taps); i += together {
		s.segments = append(s.segments, ((s.taps[i].y-s.top)*s.width+s.taps[i].x-s.left)*s.pitch())
		for j := range s.run {
			s.lines = append(s.lines, s.segments[len(s.segments)-1]+j)
		}
	}
	lines := s.loops.tile
	if s.channelwise {
		lines = nine
	}
	for len(s.lines)%lines > 0 {
		s.lines = append(s.lines, s.lines[len(s.lines)-1])
	}
}

// length is how many numbers every pixel adds up in a group.
func (s *sweep) length() int { return len(s.segments) * s.run }

// grid lists the pixels of so many images or rows.
func (s *sweep) grid(images, rows int) grid {
	g := grid{images: images, rows: rows, pixels: images * rows * s.outW}
	image := s.height
	for i := range images {
		for y := range rows {
			for x := range s.outW {
				g.at = append(g.at, ((i*image+y*s.step)*s.width+x*s.step)*s.pitch())
				g.to = append(g.to, ((i*s.dstH+y*s.dstStep)*s.dstW+x*s.dstStep)*s.dstPitch)
			}
		}
	}
	for len(g.at)%s.loops.tile > 0 {
		g.at, g.to = append(g.at, g.at[g.pixels-1]), append(g.to, g.to[g.pixels-1])
	}
	return g
}

// part is a task: its first image and row, and its pixels.
func (s *sweep) part(task int) (image, row int, g *grid) {
	if s.rows == s.outH {
		image = task * s.perTask
		if image+s.perTask > s.images {
			return image, 0, &s.last
		}
		return image, 0, &s.whole
	}
	strips := (s.outH + s.rows - 1) / s.rows
	image, row = task/strips, task%strips*s.rows
	if row+s.rows > s.outH {
		return image, row, &s.last
	}
	return image, row, &s.whole
}

// first is where in the destination a task begins.
func (s *sweep) first(image, row int) int {
	return ((image*s.dstH+row*s.dstStep+s.dstY)*s.dstW + s.dstX) * s.dstPitch
}

// clearUnseen writes zeros to a gradient of which some pixels are under no tap. It
// does so to all of it, in one pass over memory.
func clearUnseen[T Float](ws *Workers, all *sweeps, dst []T) {
	for _, s := range all.backward {
		if len(s.taps) == 0 {
			Clear(ws, s.images*s.dstH*s.dstW, s.outC, Channels[T]{dst, s.dstPitch})
			return
		}
	}
}

// input is the source of a task as its grid addresses it, copied if need be;
// whatever lies outside of the images is outside.
func input[T Float](ws *Workers, worker int, s *sweep, src []T, image, row int, g *grid, outside T) []T {
	if s.direct {
		return src[(image*s.srcH+row*s.step)*s.srcW*s.srcPitch:]
	}
	line := s.width * s.srcC
	in := buffer[T](ws, worker, slotInput, g.images*s.height*line+wide)
	height := s.height - (s.rows-g.rows)*s.step
	lo, hi := min(max(-s.left, 0), s.width), max(min(s.srcW-s.left, s.width), 0)
	for i := range g.images {
		for y := range height {
			to := in[(i*s.height+y)*line:][:line]
			from := row*s.step + s.top + y
			if from < 0 || from >= s.srcH || lo >= hi {
				fill(to, outside)
				continue
			}
			fill(to[:lo*s.srcC], outside)
			fill(to[hi*s.srcC:], outside)
			at := (((image+i)*s.srcH+from)*s.srcW + s.left + lo) * s.srcPitch
			copyPixels(to[lo*s.srcC:], s.srcC, src[at:], s.srcPitch, hi-lo, s.srcC)
		}
	}
	return in
}

// restore is the inverse of input for whole images: it copies what lies within the
// images from scratch memory, and zeros for what no tap sees.
func restore[T Float](s *sweep, in, dst []T, image int, g *grid) {
	line := s.width * s.srcC
	lo, hi := min(max(s.left, 0), s.srcW), max(min(s.left+s.width, s.srcW), 0)
	for i := range g.images {
		for r := range s.srcH {
			to := dst[((image+i)*s.srcH+r)*s.srcW*s.srcPitch:]
			y := r - s.top
			if y < 0 || y >= s.height || lo >= hi {
				clearPixels(to, s.srcPitch, s.srcW, s.srcC)
				continue
			}
			clearPixels(to, s.srcPitch, lo, s.srcC)
			copyPixels(to[lo*s.srcPitch:], s.srcPitch, in[(i*s.height+y)*line+(lo-s.left)*s.srcC:], s.srcC, hi-lo, s.srcC)
			if hi < s.srcW {
				clearPixels(to[hi*s.srcPitch:], s.srcPitch, s.srcW-hi, s.srcC)
			}
		}
	}
}

// copyPixels copies n pixels of c channels from one pitch to another.
func copyPixels[T Float](dst []T, to int, src []T, from, n, c int) {
	if to == c && from == c {
		copy(dst[:n*c], src)
		return
	}
	for p := range n {
		copy(dst[p*to:][:c], src[p*from:])
	}
}

// clearPixels zeroes n pixels of c channels.
func clearPixels[T Float](dst []T, pitch, n, c int) {
	if pitch == c {
		clear(dst[:n*c])
		return
	}
	for p := range n {
		clear(dst[p*pitch:][:c])
	}
}

// sweeps are the passes of a convolution.
type sweeps struct {
	forward  *sweep
	backward []*sweep
	means    any // *means of the last type that asked for them, if it is a pooling window
}

// planKey is a convolution, or a pooling window as one.
type planKey struct {
	Conv
	pooling bool
}

// sweeps plans the passes of a convolution, once.
func (w *Workers) sweeps(g Conv, pooling bool) *sweeps {
	key := planKey{g, pooling}
	s := w.plans[key]
	if s == nil {
		s = &sweeps{forward: forwardSweep(g, pooling), backward: backwardSweeps(g, pooling)}
		w.plans[key] = s
	}
	return s
}

// fill sets all of x to v.
func fill[T Float](x []T, v T) {
	if v == 0 {
		clear(x)
		return
	}
	for i := range x {
		x[i] = v
	}
}
