package ops

import "gorgonia.org/gorgonia"

func init() {
	register("padded_avg_pool", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		_, kern, stride, err := s.window(in[0])
		if err != nil {
			return nil, err
		}
		g, shape := poolGeometry(in[0], kern, stride)
		g.CountPadding = true
		return s.meanPool(g, shape, in[0])
	})
}
