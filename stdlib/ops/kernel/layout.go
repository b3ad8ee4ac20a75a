package kernel

// layout says how the images of one task lie in scratch memory, so that every
// tap of a filter is the whole input moved by a fixed offset.
//
// With stride 1 the images are copied once with zeros around them; rows share
// the zeros between them, and so do images. The result then has some columns
// that mean nothing, which gather leaves out. With other strides the patches are
// copied out (im2col).
type layout struct {
	Conv
	patches bool
	images  int   // per task
	width   int   // of a padded row
	image   int   // from one image to the next, in the result
	pixels  int   // of the result of a task
	plane   int   // from one channel to the next, in the input
	off     []int // by tap
	planes  []int // by channel, of an image as it is
}

// target is how many pixels a task should have at least, so that the inner loops
// run for long enough.
const target = 256

// layout returns the layout for a geometry, computed once.
func (w *Workers) layout(g Conv) *layout {
	lay := w.layouts[g]
	if lay == nil {
		lay = layoutOf(g)
		w.layouts[g] = lay
	}
	return lay
}

func layoutOf(g Conv) *layout {
	lay := &layout{Conv: g, patches: !g.shifted(), planes: offsets(g.C, func(c int) int { return c * g.H * g.W })}
	kk := g.window()
	if lay.patches {
		lay.width = g.OW
		lay.image = g.OH * g.OW
		lay.images = min(g.B, max(1, target/lay.image))
		lay.pixels = lay.images * lay.image
		lay.plane = kk * roundUp(lay.pixels, cols)
		lay.off = offsets(g.taps(), func(l int) int { return l * roundUp(lay.pixels, cols) })
		return lay
	}
	right := max(g.OW-1+g.reach()-g.Pad-(g.W-1), 0)
	below := max(g.OH-1+g.fall()-g.above()-(g.H-1), 0)
	lay.width = max(g.W+max(g.Pad, right), g.OW)
	lay.image = (max(g.H+max(g.above(), below), g.OH)) * lay.width
	lay.images = min(g.B, max(1, target/(g.OH*lay.width)))
	lay.pixels = (lay.images-1)*lay.image + g.OH*lay.width
	lay.plane = lay.images*lay.image + g.fall()*lay.width + g.reach()
	lay.off = offsets(g.taps(), func(l int) int {
		c, ky, kx := l/kk, l%kk/g.Kernel, l%g.Kernel
		return c*lay.plane + (ky*lay.width+kx)*g.Dilation
	})
	return lay
}

func offsets(n int, at func(int) int) []int {
	off := make([]int, n)
	for i := range off {
		off[i] = at(i)
	}
	return off
}

// first is where the first pixel of a padded image lies.
func (lay *layout) first() int { return lay.above()*lay.width + lay.Pad }

// inputSize is the scratch memory for the input, with slack for inner loops that
// read past the last pixel.
func (lay *layout) inputSize(channels int) int { return channels*lay.plane + 2*cols + lay.width }

// load copies group gr of n images from b on into scratch memory.
func load[T Float](lay *layout, in, x []T, b, n, gr int) {
	cg := lay.C / lay.Groups
	area := lay.H * lay.W
	if lay.patches {
		pitch := roundUp(lay.pixels, cols)
		if n*lay.image < pitch {
			clear(in)
		}
		for j := range n {
			for c := range cg {
				src := x[((b+j)*lay.C+gr*cg+c)*area:][:area]
				copyPatches(lay.Conv, in[c*lay.plane+j*lay.image:], pitch, src)
			}
		}
		return
	}
	clear(in)
	for j := range n {
		for c := range cg {
			src := x[((b+j)*lay.C+gr*cg+c)*area:][:area]
			dst := in[c*lay.plane+j*lay.image+lay.first():]
			for r := range lay.H {
				copy(dst[r*lay.width:][:lay.W], src[r*lay.W:])
			}
		}
	}
}

// scatter lays an image of the result out over the rows of the layout; what lies
// between is left alone.
func scatter[T Float](lay *layout, dst, src []T) {
	for r := range lay.OH {
		copy(dst[r*lay.width:][:lay.OW], src[r*lay.OW:])
	}
}

// gather is the inverse of scatter.
func gather[T Float](lay *layout, dst, src []T) {
	for r := range lay.OH {
		copy(dst[r*lay.OW:][:lay.OW], src[r*lay.width:])
	}
}

// copyPatches writes, for every tap, the input pixel under it for every output
// pixel; rows of taps are pitch apart.
func copyPatches[T Float](g Conv, dst []T, pitch int, src []T) {
	for ky := range g.height() {
		for kx := range g.Kernel {
			out := dst[(ky*g.Kernel+kx)*pitch:]
			lo, hi := g.inside(kx)
			for oy := range g.OH {
				row := out[oy*g.OW:][:g.OW]
				y := oy*g.Stride + ky*g.Dilation - g.above()
				if y < 0 || y >= g.H {
					clear(row)
					continue
				}
				in := src[y*g.W:][:g.W]
				clear(row[:lo])
				clear(row[hi:])
				x := lo*g.Stride + kx*g.Dilation - g.Pad
				for ox := lo; ox < hi; ox++ {
					row[ox] = in[x]
					x += g.Stride
				}
			}
		}
	}
}

// inside is the range of output columns under which tap kx lies in the image.
func (g Conv) inside(kx int) (lo, hi int) {
	first := kx*g.Dilation - g.Pad // input column under output column 0
	if first < 0 {
		lo = min((-first+g.Stride-1)/g.Stride, g.OW)
	}
	if first < g.W {
		hi = min((g.W-1-first)/g.Stride+1, g.OW)
	}
	return lo, max(lo, hi)
}

// addPatches is the transpose of copyPatches over all channels of a group: it
// adds every value to the input pixel it would be copied from.
func addPatches[T Float](g Conv, src []T, pitch int, dst []T) {
	for l := range g.taps() {
		kk := g.window()
		c, ky, kx := l/kk, l%kk/g.Kernel, l%g.Kernel
		in := src[l*pitch:]
		lo, hi := g.inside(kx)
		for oy := range g.OH {
			y := oy*g.Stride + ky*g.Dilation - g.above()
			if y < 0 || y >= g.H {
				continue
			}
			out := dst[(c*g.H+y)*g.W:][:g.W]
			x := lo*g.Stride + kx*g.Dilation - g.Pad
			for _, v := range in[oy*g.OW+lo : oy*g.OW+hi] {
				out[x] += v
				x += g.Stride
			}
		}
	}
}
