package ops

import (
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("dropout", 1, anyDims, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		rate, err := s.Real("rate", 0.5)
		if err != nil {
			return nil, err
		}
		return s.dropout("drop", in[0], rate)
	})
}

// dropout puts zeros in place of numbers at random in training, and makes the others
// larger by so much that sums stay (Srivastava et al. 2014).
func (s *Site) dropout(name string, x *gorgonia.Node, rate float64) (*gorgonia.Node, error) {
	if rate == 0 {
		return x, nil
	}
	mask, err := s.mask(name, x, x.Shape(), rate, false)
	if err != nil {
		return nil, err
	}
	return s.multiply(x, mask)
}

// mask adds the factors of what is dropped in a step. They depend on the seed, the
// place and the step alone. A rate that grows does so from 0, with the training.
func (s *Site) mask(name string, x *gorgonia.Node, shape tensor.Shape, rate float64, grows bool) (*gorgonia.Node, error) {
	switch {
	case s.Seeds == nil:
		return nil, errors.New("this network has no random numbers")
	case rate >= 1:
		return nil, fmt.Errorf("attribute rate is %v, not less than 1", rate)
	}
	n, stream := s.Network, s.Address+"/"+name
	return n.apply(spec{name: "mask", shape: shape, fixed: true,
		loops: loops{dropMask[float32](n, stream, rate, grows), dropMask[float64](n, stream, rate, grows)}}, x)
}

func dropMask[T kernel.Float](n *Network, stream string, rate float64, grows bool) func([][]T, []T) {
	return func(_ [][]T, y []T) {
		now := rate
		switch {
		case !n.Training:
			now = 0
		case grows:
			now *= n.Progress
		}
		kernel.Drop(n.Workers, n.Seeds(stream, n.Step), now, y)
	}
}

// multiply adds the product of x and factors, number by number, which is
// differentiated for x only.
func (n *Network) multiply(x, factors *gorgonia.Node) (*gorgonia.Node, error) {
	ws := n.Workers
	return n.apply(spec{
		name: "multiply", linear: 1, shape: x.Shape(), inPlace: 1, wrt: []bool{true, false},
		loops: loops{multiply[float32](ws), multiply[float64](ws)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.multiply(grad, in[1])
			return gorgonia.Nodes{dx, nil}, err
		},
	}, x, factors)
}

func multiply[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Multiply(ws, in[0], in[1], y) }
}
