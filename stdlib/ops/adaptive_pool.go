package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("adaptive_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		height, err := s.Int("height", 1)
		if err != nil {
			return nil, err
		}
		width, err := s.Int("width", height)
		if err != nil {
			return nil, err
		}
		n, ws, x := s.Network, s.Workers, in[0].Shape()
		g := kernel.Pool{B: x[0], C: x[1], H: x[2], W: x[3], OH: height, OW: width}
		return n.apply(spec{
			name: "adaptive_pool", shape: tensor.Shape{x[0], x[1], height, width},
			loops: loops{adaptivePool[float32](ws, g), adaptivePool[float64](ws, g)},
			diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dx, err := n.apply(spec{name: "adaptive_pool/dx", linear: last, shape: in[0].Shape(),
					loops: loops{adaptivePoolGrad[float32](ws, g), adaptivePoolGrad[float64](ws, g)}}, grad)
				return gorgonia.Nodes{dx}, err
			},
		}, in[0])
	})
}

func adaptivePool[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.AdaptivePool(ws, g, in[0], y) }
}

func adaptivePoolGrad[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.AdaptivePoolGrad(ws, g, in[0], dx) }
}
