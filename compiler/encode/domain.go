package encode

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// maxCombinations bounds how many combinations of decisions one attribute of one
// operation may depend on.
const maxCombinations = 1 << 14

// eachCase calls f for every combination of values of what the scalars depend on.
func eachCase(scalars []*sym.Scalar, f func(sym.Taken)) error {
	var deps []*space.Decision
	value := map[*space.Decision]int64{}
	combinations := 1
	for _, s := range scalars {
		if s == nil {
			continue
		}
		for _, d := range s.Decisions() {
			if _, known := value[d]; known {
				continue
			}
			value[d] = 0
			deps = append(deps, d)
			if len(d.Alts) > 20 && d.Kind == space.Subset || combinations > maxCombinations/int(values(d)) {
				return fmt.Errorf("%s and other decisions give more than %d forms of one operation", d.Address, maxCombinations)
			}
			combinations *= int(values(d))
		}
	}
	taken := func(d *space.Decision) int64 { return value[d] }
	for {
		f(taken)
		i := 0
		for ; i < len(deps); i++ {
			if value[deps[i]]++; value[deps[i]] < values(deps[i]) {
				break
			}
			value[deps[i]] = 0
		}
		if i == len(deps) {
			return nil
		}
	}
}

// values is the number of values of d, sets of all sizes among them.
func values(d *space.Decision) int64 {
	if d.Kind == space.Subset {
		return 1 << len(d.Alts)
	}
	return int64(len(d.Alts))
}

// domain lists the values that a scalar can have, in order of the alternatives.
func domain(s *sym.Scalar) ([]any, error) {
	var out []any
	known := map[any]bool{}
	err := eachCase([]*sym.Scalar{s}, func(taken sym.Taken) {
		if v, err := s.Eval(taken); err == nil && !known[v] {
			known[v] = true
			out = append(out, v)
		}
	})
	return out, err
}

// flag is the value of a part of the algebra that an op declares.
func flag(s *sym.Scalar, taken sym.Taken) bool {
	if s == nil {
		return false
	}
	v, err := s.Eval(taken)
	return err == nil && v == true
}

// always reports whether a flag is true whatever is decided.
func always(s *sym.Scalar) bool {
	if s == nil {
		return false
	}
	v, constant := s.Value()
	return constant && v == true
}

// label is an operation as `.nas` writes it, with the attributes that depend on
// no decision.
func label(n *lower.Node) string {
	g := graph.Node{Op: n.Op.Name}
	for _, a := range n.Attrs {
		if v, constant := a.Value.Value(); constant {
			g.Attrs = append(g.Attrs, graph.Attr{Name: a.Name, Value: v, Default: a.Default})
		}
	}
	return g.Label()
}
