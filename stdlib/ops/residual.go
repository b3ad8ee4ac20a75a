package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("residual", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0]
		out, _, stride, err := s.window(x)
		if err != nil {
			return nil, err
		}
		y, err := s.reluConvBN("first", x, out, 3, stride, 1)
		if err != nil {
			return nil, err
		}
		if y, err = s.reluConvBN("second", y, out, 3, 1, 1); err != nil {
			return nil, err
		}
		switch {
		case stride != 1:
			if x, err = s.avgPool(x, stride, stride); err != nil {
				return nil, err
			}
			if x, err = s.convolution("shortcut", x, out, 1, 1, 1, 1, 0); err != nil {
				return nil, err
			}
		case x.Shape()[1] != out:
			return nil, fmt.Errorf("with stride 1 a block of %d channels cannot have %d", x.Shape()[1], out)
		}
		return s.sum(x, y)
	})
}
