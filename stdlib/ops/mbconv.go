package ops

import (
	"math"

	"gorgonia.org/gorgonia"
)

func init() {
	register("mbconv", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		x := in[0]
		out, kernel, stride, err := s.window(x)
		if err != nil {
			return nil, err
		}
		expand, err := s.Real("expand", 6)
		if err != nil {
			return nil, err
		}
		se, err := s.Flag("se", false)
		if err != nil {
			return nil, err
		}
		act, err := s.Text("act", "relu")
		if err != nil {
			return nil, err
		}
		mid := max(int(math.Round(float64(x.Shape()[1])*expand)), 1)
		y := x
		if expand != 1 {
			if y, err = s.convBNAct("expand", y, pointwise(mid), act); err != nil {
				return nil, err
			}
		}
		if y, err = s.convBNAct("depthwise", y, depthwise(y, kernel, stride, 1), act); err != nil {
			return nil, err
		}
		if se {
			if y, err = s.squeezeExcite(y, divisible(float64(mid)/4, 8), "h_sigmoid"); err != nil {
				return nil, err
			}
		}
		if y, err = s.convBN("project", y, pointwise(out)); err != nil {
			return nil, err
		}
		return s.addWhereEqual(x, y)
	})
}

// addWhereEqual adds x to y where they have one shape.
func (n *Network) addWhereEqual(x, y *gorgonia.Node) (*gorgonia.Node, error) {
	if !x.Shape().Eq(y.Shape()) {
		return y, nil
	}
	return n.sum(x, y)
}

// divisible rounds to the nearest multiple, never more than a tenth below x: the
// function round_to of the language.
func divisible(x float64, multiple int) int {
	m := float64(multiple)
	n := max(m, math.Floor((x+m/2)/m)*m)
	if n < 0.9*x {
		n += m
	}
	return int(n)
}
