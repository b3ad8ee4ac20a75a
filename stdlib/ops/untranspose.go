package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("untranspose", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		height, err := s.Int("height", 1)
		if err != nil {
			return nil, err
		}
		width, err := s.Int("width", 1)
		if err != nil {
			return nil, err
		}
		x := in[0].Shape()
		if x[1] != height*width || x[3] != 1 {
			return nil, fmt.Errorf("a map of shape %v is not the transpose of one of %dx%d pixels", x[1:], height, width)
		}
		return s.transpose(in[0], tensor.Shape{x[0], x[2], height, width}, x[0], x[2], x[1])
	})
}
