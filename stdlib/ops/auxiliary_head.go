package ops

import (
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("auxiliary_head", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		if _, ok := s.Attrs["out"]; !ok {
			return nil, errors.New("attribute out is missing")
		}
		k, err := s.Int("out", 0)
		if err != nil {
			return nil, err
		}
		x := in[0].Shape()
		if x[2] != x[3] || x[2] < 6 {
			return nil, fmt.Errorf("takes squares of at least 6 pixels, not maps of %dx%d", x[2], x[3])
		}
		y, err := s.relu(in[0])
		if err != nil {
			return nil, err
		}
		// Two windows of five pixels in each direction, as far apart as they can be.
		g := kernel.Pool{B: x[0], C: x[1], H: x[2], W: x[3], OH: 2, OW: 2, Kernel: 5, Stride: x[2] - 5}
		if y, err = s.meanPool(g, tensor.Shape{x[0], x[1], 2, 2}, y); err != nil {
			return nil, err
		}
		if y, err = s.convBNReLU("first", y, pointwise(128)); err != nil {
			return nil, err
		}
		if y, err = s.convBNReLU("second", y, filter{out: 768, kernel: 2, exact: true}); err != nil {
			return nil, err
		}
		if y, err = s.globalPool(y); err != nil { // of one pixel
			return nil, err
		}
		return s.linear("", y, k, true)
	})
}
