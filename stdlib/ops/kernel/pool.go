package kernel

import "math"

// Pool is the geometry of a square pooling window over maps (B,C,H,W), as in
// [Conv]. What lies outside of the image takes no part. A pitch is how far apart
// pixels lie in memory; 0 means C.
type Pool struct {
	B, C, H, W, OH, OW  int
	Kernel, Stride, Pad int
	XPitch, YPitch      int

	// CountPadding makes a mean divide by all pixels of a window, those outside of
	// the image, which are zero, included.
	CountPadding bool
}

// sweeps are the passes of a pooling window, which is a filter for every channel.
func (g Pool) sweeps(ws *Workers) *sweeps {
	return ws.sweeps(Conv{B: g.B, C: g.C, H: g.H, W: g.W, K: g.C, OH: g.OH, OW: g.OW, Kernel: g.Kernel, Stride: g.Stride,
		Dilation: 1, Groups: g.C, Pad: g.Pad, XPitch: g.XPitch, YPitch: g.YPitch}, true)
}

// means is what makes sums over windows means.
type means[T Float] struct {
	padded      bool  // counts all pixels
	counts      []int // by how many pixels the sum of every window of an image is divided
	whole, last []T   // factors for the pixels of a task forward
	even        []T   // factors of windows that lie within the image, for one backward
}

// meansOf are those of a window, made once.
func meansOf[T Float](g Pool, all *sweeps) *means[T] {
	if m, ok := all.means.(*means[T]); ok && m.padded == g.CountPadding {
		return m
	}
	m := &means[T]{padded: g.CountPadding, counts: g.counts()}
	s := all.forward
	for p := range s.whole.at {
		m.whole = append(m.whole, 1/T(m.counts[min(p, s.whole.pixels-1)%len(m.counts)]))
	}
	for p := range s.last.at {
		m.last = append(m.last, m.whole[min(p, s.last.pixels-1)])
	}
	for _, s := range all.backward {
		for len(m.even) < len(s.whole.at) {
			m.even = append(m.even, 1/T(g.Kernel*g.Kernel))
		}
	}
	all.means = m
	return m
}

// counts is by how many pixels the sum of every window of an image is divided.
func (g Pool) counts() []int {
	counts := make([]int, g.OH*g.OW)
	inside := func(o, size int) int {
		return min(o*g.Stride-g.Pad+g.Kernel, size) - max(o*g.Stride-g.Pad, 0)
	}
	for i := range counts {
		counts[i] = g.Kernel * g.Kernel
		if !g.CountPadding {
			counts[i] = inside(i/g.OW, g.H) * inside(i%g.OW, g.W)
		}
	}
	return counts
}

// MaxPool writes the maximum of every window.
func MaxPool[T Float](ws *Workers, g Pool, x, y []T) {
	s := g.sweeps(ws).forward
	ws.Run(s.tasks, func(worker, task int) {
		image, row, grid := s.part(task)
		highest(s, input(ws, worker, s, x, image, row, grid, T(math.Inf(-1))), y[s.first(image, row):], grid)
	})
}

// MaxPoolGrad gives the gradient of every window to the first of its pixels that
// has the maximum.
func MaxPoolGrad[T Float](ws *Workers, g Pool, x, y, dy, dx []T) {
	s := g.sweeps(ws).forward
	ws.Run(s.tasks, func(worker, task int) {
		image, row, grid := s.part(task)
		in := input(ws, worker, s, x, image, row, grid, T(math.Inf(-1)))
		sums := buffer[T](ws, worker, slotOutput, len(in))
		clear(sums)
		first := s.first(image, row)
		award(s, in, sums, y[first:], dy[first:], grid)
		restore(s, sums, dx, image, grid)
	})
}

// AvgPool writes the mean of every window.
func AvgPool[T Float](ws *Workers, g Pool, x, y []T) {
	sweeps := g.sweeps(ws)
	s, m := sweeps.forward, meansOf[T](g, sweeps)
	ws.Run(s.tasks, func(worker, task int) {
		image, row, grid := s.part(task)
		factors := m.whole
		if grid == &s.last {
			factors = m.last
		}
		total(s, input(ws, worker, s, x, image, row, grid, 0), factors, y[s.first(image, row):], grid)
	})
}

// AvgPoolGrad spreads the gradient of every window evenly over its pixels.
func AvgPoolGrad[T Float](ws *Workers, g Pool, dy, dx []T) {
	sweeps := g.sweeps(ws)
	m, full := meansOf[T](g, sweeps), g.Kernel*g.Kernel
	clearUnseen(ws, sweeps, dx)
	for _, s := range sweeps.backward {
		if len(s.taps) == 0 {
			continue
		}
		ws.Run(s.tasks, func(worker, task int) {
			image, row, grid := s.part(task)
			in := input(ws, worker, s, dy, image, row, grid, 0)
			for i, n := range m.counts {
				if n != full {
					scalePixel(s, in, grid.images, i/g.OW, i%g.OW, T(full)/T(n))
				}
			}
			total(s, in, m.even, dx[s.first(image, row):], grid)
		})
	}
}

// scalePixel multiplies one pixel of every image in the copied source of a task.
func scalePixel[T Float](s *sweep, in []T, images, y, x int, factor T) {
	y, x = y-s.top, x-s.left
	if y < 0 || y >= s.height || x < 0 || x >= s.width {
		return
	}
	for i := range images {
		pixel := in[((i*s.height+y)*s.width+x)*s.srcC:][:s.srcC]
		affine(pixel, pixel, factor, 0)
	}
}
