package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("position", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.position("position", in[0])
	})
}

// position adds a learned number at each place of an example. The numbers are a
// parameter of the example's shape.
func (s *Site) position(name string, x *gorgonia.Node) (*gorgonia.Node, error) {
	n, ws := s.Network, s.Workers
	v, err := s.Params.Learn(s.Address+"/"+name, Init{Std: 0.02}, x.Shape()[1:]...)
	if err != nil {
		return nil, err
	}
	in := x.Shape()
	if v, err = s.transpose(v, tensor.Shape{1, in[1], in[2], in[3]}, 1, in[1], in[2]*in[3]); err != nil {
		return nil, err
	}
	return n.apply(spec{
		name: "position", shape: x.Shape(), inPlace: 1,
		loops: loops{addRow[float32](ws), addRow[float64](ws)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dv, err := n.apply(spec{name: "position/dv", linear: last, shape: in[1].Shape(),
				loops: loops{sumRows[float32](ws), sumRows[float64](ws)}}, grad)
			return gorgonia.Nodes{grad, dv}, err
		},
	}, x, v)
}

func addRow[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.AddRow(ws, in[0], in[1], y) }
}

func sumRows[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, dv []T) { kernel.SumRows(ws, in[0], dv) }
}
