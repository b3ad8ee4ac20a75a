package ops

import "gorgonia.org/gorgonia"

func init() {
	register("frame_norm", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.layerNorm(in[0], 1e-3)
	})
}
