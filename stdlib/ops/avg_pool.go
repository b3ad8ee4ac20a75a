package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("avg_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		_, kern, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		return s.avgPool(in[0], kern, stride)
	})
}

// avgPool adds the mean over windows; padding is not counted.
func (n *Network) avgPool(x *gorgonia.Node, kern, stride int) (*gorgonia.Node, error) {
	g, shape := poolGeometry(x, kern, stride)
	return n.meanPool(g, shape, x)
}

// meanPool adds the mean over the windows of a geometry.
func (n *Network) meanPool(g kernel.Pool, shape tensor.Shape, x *gorgonia.Node) (*gorgonia.Node, error) {
	ws := n.Workers
	return n.apply(spec{
		name: "avg_pool", what: MeanPool{g}, shape: shape,
		loops: loops{avgPool[float32](ws, g), avgPool[float64](ws, g)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "avg_pool/dx", linear: last, what: MeanPoolGrad{g}, shape: in[0].Shape(),
				loops: loops{avgPoolGrad[float32](ws, g), avgPoolGrad[float64](ws, g)}}, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func avgPool[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.AvgPool(ws, g, in[0], y) }
}

func avgPoolGrad[T kernel.Float](ws *kernel.Workers, g kernel.Pool) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.AvgPoolGrad(ws, g, in[0], dx) }
}
