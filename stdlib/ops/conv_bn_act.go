package ops

import "gorgonia.org/gorgonia"

func init() {
	register("conv_bn_act", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, kernel, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		act, err := s.Text("act", "relu")
		if err != nil {
			return nil, err
		}
		return s.convBNAct("conv", in[0], filter{out: out, kernel: kernel, stride: stride}, act)
	})
}

// convBNAct adds a convolution, batch norm and an activation.
func (s *Site) convBNAct(name string, x *gorgonia.Node, f filter, act string) (*gorgonia.Node, error) {
	y, err := s.convBN(name, x, f)
	if err != nil {
		return nil, err
	}
	return s.activate(y, act)
}
