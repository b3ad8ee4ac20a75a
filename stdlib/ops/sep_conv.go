package ops

import "gorgonia.org/gorgonia"

func init() {
	register("sep_conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		y, err := s.separable("first", in[0], in[0].Shape()[1], kernel, stride, 1)
		if err != nil {
			return nil, err
		}
		return s.separable("second", y, out, kernel, 1, 1)
	})
}
