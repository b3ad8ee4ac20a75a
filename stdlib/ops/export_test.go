package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Dot is a scalar that depends on every element of x: the sum of x*r.
func (n *Network) Dot(x, r *gorgonia.Node) (*gorgonia.Node, error) {
	return n.apply(spec{
		name: "dot", shape: tensor.Shape{1}, wrt: []bool{true, false},
		loops: loops{dot[float32], dot[float64]},
		diff: func(in gorgonia.Nodes, _, _ *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := n.scale(in[1], 1)
			return gorgonia.Nodes{d, nil}, err
		},
	}, x, r)
}

func dot[T kernel.Float](in [][]T, y []T) {
	y[0] = 0
	for i, v := range in[0] {
		y[0] += v * in[1][i]
	}
}
