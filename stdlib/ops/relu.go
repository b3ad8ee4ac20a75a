package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("relu", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.relu(in[0])
	})
}

// relu adds max(x, 0), once for every x.
func (n *Network) relu(x *gorgonia.Node) (*gorgonia.Node, error) {
	if y, ok := n.rectified[x]; ok {
		return y, nil
	}
	ws := n.Workers
	y, err := n.apply(spec{
		name: "relu", what: Rectified{}, shape: x.Shape(), inPlace: 1,
		loops: loops{reluForward[float32](ws), reluForward[float64](ws)},
		diff: func(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "relu/dx", linear: last, what: RectifiedGrad{}, shape: out.Shape(), inPlace: 2,
				loops: loops{reluGrad[float32](ws), reluGrad[float64](ws)}}, out, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
	if err != nil {
		return nil, err
	}
	if n.rectified == nil {
		n.rectified = map[*gorgonia.Node]*gorgonia.Node{}
	}
	n.rectified[x] = y
	return y, nil
}

func reluForward[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.ReLU(ws, in[0], y) }
}

func reluGrad[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.ReLUGrad(ws, in[0], in[1], dx) }
}
