package ops

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("sum", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.sum(in...)
	})
}

// sum adds maps of one shape; absent terms cost nothing.
func (n *Network) sum(in ...*gorgonia.Node) (*gorgonia.Node, error) {
	var terms []*gorgonia.Node
	for _, x := range in {
		if !x.Shape().Eq(in[0].Shape()) {
			return nil, fmt.Errorf("terms of shapes %v and %v", in[0].Shape()[1:], x.Shape()[1:])
		}
		if !isZero(x) {
			terms = append(terms, x)
		}
	}
	switch len(terms) {
	case 0:
		return in[0], nil
	case 1:
		return terms[0], nil
	}
	ws := n.Workers
	return n.apply(spec{
		name: "sum", what: Total{}, shape: in[0].Shape(), inPlace: 1,
		loops: loops{sum[float32](ws), sum[float64](ws)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			grads := make(gorgonia.Nodes, len(in))
			for i := range grads {
				grads[i] = grad
			}
			return grads, nil
		},
	}, terms...)
}

func sum[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Sum(ws, in, y) }
}
