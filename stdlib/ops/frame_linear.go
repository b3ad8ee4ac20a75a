package ops

import "gorgonia.org/gorgonia"

func init() {
	register("frame_linear", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, err := s.Int("out", in[0].Shape()[1])
		if err != nil {
			return nil, err
		}
		clipped, err := s.Flag("clipped", true)
		if err != nil {
			return nil, err
		}
		y, err := s.linearMap("linear", in[0], out)
		if err != nil || !clipped {
			return y, err
		}
		return s.activate(y, "clipped_relu")
	})
}
