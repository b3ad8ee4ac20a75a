package ops

import "gorgonia.org/gorgonia"

func init() {
	register("plain_batch_norm", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.normalize("bn", in[0])
	})
}
