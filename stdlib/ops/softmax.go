package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("softmax", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.softmax(in[0], in[0].Shape()[1])
	})
}

// softmax normalises the channels of every pixel, or other rows of that size.
func (n *Network) softmax(x *gorgonia.Node, size int) (*gorgonia.Node, error) {
	ws, rows := n.Workers, x.Shape().TotalSize()/size
	return n.apply(spec{
		name: "softmax", shape: x.Shape(), inPlace: 1,
		loops: loops{softmax[float32](ws, rows, size), softmax[float64](ws, rows, size)},
		diff: func(_ gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "softmax/dx", linear: last, shape: out.Shape(), inPlace: 2,
				loops: loops{softmaxGrad[float32](ws, rows, size), softmaxGrad[float64](ws, rows, size)}}, out, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func softmax[T kernel.Float](ws *kernel.Workers, rows, n int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Softmax(ws, rows, n, in[0], y) }
}

func softmaxGrad[T kernel.Float](ws *kernel.Workers, rows, n int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.SoftmaxGrad(ws, rows, n, in[0], in[1], dx) }
}
