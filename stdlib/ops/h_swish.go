package ops

import "gorgonia.org/gorgonia"

func init() {
	register("h_swish", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.activate(in[0], "h_swish")
	})
}
