package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("channel_slice", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		first, err := s.Whole("first", 0)
		if err != nil {
			return nil, err
		}
		c := in[0].Shape()[1]
		out, err := s.Int("out", max(c-first, 1))
		if err != nil {
			return nil, err
		}
		if first+out > c {
			return nil, fmt.Errorf("no %d channels from %d on among %d", out, first, c)
		}
		return s.slice(in[0], first, out)
	})
}
