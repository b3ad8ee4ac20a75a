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
	planes, area := in[0]*in[1], in[2]*in[3]
	return n.apply(spec{
		name: "first", shape: tensor.Shape{in[0], in[1]},
		loops: loops{first[float32](planes, area), first[float64](planes, area)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "first/dx", shape: in[0].Shape(),
				loops: loops{firstGrad[float32](planes, area), firstGrad[float64](planes, area)}}, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func first[T kernel.Float](planes, area int) func([][]T, []T) {
	return func(in [][]T, y []T) {
		for p := range planes {
			y[p] = in[0][p*area]
		}
	}
}

func firstGrad[T kernel.Float](planes, area int) func([][]T, []T) {
	return func(in [][]T, dx []T) {
		clear(dx)
		for p := range planes {
			dx[p*area] = in[0][p]
		}
	}
}
