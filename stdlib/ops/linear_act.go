package ops

import (
	"errors"

	"gorgonia.org/gorgonia"
)

func init() {
	register("linear_act", 1, vectors, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		if _, ok := s.Attrs["out"]; !ok {
			return nil, errors.New("attribute out is missing")
		}
		k, err := s.Int("out", 0)
		if err != nil {
			return nil, err
		}
		bias, err := s.Flag("bias", true)
		if err != nil {
			return nil, err
		}
		act, err := s.Text("act", "none")
		if err != nil {
			return nil, err
		}
		y, err := s.linear("", in[0], k, bias)
		if err != nil {
			return nil, err
		}
		return s.activate(y, act)
	})
}
