package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

const zeroName = "zero"

func init() {
	register("zero", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		stride, err := s.Int("stride", 1)
		if err != nil {
			return nil, err
		}
		return s.zero(in[0], in[0].Shape()[1], stride)
	})
}

// zero adds an absent map of so many channels.
func (n *Network) zero(x *gorgonia.Node, out, stride int) (*gorgonia.Node, error) {
	in := x.Shape()
	return n.Absent(x, tensor.Shape{in[0], out, ceilDiv(in[2], stride), ceilDiv(in[3], stride)})
}

// Absent adds an absent tensor of a shape: zeros, which sums and mixtures leave out.
// It takes the place of something made of x.
func (n *Network) Absent(x *gorgonia.Node, shape tensor.Shape) (*gorgonia.Node, error) {
	return n.apply(spec{name: zeroName, fixed: true, shape: shape, loops: loops{zero[float32], zero[float64]}}, x)
}

func zero[T kernel.Float](_ [][]T, y []T) { clear(y) }

// isZero reports whether x is the output of the op zero.
func isZero(x *gorgonia.Node) bool {
	p, ok := x.Op().(*Primitive)
	return ok && p.name == zeroName
}
