package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("global_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		n, ws, x := s.Network, s.Workers, in[0].Shape()
		area := x[2] * x[3]
		return n.apply(spec{
			name: "global_pool", shape: tensor.Shape{x[0], x[1]},
			loops: loops{globalPool[float32](ws, area), globalPool[float64](ws, area)},
			diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dx, err := n.apply(spec{name: "global_pool/dx", shape: in[0].Shape(),
					loops: loops{globalPoolGrad[float32](ws, area), globalPoolGrad[float64](ws, area)}}, grad)
				return gorgonia.Nodes{dx}, err
			},
		}, in[0])
	})
}

func globalPool[T kernel.Float](ws *kernel.Workers, area int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.GlobalPool(ws, area, in[0], y) }
}

func globalPoolGrad[T kernel.Float](ws *kernel.Workers, area int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.GlobalPoolGrad(ws, area, in[0], dx) }
}
