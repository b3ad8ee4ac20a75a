package ops

import "gorgonia.org/gorgonia"

func init() {
	register("merge", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		y, err := s.concat(in...)
		if err != nil {
			return nil, err
		}
		return s.convBNReLU("conv", y, pointwise(in[0].Shape()[1]))
	})
}
