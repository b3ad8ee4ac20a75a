package ops

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("group", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		parts, err := s.Int("parts", 1)
		if err != nil {
			return nil, err
		}
		part, err := s.Whole("part", 0)
		if err != nil {
			return nil, err
		}
		c := in[0].Shape()[1]
		if c%parts != 0 || part >= parts {
			return nil, fmt.Errorf("no part %d of %d channels in %d parts", part, c, parts)
		}
		return s.slice(in[0], part*c/parts, c/parts)
	})
}

// slice takes count channels from the first on.
func (n *Network) slice(x *gorgonia.Node, first, count int) (*gorgonia.Node, error) {
	if first == 0 && count == x.Shape()[1] {
		return x, nil
	}
	chosen := make([]int, count)
	for i := range chosen {
		chosen[i] = first + i
	}
	return n.pick(x, chosen)
}

// pick takes the channels chosen, each once at most.
func (n *Network) pick(x *gorgonia.Node, chosen []int) (*gorgonia.Node, error) {
	ws, in := n.Workers, x.Shape()
	pixels, c := in[0]*in[2]*in[3], in[1]
	return n.apply(spec{
		name: "pick", shape: tensor.Shape{in[0], len(chosen), in[2], in[3]},
		loops: loops{pick[float32](ws, pixels, c, chosen), pick[float64](ws, pixels, c, chosen)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: "pick/dx", linear: last, shape: in[0].Shape(),
				loops: loops{put[float32](ws, pixels, c, chosen), put[float64](ws, pixels, c, chosen)}}, grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func pick[T kernel.Float](ws *kernel.Workers, pixels, c int, chosen []int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Pick(ws, pixels, c, chosen, in[0], y) }
}

func put[T kernel.Float](ws *kernel.Workers, pixels, c int, chosen []int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.Put(ws, pixels, c, chosen, in[0], dx) }
}
