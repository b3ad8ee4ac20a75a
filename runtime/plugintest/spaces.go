package plugintest

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/space"
)

// shape is a space to search.
type shape struct {
	name  string
	space *space.Space
}

// shapes are the spaces that optimizers are tried on.
func shapes() []shape {
	pick := func(address string, n int, sub ...*space.Decision) *space.Decision {
		d := &space.Decision{Address: address, Kind: space.OneOf}
		for i := range n {
			alt := &space.Alt{Label: fmt.Sprint(i), Sub: &space.Group{}}
			if i == n-1 {
				alt.Sub.Decisions = sub
			}
			d.Alts = append(d.Alts, alt)
		}
		return d
	}
	subset := func(address string, n, least, most int) *space.Decision {
		d := pick(address, n)
		d.Kind, d.Min, d.Max = space.Subset, least, most
		return d
	}
	made := func(name string, ds ...*space.Decision) *space.Space {
		s, err := space.New(name, &space.Group{Decisions: ds})
		if err != nil {
			panic(err) // the decisions are as space.New wants them
		}
		return s
	}
	var many []*space.Decision
	for i := range 200 {
		many = append(many, pick(fmt.Sprintf("d[%d]", i), 8))
	}
	return []shape{
		{"six choices of five", made("six", pick("a", 5), pick("b", 5), pick("c", 5), pick("d", 5), pick("e", 5), pick("f", 5))},
		{"choices inside of choices", made("nested", pick("a", 3, pick("a.x", 4, pick("a.x.y", 3)), pick("a.z", 2)), pick("b", 2))},
		{"sets of edges", made("edges", subset("in", 5, 2, 2), subset("more", 4, 0, 4), pick("op", 3))},
		{"a space of one architecture", made("one", pick("a", 1), pick("b", 1))},
		{"200 choices of eight", made("huge", many...)},
	}
}
