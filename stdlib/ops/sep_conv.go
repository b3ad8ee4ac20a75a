package ops

import "gorgonia.org/gorgonia"

func init() {
	register("sep_conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		y, err := s.reluSeparable("first", in[0], in[0].Shape()[1], kernel, stride, 1)
		if err != nil {
			return nil, err
		}
		return s.reluSeparable("second", y, out, kernel, 1, 1)
	})
}
