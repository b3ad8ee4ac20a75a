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
		y, err := s.reluConvBN("first", x, filter{out: out, kernel: 3, stride: stride})
		if err != nil {
			return nil, err
		}
		if y, err = s.reluConvBN("second", y, filter{out: out, kernel: 3}); err != nil {
			return nil, err
		}
		switch {
		case stride != 1:
			if x, err = s.avgPool(x, stride, stride); err != nil {
				return nil, err
			}
			if x, err = s.convolution("shortcut", x, pointwise(out)); err != nil {
				return nil, err
			}
		case x.Shape()[1] != out:
			return nil, fmt.Errorf("with stride 1 a block of %d channels cannot have %d", x.Shape()[1], out)
		}
		return s.sum(x, y)
	})
}
