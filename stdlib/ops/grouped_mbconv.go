package ops

import "gorgonia.org/gorgonia"

func init() {
	register("grouped_mbconv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0]
		out, kernel, stride, err := s.window(x)
		if err != nil {
			return nil, err
		}
		expand, err := s.Int("expand", 6)
		if err != nil {
			return nil, err
		}
		groups, err := s.Int("groups", 1)
		if err != nil {
			return nil, err
		}
		y, err := s.convBNReLU("expand", x, filter{out: x.Shape()[1] * expand, kernel: 1, groups: groups})
		if err != nil {
			return nil, err
		}
		if y, err = s.shuffle(y, groups); err != nil {
			return nil, err
		}
		if y, err = s.convBNReLU("depthwise", y, depthwise(y, kernel, stride, 1)); err != nil {
			return nil, err
		}
		if y, err = s.convBN("project", y, filter{out: out, kernel: 1, groups: groups}); err != nil {
			return nil, err
		}
		return s.addWhereEqual(x, y)
	})
}
