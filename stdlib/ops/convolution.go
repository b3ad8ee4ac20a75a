package ops

import (
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// convolution adds a convolution without bias and its weights (out,C/groups,k,k)
// to the network. Padding is "same": dilation*(kernel-1)/2 pixels above and to
// the left, and below whatever ceil(H/stride) rows of output need; shift moves
// the windows down and to the right by so many pixels.
func (s *Site) convolution(name string, x *gorgonia.Node, out, kern, stride, dilation, groups, shift int) (*gorgonia.Node, error) {
	in := x.Shape()
	g := kernel.Conv{B: in[0], C: in[1], H: in[2], W: in[3], K: out,
		OH: ceilDiv(in[2], stride), OW: ceilDiv(in[3], stride),
		Kernel: kern, Stride: stride, Dilation: dilation, Groups: groups,
		Pad: dilation*(kern-1)/2 - shift}
	fan := in[1] / groups * kern * kern
	w, err := s.Params.Learn(s.Address+"/"+name+".weight", Init{Std: math.Sqrt(2 / float64(fan))}, out, in[1]/groups, kern, kern)
	if err != nil {
		return nil, err
	}
	n, ws := s.Network, s.Workers
	return n.apply(spec{
		name:  "conv",
		shape: tensor.Shape{g.B, g.K, g.OH, g.OW},
		loops: loops{convForward[float32](ws, g), convForward[float64](ws, g)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "conv/dx", shape: in[0].Shape(),
				loops: loops{convGradInput[float32](ws, g), convGradInput[float64](ws, g)}}, in[1], grad)
			if err != nil {
				return nil, err
			}
			dw, err := n.apply(spec{name: "conv/dw", shape: in[1].Shape(),
				loops: loops{convGradWeight[float32](ws, g), convGradWeight[float64](ws, g)}}, in[0], grad)
			return gorgonia.Nodes{dx, dw}, err
		},
	}, x, w)
}

func convForward[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.ConvForward(ws, g, in[0], in[1], y) }
}

func convGradInput[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.ConvGradInput(ws, g, in[0], in[1], dx) }
}

func convGradWeight[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, dw []T) { kernel.ConvGradWeight(ws, g, in[0], in[1], dw) }
}

// convBN adds a convolution and batch norm.
func (s *Site) convBN(name string, x *gorgonia.Node, out, kern, stride, dilation int) (*gorgonia.Node, error) {
	y, err := s.convolution(name, x, out, kern, stride, dilation, 1, 0)
	if err != nil {
		return nil, err
	}
	return s.batchNorm(name+".bn", y)
}

// reluConvBN adds ReLU, a convolution and batch norm.
func (s *Site) reluConvBN(name string, x *gorgonia.Node, out, kern, stride, dilation int) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	return s.convBN(name, x, out, kern, stride, dilation)
}

// separable adds ReLU, a depthwise and a 1x1 convolution, and batch norm.
func (s *Site) separable(name string, x *gorgonia.Node, out, kern, stride, dilation int) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	if x, err = s.convolution(name+".depthwise", x, x.Shape()[1], kern, stride, dilation, x.Shape()[1], 0); err != nil {
		return nil, err
	}
	return s.convBN(name+".pointwise", x, out, 1, 1, 1)
}

// factorizedReduce halves a map as DARTS does: ReLU, two 1x1 convolutions with
// stride 2, the second one pixel further down and right, joined; batch norm.
func (s *Site) factorizedReduce(x *gorgonia.Node, out int) (*gorgonia.Node, error) {
	x, err := s.relu(x)
	if err != nil {
		return nil, err
	}
	if out < 2 {
		return s.convBN("first", x, out, 1, 2, 1)
	}
	a, err := s.convolution("first", x, out/2, 1, 2, 1, 1, 0)
	if err != nil {
		return nil, err
	}
	b, err := s.convolution("second", x, out-out/2, 1, 2, 1, 1, 1)
	if err != nil {
		return nil, err
	}
	y, err := s.concat(a, b)
	if err != nil {
		return nil, err
	}
	return s.batchNorm("bn", y)
}
