package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("global_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.globalPool(in[0])
	})
}

// globalPool adds the means (B,C) over the pixels of a map.
func (n *Network) globalPool(x *gorgonia.Node) (*gorgonia.Node, error) {
	ws, in := n.Workers, x.Shape()
	b, c, area := in[0], in[1], in[2]*in[3]
	return n.apply(spec{
		name: "global_pool", shape: tensor.Shape{in[0], in[1]},
		loops: loops{globalPool[float32](ws, b, area, c), globalPool[float64](ws, b, area, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "global_pool/dx", linear: last, shape: in[0].Shape(),
				loops: loops{globalPoolGrad[float32](ws, b, area, c), globalPoolGrad[float64](ws, b, area, c)}}, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func globalPool[T kernel.Float](ws *kernel.Workers, b, area, c int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.GlobalPool(ws, b, area, c, in[0], y) }
}

func globalPoolGrad[T kernel.Float](ws *kernel.Workers, b, area, c int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.GlobalPoolGrad(ws, b, area, c, in[0], dx) }
}
