package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("shuffle", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.shuffleUnit(in[0], func(x *gorgonia.Node, rest, kernel, stride int) (*gorgonia.Node, error) {
			mid := s.middle(in[0])
			y, err := s.convBNReLU("first", x, pointwise(mid))
			if err != nil {
				return nil, err
			}
			if y, err = s.convBN("depthwise", y, depthwise(y, kernel, stride, 1)); err != nil {
				return nil, err
			}
			return s.convBNReLU("last", y, pointwise(rest))
		})
	})
}

// middle is the width inside of a unit of ShuffleNet V2.
func (s *Site) middle(x *gorgonia.Node) int {
	out, _, _, err := s.window(x)
	if err != nil {
		return 1
	}
	return max(out/2, 1)
}

// shuffleUnit is the frame of a unit of ShuffleNet V2 (Ma, Zhang, Zheng and Sun
// 2018): with stride 1 every other channel is handed on and the rest passes through
// the branch; with stride 2 all channels pass through it, and for the other half
// through a depthwise and a 1x1 convolution. The branch gives as many channels as
// are missing.
func (s *Site) shuffleUnit(x *gorgonia.Node, branch func(x *gorgonia.Node, rest, kernel, stride int) (*gorgonia.Node, error)) (*gorgonia.Node, error) {
	out, kernel, stride, err := s.window(x)
	if err != nil {
		return nil, err
	}
	c := x.Shape()[1]
	handed, through := x, x
	switch {
	case stride == 1 && (c != out || c < 2 || c%2 != 0):
		return nil, fmt.Errorf("with stride 1 a unit of %d channels cannot have %d", c, out)
	case stride == 1:
		turned, err := s.shuffle(x, c/2) // even channels, then odd ones
		if err != nil {
			return nil, err
		}
		if handed, err = s.slice(turned, 0, c/2); err != nil {
			return nil, err
		}
		if through, err = s.slice(turned, c/2, c/2); err != nil {
			return nil, err
		}
	case out <= c:
		return nil, fmt.Errorf("a unit with stride %d of %d channels cannot have %d", stride, c, out)
	default:
		if handed, err = s.convBN("other.depthwise", x, depthwise(x, kernel, stride, 1)); err != nil {
			return nil, err
		}
		if handed, err = s.convBNReLU("other.last", handed, pointwise(c)); err != nil {
			return nil, err
		}
	}
	y, err := branch(through, out-handed.Shape()[1], kernel, stride)
	if err != nil {
		return nil, err
	}
	return s.concat(handed, y)
}
