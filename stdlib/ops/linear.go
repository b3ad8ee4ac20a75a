package ops

import (
	"errors"
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("linear", 1, vectors, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		if _, ok := s.Attrs["out"]; !ok {
			return nil, errors.New("attribute out is missing")
		}
		k, err := s.Int("out", 0)
		if err != nil {
			return nil, err
		}
		return s.linear("", in[0], k, true)
	})
}

// linear adds a fully connected layer with k results, with bias or without. Its
// parameters are called weight and bias, after the prefix.
func (s *Site) linear(prefix string, x *gorgonia.Node, k int, bias bool) (*gorgonia.Node, error) {
	n, ws, b, f := s.Network, s.Workers, x.Shape()[0], x.Shape()[1]
	w, err := s.Params.Learn(s.Address+"/"+prefix+"weight", Init{Std: math.Sqrt(1 / float64(f))}, k, f)
	if err != nil {
		return nil, err
	}
	args := gorgonia.Nodes{x, w}
	if bias {
		v, err := s.Params.Learn(s.Address+"/"+prefix+"bias", Init{}, k)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return n.apply(spec{
		name: "linear", shape: tensor.Shape{b, k},
		loops: loops{linear[float32](ws, b, f, k), linear[float64](ws, b, f, k)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "linear/dx", linear: last, shape: in[0].Shape(),
				loops: loops{linearGradInput[float32](ws, b, f, k), linearGradInput[float64](ws, b, f, k)}}, in[1], grad)
			if err != nil {
				return nil, err
			}
			dw, err := n.apply(spec{name: "linear/dw", linear: last, shape: in[1].Shape(),
				loops: loops{linearGradWeight[float32](ws, b, f, k), linearGradWeight[float64](ws, b, f, k)}}, in[0], grad)
			if err != nil || len(in) == 2 {
				return gorgonia.Nodes{dx, dw}, err
			}
			db, err := n.apply(spec{name: "linear/db", linear: last, shape: in[2].Shape(),
				loops: loops{linearGradBias[float32](b, k), linearGradBias[float64](b, k)}}, grad)
			return gorgonia.Nodes{dx, dw, db}, err
		},
	}, args...)
}

func linear[T kernel.Float](ws *kernel.Workers, b, f, k int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Linear(ws, b, f, k, in[0], in[1], factors(in, 2, 0, nil), y) }
}

func linearGradInput[T kernel.Float](ws *kernel.Workers, b, f, k int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.LinearGradInput(ws, b, f, k, in[0], in[1], dx) }
}

func linearGradWeight[T kernel.Float](ws *kernel.Workers, b, f, k int) func([][]T, []T) {
	return func(in [][]T, dw []T) { kernel.LinearGradWeight(ws, b, f, k, in[0], in[1], dw) }
}

func linearGradBias[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, db []T) { kernel.LinearGradBias(b, k, in[0], db) }
}
