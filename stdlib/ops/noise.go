package ops

import (
	"errors"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("noise", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		stride, err := s.Int("stride", 1)
		if err != nil {
			return nil, err
		}
		if s.Seeds == nil {
			return nil, errors.New("this network has no random numbers")
		}
		n, stream, x := s.Network, s.Address+"/noise", in[0].Shape()
		return n.apply(spec{name: "noise", fixed: true, shape: tensor.Shape{x[0], x[1], ceilDiv(x[2], stride), ceilDiv(x[3], stride)},
			loops: loops{noise[float32](n, stream), noise[float64](n, stream)}}, in[0])
	})
}

func noise[T kernel.Float](n *Network, stream string) func([][]T, []T) {
	return func(_ [][]T, y []T) { kernel.Normals(n.Workers, n.Seeds(stream, n.Step), y) }
}
