package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("max_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		_, kern, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		n, ws := s.Network, s.Workers
		g, shape := poolGeometry(in[0], kern, stride)
		return n.apply(spec{
			name: "max_pool", what: MaximumPool{g}, shape: shape,
			loops: loops{maxPool[float32](ws, g), maxPool[float64](ws, g)},
			diff: func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dx, err := n.apply(spec{name: "max_pool/dx", linear: last, shape: in[0].Shape(),
					loops: loops{maxPoolGrad[float32](ws, g), maxPoolGrad[float64](ws, g)}}, in[0], out, grad)
				return gorgonia.Nodes{dx}, err
			},
		}, in[0])
	})
}

// poolGeometry pads as a convolution does.
func poolGeometry(x *gorgonia.Node, kern, stride int) (kernel.Pool, tensor.Shape) {
	in := x.Shape()
	g := kernel.Pool{B: in[0], C: in[1], H: in[2], W: in[3], OH: ceilDiv(in[2], stride), OW: ceilDiv(in[3], stride),
		Kernel: kern, Stride: stride, Pad: (kern - 1) / 2}
	return g, tensor.Shape{in[0], in[1], g.OH, g.OW}
}

func maxPool[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.MaxPool(ws, g, in[0], y) }
}

func maxPoolGrad[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.MaxPoolGrad(ws, g, in[0], in[1], in[2], dx) }
}
