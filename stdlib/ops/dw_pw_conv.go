package ops

import "gorgonia.org/gorgonia"

func init() {
	register("dw_pw_conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		y, err := s.separable("conv", in[0], out, kernel, stride, 1)
		if err != nil {
			return nil, err
		}
		return s.relu(y)
	})
}
