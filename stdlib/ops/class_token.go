package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("class_token", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.first(in[0])
	})
}

// first takes the first position (B,C) of a map.
func (n *Network) first(x *gorgonia.Node) (*gorgonia.Node, error) {
	in := x.Shape()
	b, c, area := in[0], in[1], in[2]*in[3]
	return n.apply(spec{
		name: "first", linear: 1, shape: tensor.Shape{in[0], in[1]},
		loops: loops{first[float32](b, c, area), first[float64](b, c, area)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "first/dx", linear: last, shape: in[0].Shape(),
				loops: loops{firstGrad[float32](b, c, area), firstGrad[float64](b, c, area)}}, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func first[T kernel.Float](b, c, area int) func([][]T, []T) {
	return func(in [][]T, y []T) {
		for i := range b {
			copy(y[i*c:][:c], in[0][i*area*c:])
		}
	}
}

func firstGrad[T kernel.Float](b, c, area int) func([][]T, []T) {
	return func(in [][]T, dx []T) {
		clear(dx)
		for i := range b {
			copy(dx[i*area*c:], in[0][i*c:][:c])
		}
	}
}
