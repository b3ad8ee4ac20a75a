package ops

import "gorgonia.org/gorgonia"

func init() {
	register("basic", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0]
		out, _, stride, err := s.window(x)
		if err != nil {
			return nil, err
		}
		y, err := s.reluConvBN("first", x, filter{out: out, kernel: 3, stride: stride})
		if err != nil {
			return nil, err
		}
		if y, err = s.reluConvBN("second", y, filter{out: out, kernel: 3}); err != nil {
			return nil, err
		}
		if stride != 1 || out != x.Shape()[1] {
			if x, err = s.convBN("shortcut", x, filter{out: out, kernel: 1, stride: stride}); err != nil {
				return nil, err
			}
		}
		return s.sum(x, y)
	})
}
