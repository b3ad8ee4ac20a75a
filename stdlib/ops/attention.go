package ops

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

func init() {
	register("attention", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		heads, err := s.Int("heads", 1)
		if err != nil {
			return nil, err
		}
		width, err := s.Int("width", 64)
		if err != nil {
			return nil, err
		}
		reach, err := s.Whole("reach", 0)
		if err != nil {
			return nil, err
		}
		x := in[0].Shape()
		g := kernel.Attention{B: x[0], Heads: heads, Width: width, N: x[2] * x[3], Reach: reach}
		if side := int(math.Sqrt(float64(g.N - 1))); reach > 0 && (side < 1 || side*side != g.N-1) {
			return nil, fmt.Errorf("%d tokens are not one and those of a square", g.N)
		}
		var projected [3]*gorgonia.Node
		for i, name := range []string{"query", "key", "value"} {
			if projected[i], err = s.linearMap(name, in[0], heads*width); err != nil {
				return nil, err
			}
		}
		var relative []tables
		if reach > 0 {
			relative = make([]tables, 2)
			for i, name := range []string{"key", "value"} {
				for j, along := range []string{"rows", "columns"} {
					if relative[i][j], err = s.Params.Learn(s.Address+"/"+name+"."+along, Init{Std: 0.02}, g.Entries(), width); err != nil {
						return nil, err
					}
				}
			}
		}
		y, err := s.attend(g, projected[0], projected[1], projected[2], relative...)
		if err != nil {
			return nil, err
		}
		return s.linearMap("out", y, x[1])
	})
}
