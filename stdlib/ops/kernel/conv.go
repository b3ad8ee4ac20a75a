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

// depthwise reports whether there is one filter per channel.
func (g Conv) depthwise() bool { return g.Groups > 1 && g.Groups == g.C && g.Groups == g.K }

// pitches are the distances between pixels of the input and the output.
func (g Conv) pitches() (x, y int) {
	x, y = g.XPitch, g.YPitch
	if x == 0 {
		x = g.C
	}
	if y == 0 {
		y = g.K
	}
	return x, y
}
