package ops

import "gorgonia.org/gorgonia"

func init() {
	register("nasbench101.merge", anyNumber, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		out, err := s.Int("out", in[0].Shape()[1])
		if err != nil {
			return nil, err
		}
		// What has the whole width is added: the projection of the input, and a
		// vertex that is alone.
		var whole, joined []*gorgonia.Node
		for _, x := range in {
			if x.Shape()[1] == out {
				whole = append(whole, x)
			} else {
				joined = append(joined, x)
			}
		}
		if len(joined) > 0 {
			y, err := s.concat(joined...)
			if err != nil {
				return nil, err
			}
			whole = append(whole, y)
		}
		return s.sum(whole...)
	})
}
