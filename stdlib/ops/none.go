package ops

import "gorgonia.org/gorgonia"

func init() {
	register("none", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, _, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		return s.zero(in[0], out, stride)
	})
}
