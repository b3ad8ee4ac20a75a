package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

func init() {
	register("channel_shuffle", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		groups, err := s.Int("groups", 2)
		if err != nil {
			return nil, err
		}
		return s.shuffle(in[0], groups)
	})
}

// shuffle deals the channels of every group out to all groups (Zhang, Zhou, Lin and
// Sun 2018): first the first ones, then the second ones.
func (n *Network) shuffle(x *gorgonia.Node, groups int) (*gorgonia.Node, error) {
	c := x.Shape()[1]
	switch {
	case c%groups != 0:
		return nil, fmt.Errorf("%d channels cannot be divided into %d groups", c, groups)
	case groups == 1 || groups == c:
		return x, nil
	}
	var chosen []int
	for i := range c / groups {
		for g := range groups {
			chosen = append(chosen, g*c/groups+i)
		}
	}
	return n.pick(x, chosen)
}
