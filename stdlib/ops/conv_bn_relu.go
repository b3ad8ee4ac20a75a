package ops

import "gorgonia.org/gorgonia"

func init() {
	register("conv_bn_relu", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		return s.convBNReLU("conv", in[0], filter{out: out, kernel: kernel, stride: stride})
	})
}
