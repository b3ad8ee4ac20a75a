package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("shuffle_xception", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.shuffleUnit(in[0], func(y *gorgonia.Node, rest, kernel, stride int) (*gorgonia.Node, error) {
			mid := s.middle(in[0])
			for i, out := range []int{mid, mid, rest} {
				name := fmt.Sprintf("branch%d.", i+1)
				var err error
				if y, err = s.convBN(name+"depthwise", y, depthwise(y, kernel, stride, 1)); err != nil {
					return nil, err
				}
				if y, err = s.convBNReLU(name+"pointwise", y, pointwise(out)); err != nil {
					return nil, err
				}
				stride = 1
			}
			return y, nil
		})
	})
}
