package ops

import "gorgonia.org/gorgonia"

func init() {
	register("dw_conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		_, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		return s.convBNReLU("conv", in[0], depthwise(in[0], kernel, stride, 1))
	})
}
