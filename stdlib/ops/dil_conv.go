package ops

import "gorgonia.org/gorgonia"

func init() {
	register("dil_conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		return s.reluSeparable("conv", in[0], out, kernel, stride, 2)
	})
}
