package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("unfold", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		kern, err := s.Int("kernel", 3)
		if err != nil {
			return nil, err
		}
		n, ws, x := s.Network, s.Workers, in[0].Shape()
		g := kernel.Conv{B: x[0], C: x[1], H: x[2], W: x[3], K: 1, OH: x[2], OW: x[3],
			Kernel: kern, Stride: 1, Dilation: 1, Groups: 1, Pad: (kern - 1) / 2}
		return n.apply(spec{
			name: "unfold", shape: tensor.Shape{x[0], x[1] * kern * kern, x[2], x[3]},
			loops: loops{unfold[float32](ws, g), unfold[float64](ws, g)},
			diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dx, err := n.apply(spec{name: "unfold/dx", linear: last, shape: in[0].Shape(),
					loops: loops{fold[float32](ws, g), fold[float64](ws, g)}}, grad)
				return gorgonia.Nodes{dx}, err
			},
		}, in[0])
	})
}

func unfold[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Unfold(ws, g, in[0], y) }
}

func fold[T kernel.Float](ws *kernel.Workers, g kernel.Conv) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.Fold(ws, g, in[0], dx) }
}
