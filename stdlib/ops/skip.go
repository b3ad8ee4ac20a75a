package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("skip", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		stride, err := s.Int("stride", 1)
		switch {
		case err != nil:
			return nil, err
		case stride == 1:
			return in[0], nil
		case stride == 2:
			return s.factorizedReduce(in[0], in[0].Shape()[1])
		}
		return nil, fmt.Errorf("stride %d: only 1 and 2 are defined", stride)
	})
}
