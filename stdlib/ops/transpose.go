package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("transpose", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0].Shape()
		return s.transpose(in[0], tensor.Shape{x[0], x[2] * x[3], x[1], 1}, x[0], x[2]*x[3], x[1])
	})
}

// transpose turns the b matrices (height,width) that x is in memory around, and
// gives them the shape.
func (n *Network) transpose(x *gorgonia.Node, shape tensor.Shape, b, height, width int) (*gorgonia.Node, error) {
	ws := n.Workers
	return n.apply(spec{
		name: "transpose", linear: 1, shape: shape,
		loops: loops{transpose[float32](ws, b, height, width), transpose[float64](ws, b, height, width)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.transpose(grad, in[0].Shape(), b, width, height)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func transpose[T kernel.Float](ws *kernel.Workers, b, height, width int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Transpose(ws, b, height, width, in[0], y) }
}
