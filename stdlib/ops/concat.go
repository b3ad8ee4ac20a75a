package ops

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("concat", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.concat(in...)
	})
}

// concat joins maps along their channels.
func (n *Network) concat(in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(in) == 1 {
		return in[0], nil
	}
	first := in[0].Shape()
	shape := tensor.Shape{first[0], 0, first[2], first[3]}
	sizes := make([]int, len(in)) // of one pixel
	for i, x := range in {
		s := x.Shape()
		if s[2] != first[2] || s[3] != first[3] {
			return nil, fmt.Errorf("maps of shapes %v and %v", first[1:], s[1:])
		}
		shape[1] += s[1]
		sizes[i] = s[1]
	}
	ws := n.Workers
	return n.apply(spec{
		name: "concat", shape: shape,
		loops: loops{join[float32](ws, sizes), join[float64](ws, sizes)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			grads := make(gorgonia.Nodes, len(in))
			for i, x := range in {
				var err error
				if grads[i], err = n.apply(spec{name: "concat/dx", linear: last, shape: x.Shape(),
					loops: loops{part[float32](ws, sizes, i), part[float64](ws, sizes, i)}}, grad); err != nil {
					return nil, err
				}
			}
			return grads, nil
		},
	}, in...)
}

func join[T kernel.Float](ws *kernel.Workers, sizes []int) func([][]T, []T) {
	total := 0
	for _, n := range sizes {
		total += n
	}
	return func(in [][]T, y []T) {
		first := 0
		for i, x := range in {
			kernel.Copy(ws, len(x)/sizes[i], sizes[i], kernel.Channels[T]{Data: x, Pitch: sizes[i]}, kernel.Channels[T]{Data: y[first:], Pitch: total})
			first += sizes[i]
		}
	}
}

// part takes the channels of input i out of the gradient of the result.
func part[T kernel.Float](ws *kernel.Workers, sizes []int, i int) func([][]T, []T) {
	first, total := 0, 0
	for j, n := range sizes {
		if j < i {
			first += n
		}
		total += n
	}
	return func(in [][]T, dx []T) {
		kernel.Copy(ws, len(dx)/sizes[i], sizes[i], kernel.Channels[T]{Data: in[0][first:], Pitch: total}, kernel.Channels[T]{Data: dx, Pitch: sizes[i]})
	}
}
