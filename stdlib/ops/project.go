package ops

import "gorgonia.org/gorgonia"

func init() {
	register("project", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, err := s.Int("out", in[0].Shape()[1])
		if err != nil {
			return nil, err
		}
		return s.convBNReLU("conv", in[0], pointwise(out))
	})
}
