package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("softmax", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0].Shape()
		return s.softmax(in[0], x[0], x[1], x[2]*x[3])
	})
}

// softmax normalises along the middle of x seen as (outer, n, inner).
func (n *Network) softmax(x *gorgonia.Node, outer, size, inner int) (*gorgonia.Node, error) {
	ws := n.Workers
	return n.apply(spec{
		name: "softmax", shape: x.Shape(), inPlace: 1,
		loops: loops{softmax[float32](ws, outer, size, inner), softmax[float64](ws, outer, size, inner)},
		diff: func(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "softmax/dx", shape: out.Shape(), inPlace: 2,
				loops: loops{softmaxGrad[float32](ws, outer, size, inner), softmaxGrad[float64](ws, outer, size, inner)}}, out, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func softmax[T kernel.Float](ws *kernel.Workers, outer, n, inner int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Softmax(ws, outer, n, inner, in[0], y) }
}

func softmaxGrad[T kernel.Float](ws *kernel.Workers, outer, n, inner int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.SoftmaxGrad(ws, outer, n, inner, in[0], in[1], dx) }
}
