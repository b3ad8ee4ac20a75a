package ops

import "gorgonia.org/gorgonia"

func init() {
	register("conv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		var f filter
		var err error
		if f.out, f.kernel, f.stride, err = s.window(in[0]); err != nil {
			return nil, err
		}
		if f.dilation, err = s.Int("dilation", 1); err != nil {
			return nil, err
		}
		if f.groups, err = s.Int("groups", 1); err != nil {
			return nil, err
		}
		if f.padding, err = s.Whole("padding", f.dilation*(f.kernel-1)/2); err != nil {
			return nil, err
		}
		if f.bias, err = s.Flag("bias", false); err != nil {
			return nil, err
		}
		f.exact = true
		return s.convolution("conv", in[0], f)
	})
}
