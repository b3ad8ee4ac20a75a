package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("add", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, err := s.Int("out", in[0].Shape()[1])
		if err != nil {
			return nil, err
		}
		terms := make([]*gorgonia.Node, len(in))
		for i, x := range in {
			if c := x.Shape()[1]; c < out {
				return nil, fmt.Errorf("a map of %d channels has no first %d", c, out)
			}
			if terms[i], err = s.slice(x, 0, out); err != nil {
				return nil, err
			}
		}
		return s.sum(terms...)
	})
}
