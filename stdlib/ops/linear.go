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
		n, b, f := s.Network, in[0].Shape()[0], in[0].Shape()[1]
		w, err := s.Params.Learn(s.Address+"/weight", Init{Std: math.Sqrt(1 / float64(f))}, k, f)
		if err != nil {
			return nil, err
		}
		bias, err := s.Params.Learn(s.Address+"/bias", Init{}, k)
		if err != nil {
			return nil, err
		}
		return n.apply(spec{
			name: "linear", shape: tensor.Shape{b, k},
			loops: loops{linear[float32](b, f, k), linear[float64](b, f, k)},
			diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
				dx, err := n.apply(spec{name: "linear/dx", shape: in[0].Shape(),
					loops: loops{linearGradInput[float32](b, f, k), linearGradInput[float64](b, f, k)}}, in[1], grad)
				if err != nil {
					return nil, err
				}
				dw, err := n.apply(spec{name: "linear/dw", shape: in[1].Shape(),
					loops: loops{linearGradWeight[float32](b, f, k), linearGradWeight[float64](b, f, k)}}, in[0], grad)
				if err != nil {
					return nil, err
				}
				db, err := n.apply(spec{name: "linear/db", shape: in[2].Shape(),
					loops: loops{linearGradBias[float32](b, k), linearGradBias[float64](b, k)}}, grad)
				return gorgonia.Nodes{dx, dw, db}, err
			},
		}, in[0], w, bias)
	})
}

func linear[T kernel.Float](b, f, k int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Linear(b, f, k, in[0], in[1], in[2], y) }
}

func linearGradInput[T kernel.Float](b, f, k int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.LinearGradInput(b, f, k, in[0], in[1], dx) }
}

func linearGradWeight[T kernel.Float](b, f, k int) func([][]T, []T) {
	return func(in [][]T, dw []T) { kernel.LinearGradWeight(b, f, k, in[0], in[1], dw) }
}

func linearGradBias[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, db []T) { kernel.LinearGradBias(b, k, in[0], db) }
}
