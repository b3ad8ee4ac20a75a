package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("mean", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		y, err := s.sum(in...)
		if err != nil {
			return nil, err
		}
		return s.scale(y, 1/float64(len(in)))
	})
}

// scale adds a*x.
func (n *Network) scale(x *gorgonia.Node, a float64) (*gorgonia.Node, error) {
	ws := n.Workers
	return n.apply(spec{
		name: "scale", linear: 1, shape: x.Shape(), inPlace: 1,
		loops: loops{scale[float32](ws, a), scale[float64](ws, a)},
		diff: func(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.scale(grad, a)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func scale[T kernel.Float](ws *kernel.Workers, a float64) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Scale(ws, T(a), in[0], y) }
}
