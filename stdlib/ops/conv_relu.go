package ops

import "gorgonia.org/gorgonia"

func init() {
	register("conv_relu", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		f := filter{row: true, bias: true}
		var err error
		if f.out, f.kernel, f.stride, err = s.window(in[0]); err != nil {
			return nil, err
		}
		if f.kernel, err = s.Int("kernel", 5); err != nil {
			return nil, err
		}
		if f.dilation, err = s.Int("dilation", 1); err != nil {
			return nil, err
		}
		if f.groups, err = s.Int("groups", 1); err != nil {
			return nil, err
		}
		y, err := s.convolution("conv", in[0], f)
		if err != nil {
			return nil, err
		}
		return s.activate(y, "clipped_relu")
	})
}
