package ops

import "gorgonia.org/gorgonia"

func init() {
	register("feed_forward", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		ratio, err := s.Real("ratio", 4)
		if err != nil {
			return nil, err
		}
		c := in[0].Shape()[1]
		y, err := s.linearMap("first", in[0], max(int(float64(c)*ratio), 1))
		if err != nil {
			return nil, err
		}
		if y, err = s.activate(y, "gelu"); err != nil {
			return nil, err
		}
		return s.linearMap("second", y, c)
	})
}
