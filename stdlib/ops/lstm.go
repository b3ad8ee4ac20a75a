package ops

import (
	"errors"
	"fmt"
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("lstm", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		if _, ok := s.Attrs["units"]; !ok {
			return nil, errors.New("attribute units is missing")
		}
		units, err := s.Int("units", 0)
		if err != nil {
			return nil, err
		}
		x := in[0].Shape()
		if x[3] != 1 {
			return nil, fmt.Errorf("a map of %dx%d is no sequence", x[2], x[3])
		}
		gates, err := s.linearMap("input", in[0], 4*units)
		if err != nil {
			return nil, err
		}
		w, err := s.Params.Learn(s.Address+"/recurrent.weight", Init{Std: math.Sqrt(1 / (3 * float64(units)))}, 4*units, units)
		if err != nil {
			return nil, err
		}
		n, ws := s.Network, s.Workers
		g := kernel.Recurrent{B: x[0], Units: units, T: x[2]}
		states, err := n.apply(spec{
			name: "lstm", shape: tensor.Shape{x[0], g.Channels(), x[2], 1},
			loops: loops{lstm[float32](ws, g), lstm[float64](ws, g)},
			diff: func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dgates, err := n.apply(spec{name: "lstm/dx", linear: last, shape: in[0].Shape(),
					loops: loops{lstmGradInput[float32](ws, g), lstmGradInput[float64](ws, g)}}, in[1], out, grad)
				if err != nil {
					return nil, err
				}
				dw, err := n.apply(spec{name: "lstm/dw", linear: last, shape: in[1].Shape(),
					loops: loops{lstmGradWeight[float32](ws, g), lstmGradWeight[float64](ws, g)}}, out, dgates)
				return gorgonia.Nodes{dgates, dw}, err
			},
		}, gates, w)
		if err != nil {
			return nil, err
		}
		return s.slice(states, 5*units, units)
	})
}

func lstm[T kernel.Float](ws *kernel.Workers, g kernel.Recurrent) func([][]T, []T) {
	return func(in [][]T, states []T) { kernel.LSTM(ws, g, in[0], in[1], states) }
}

func lstmGradInput[T kernel.Float](ws *kernel.Workers, g kernel.Recurrent) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.LSTMGradInput(ws, g, in[0], in[1], in[2], dx) }
}

func lstmGradWeight[T kernel.Float](ws *kernel.Workers, g kernel.Recurrent) func([][]T, []T) {
	return func(in [][]T, dw []T) { kernel.LSTMGradWeight(ws, g, in[0], in[1], dw) }
}
