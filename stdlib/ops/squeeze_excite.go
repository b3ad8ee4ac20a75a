package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("squeeze_excite", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		squeeze, err := s.Int("squeeze", max(in[0].Shape()[1]/4, 1))
		if err != nil {
			return nil, err
		}
		gate, err := s.Text("gate", "h_sigmoid")
		if err != nil {
			return nil, err
		}
		return s.squeezeExcite(in[0], squeeze, gate)
	})
}

// squeezeExcite weighs the channels of a map (Hu, Shen and Sun 2018): their means
// go through two linear layers with ReLU between and a gate at the end.
func (s *Site) squeezeExcite(x *gorgonia.Node, squeeze int, gate string) (*gorgonia.Node, error) {
	y, err := s.globalPool(x)
	if err != nil {
		return nil, err
	}
	if y, err = s.linear("squeeze.", y, squeeze, true); err != nil {
		return nil, err
	}
	if y, err = s.relu(y); err != nil {
		return nil, err
	}
	if y, err = s.linear("excite.", y, x.Shape()[1], true); err != nil {
		return nil, err
	}
	if y, err = s.activate(y, gate); err != nil {
		return nil, err
	}
	return s.gate(x, y)
}

// gate multiplies a map by one factor (B,C) for every channel of each image.
func (n *Network) gate(x, factors *gorgonia.Node) (*gorgonia.Node, error) {
	ws, in := n.Workers, x.Shape()
	b, c, area := in[0], in[1], in[2]*in[3]
	return n.apply(spec{
		name: "gate", linear: 1, shape: x.Shape(), inPlace: 1,
		loops: loops{gateMaps[float32](ws, b, area, c), gateMaps[float64](ws, b, area, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.gate(grad, in[1])
			if err != nil {
				return nil, err
			}
			df, err := n.apply(spec{name: "gate/df", linear: last, shape: in[1].Shape(),
				loops: loops{gateGrad[float32](ws, b, area, c), gateGrad[float64](ws, b, area, c)}}, in[0], grad)
			return gorgonia.Nodes{dx, df}, err
		},
	}, x, factors)
}

func gateMaps[T kernel.Float](ws *kernel.Workers, b, area, c int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Gate(ws, b, area, c, in[0], in[1], y) }
}

func gateGrad[T kernel.Float](ws *kernel.Workers, b, area, c int) func([][]T, []T) {
	return func(in [][]T, df []T) { kernel.GateGrad(ws, b, area, c, in[0], in[1], df) }
}
