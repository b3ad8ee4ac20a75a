package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("fit", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0].Shape()
		out, err := s.Int("out", x[1])
		if err != nil {
			return nil, err
		}
		h, err := s.Int("height", x[2])
		if err != nil {
			return nil, err
		}
		w, err := s.Int("width", x[3])
		switch {
		case err != nil:
			return nil, err
		case h == x[2] && w == x[3]:
			return s.reluConvBN("conv", in[0], pointwise(out))
		case h == ceilDiv(x[2], 2) && w == ceilDiv(x[3], 2):
			return s.factorizedReduce(in[0], out)
		}
		return nil, fmt.Errorf("cannot fit a map of %dx%d into %dx%d", x[2], x[3], h, w)
	})
}
