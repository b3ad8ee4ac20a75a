package kernel

// Convolution of maps. The filters are those of one convolution or of several with
// the same input and geometry, one after the other along the output channels.
//
// The loops below work on planes, W fastest; maps are turned around on the way in
// and out.

// ConvForward computes y = x * w. With m it also writes the moments of the channels
// of y.
func ConvForward[T Float](ws *Workers, g Conv, x []T, w [][]T, y []T, m *Moments[T]) {
	planes := buffer[T](ws, 0, slotY, g.B*g.K*g.OH*g.OW)
	planesForward(ws, g.bare(), toPlanes(ws, slotX, g.B, g.H*g.W, g.C, g.xPitch(), x), joined(ws, g, w), planes)
	fromPlanes(ws, g.B, g.OH*g.OW, g.K, g.yPitch(), planes, y)
	if m != nil {
		m.Measure(ws, g.B*g.OH*g.OW, g.yPitch(), y)
	}
}

// ConvGradInput computes the gradient of x from that of y.
func ConvGradInput[T Float](ws *Workers, g Conv, w [][]T, dy, dx []T) {
	planes := buffer[T](ws, 0, slotX, g.B*g.C*g.H*g.W)
	planesGradInput(ws, g.bare(), joined(ws, g, w), toPlanes(ws, slotY, g.B, g.OH*g.OW, g.K, g.yPitch(), dy), planes)
	fromPlanes(ws, g.B, g.H*g.W, g.C, g.xPitch(), planes, dx)
}

// ConvGradWeight computes the gradients of the filters from that of y.
func ConvGradWeight[T Float](ws *Workers, g Conv, x, dy []T, dw [][]T) {
	all := dw[0]
	if len(dw) > 1 {
		all = buffer[T](ws, 0, slotFilters, g.Weights())
	}
	xs, dys := buffer[T](ws, 0, slotX, g.B*g.C*g.H*g.W), buffer[T](ws, 0, slotY, g.B*g.K*g.OH*g.OW)
	ws.Run(g.B, func(_, i int) {
		in, out := g.H*g.W, g.OH*g.OW
		transpose(x[i*in*g.xPitch():], in, g.C, g.xPitch(), xs[i*in*g.C:], in)
		transpose(dy[i*out*g.yPitch():], out, g.K, g.yPitch(), dys[i*out*g.K:], out)
	})
	planesGradWeight(ws, g.bare(), xs, dys, all)
	if len(dw) > 1 {
		for _, part := range dw {
			all = all[copy(part, all):]
		}
	}
}

func (g Conv) xPitch() int {
	if g.XPitch == 0 {
		return g.C
	}
	return g.XPitch
}

func (g Conv) yPitch() int {
	if g.YPitch == 0 {
		return g.K
	}
	return g.YPitch
}

// bare is the geometry on planes.
func (g Conv) bare() Conv {
	g.XPitch, g.YPitch = 0, 0
	return g
}

// joined are the filters in one piece.
func joined[T Float](ws *Workers, g Conv, w [][]T) []T {
	if len(w) == 1 {
		return w[0]
	}
	all := buffer[T](ws, 0, slotFilters, g.Weights())
	at := 0
	for _, part := range w {
		at += copy(all[at:], part)
	}
	return all
}

// toPlanes turns maps around into scratch memory.
func toPlanes[T Float](ws *Workers, slot, b, area, c, pitch int, x []T) []T {
	planes := buffer[T](ws, 0, slot, b*area*c)
	ws.Run(b, func(_, i int) { transpose(x[i*area*pitch:], area, c, pitch, planes[i*area*c:], area) })
	return planes
}

// fromPlanes turns planes around into maps.
func fromPlanes[T Float](ws *Workers, b, area, c, pitch int, planes, y []T) {
	ws.Run(b, func(_, i int) { transpose(planes[i*area*c:], c, area, area, y[i*area*pitch:], pitch) })
}
