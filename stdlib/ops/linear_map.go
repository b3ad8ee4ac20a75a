package ops

import "gorgonia.org/gorgonia"

func init() {
	register("linear_map", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, err := s.Int("out", in[0].Shape()[1])
		if err != nil {
			return nil, err
		}
		return s.linearMap("map", in[0], out)
	})
}

// linearMap is a linear layer with bias on the channels of every position: a 1x1
// convolution.
func (s *Site) linearMap(name string, x *gorgonia.Node, out int) (*gorgonia.Node, error) {
	f := pointwise(out)
	f.bias, f.even = true, true
	return s.convolution(name, x, f)
}
