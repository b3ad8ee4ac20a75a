package ops

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// filter says how a convolution is to be. Zeros stand for 1 where that makes sense.
type filter struct {
	out, kernel, stride, dilation, groups int

	// Padding is "same": dilation*(kernel-1)/2 pixels above and to the left, and
	// below whatever ceil(H/stride) rows of output need. Shift moves the windows
	// down and to the right by so many pixels. With exact, there are padding
	// pixels on every side instead, and as many windows as fit.
	shift   int
	exact   bool
	padding int

	row  bool // over the frames of a sequence [C,T,1]
	bias bool // a number per channel is added

	// Even keeps the variance at the start, as for a layer without ReLU, which
	// else would halve it.
	even bool
}

// geometry is the filter on maps of the shape in.
func (f filter) geometry(in tensor.Shape) (kernel.Conv, error) {
	one := func(n int) int { return max(n, 1) }
	g := kernel.Conv{B: in[0], C: in[1], H: in[2], W: in[3], K: f.out,
		Kernel: f.kernel, Stride: one(f.stride), Dilation: one(f.dilation), Groups: one(f.groups), Row: f.row}
	if f.row {
		if g.W != 1 {
			return g, fmt.Errorf("a map of %dx%d is no sequence", g.H, g.W)
		}
		g.H, g.W = 1, g.H
	}
	reach := g.Dilation * (g.Kernel - 1)
	if f.exact {
		g.Pad = f.padding
		g.OH, g.OW = (g.H+2*g.Pad-reach-1)/g.Stride+1, (g.W+2*g.Pad-reach-1)/g.Stride+1
		if g.H+2*g.Pad <= reach || g.W+2*g.Pad <= reach {
			return g, fmt.Errorf("no window of %d pixels fits into a map of %dx%d", reach+1, g.H, g.W)
		}
	} else {
		g.Pad = g.Dilation*(g.Kernel-1)/2 - f.shift
		g.OH, g.OW = ceilDiv(g.H, g.Stride), ceilDiv(g.W, g.Stride)
	}
	if g.C%g.Groups != 0 || g.K%g.Groups != 0 {
		return g, fmt.Errorf("%d channels to %d cannot be divided into %d groups", g.C, g.K, g.Groups)
	}
	return g, nil
}

// convolution adds a convolution and its weights (out,C/groups,k,k) to the network.
func (s *Site) convolution(name string, x *gorgonia.Node, f filter) (*gorgonia.Node, error) {
	g, err := f.geometry(x.Shape())
	if err != nil {
		return nil, err
	}
	size := tensor.Shape{g.K, g.C / g.Groups, g.Kernel, g.Kernel}
	shape := tensor.Shape{g.B, g.K, g.OH, g.OW}
	switch {
	case f.row:
		size, shape = size[:3], tensor.Shape{g.B, g.K, g.OW, 1}
	case g.Kernel == 1 && g.Stride == 1 && g.Pad == 0: // how pixels lie does not matter
		g.H, g.W, g.OH, g.OW = 1, g.H*g.W, 1, g.H*g.W
	}
	gain, fan := 2.0, float64(size.TotalSize()/g.K)
	if f.even {
		gain = 1
	}
	w, err := s.Params.Learn(s.Address+"/"+name+".weight", Init{Std: math.Sqrt(gain / fan)}, size...)
	if err != nil {
		return nil, err
	}
	n, ws := s.Network, s.Workers
	y, err := n.apply(spec{
		name: "conv", what: Convolution{g},
		shape: shape,
		loops: loops{convForward[float32](ws, g), convForward[float64](ws, g)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "conv/dx", linear: last, what: ConvolutionGradInput{g}, shape: in[0].Shape(),
				loops: loops{convGradInput[float32](ws, g), convGradInput[float64](ws, g)}}, in[1], grad)
			if err != nil {
				return nil, err
			}
			dw, err := n.apply(spec{name: "conv/dw", linear: last, what: ConvolutionGradWeight{g}, shape: in[1].Shape(),
				loops: loops{convGradWeight[float32](ws, g), convGradWeight[float64](ws, g)}}, in[0], grad)
			return gorgonia.Nodes{dx, dw}, err
		},
	}, x, w)
	if err != nil || !f.bias {
		return y, err
	}
	return s.bias(name, y)
}

func convForward[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.ConvForward(ws, g, in[0], in[1:], y, nil) }
}

func convGradInput[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.ConvGradInput(ws, g, in[:1], in[1], dx) }
}

func convGradWeight[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, dw []T) { kernel.ConvGradWeight(ws, g, in[0], in[1], [][]T{dw}) }
}

// convBN adds a convolution and batch norm.
func (s *Site) convBN(name string, x *gorgonia.Node, f filter) (*gorgonia.Node, error) {
	y, err := s.convolution(name, x, f)
	if err != nil {
		return nil, err
	}
	return s.batchNorm(name+".bn", y)
}

// reluConvBN adds ReLU, a convolution and batch norm.
func (s *Site) reluConvBN(name string, x *gorgonia.Node, f filter) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	return s.convBN(name, x, f)
}

// convBNReLU adds a convolution, batch norm and ReLU.
func (s *Site) convBNReLU(name string, x *gorgonia.Node, f filter) (*gorgonia.Node, error) {
	y, err := s.convBN(name, x, f)
	if err != nil {
		return nil, err
	}
	return s.relu(y)
}

// depthwise is a filter for every channel of x.
func depthwise(x *gorgonia.Node, kernel, stride, dilation int) filter {
	c := x.Shape()[1]
	return filter{out: c, kernel: kernel, stride: stride, dilation: dilation, groups: c}
}

// pointwise is a 1x1 convolution.
func pointwise(out int) filter { return filter{out: out, kernel: 1} }

// separable adds a depthwise and a 1x1 convolution, and batch norm.
func (s *Site) separable(name string, x *gorgonia.Node, out, kern, stride, dilation int) (*gorgonia.Node, error) {
	y, err := s.convolution(name+".depthwise", x, depthwise(x, kern, stride, dilation))
	if err != nil {
		return nil, err
	}
	return s.convBN(name+".pointwise", y, pointwise(out))
}

// reluSeparable adds ReLU before it.
func (s *Site) reluSeparable(name string, x *gorgonia.Node, out, kern, stride, dilation int) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	return s.separable(name, x, out, kern, stride, dilation)
}

// factorizedReduce halves a map as DARTS does: ReLU, two 1x1 convolutions with
// stride 2, the second one pixel further down and right, joined; batch norm.
func (s *Site) factorizedReduce(x *gorgonia.Node, out int) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	if out < 2 {
		return s.convBN("first", x, filter{out: out, kernel: 1, stride: 2})
	}
	a, err := s.convolution("first", x, filter{out: out / 2, kernel: 1, stride: 2})
	if err != nil {
		return nil, err
	}
	b, err := s.convolution("second", x, filter{out: out - out/2, kernel: 1, stride: 2, shift: 1})
	if err != nil {
		return nil, err
	}
	y, err := s.concat(a, b)
	if err != nil {
		return nil, err
	}
	return s.batchNorm("bn", y)
}
