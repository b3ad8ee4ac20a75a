package ops

import "gorgonia.org/gorgonia"

func init() {
	register("bypass", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, _, stride, err := s.window(in[0])
		if err != nil || stride == 1 && out == in[0].Shape()[1] {
			return in[0], err
		}
		return s.convBNReLU("conv", in[0], filter{out: out, kernel: 1, stride: stride})
	})
}
