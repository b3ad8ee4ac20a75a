package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("drop_path", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		rate, err := s.Real("rate", 0.2)
		if err != nil || rate == 0 {
			return in[0], err
		}
		grows, err := s.Flag("grows", false)
		if err != nil {
			return nil, err
		}
		mask, err := s.mask("path", in[0], tensor.Shape{in[0].Shape()[0]}, rate, grows)
		if err != nil {
			return nil, err
		}
		return s.weighRows(in[0], mask)
	})
}

// weighRows multiplies every example by its factor, which is not differentiated.
func (n *Network) weighRows(x, factors *gorgonia.Node) (*gorgonia.Node, error) {
	ws, rows := n.Workers, x.Shape()[0]
	size := x.Shape().TotalSize() / rows
	return n.apply(spec{
		name: "weigh_rows", linear: 1, shape: x.Shape(), inPlace: 1, wrt: []bool{true, false},
		loops: loops{weighRows[float32](ws, rows, size), weighRows[float64](ws, rows, size)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.weighRows(grad, in[1])
			return gorgonia.Nodes{dx, nil}, err
		},
	}, x, factors)
}

func weighRows[T kernel.Float](ws *kernel.Workers, rows, size int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.WeighRows(ws, rows, size, in[0], in[1], y) }
}
