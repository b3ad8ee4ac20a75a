package count

import (
	"math"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// maxCells bounds the table of one factor.
const maxCells = 1 << 16

// undefined is the value of a factor where it cannot be computed: the decisions
// that it needs do not exist together.
const undefined = math.MinInt64

// factor is a whole number that depends on few decisions: one cell for each
// combination of their values, the first decision the slowest.
type factor struct {
	deps  []*space.Decision
	cells []int64
}

// values is the number of values of a decision, Inactive not counted.
func values(d *space.Decision) int {
	if d.Kind == space.Subset {
		return 1 << len(d.Alts)
	}
	return len(d.Alts)
}

// tabulate makes a factor of what f computes for every combination of values that
// deps can take; ok is false when they are too many.
func tabulate(deps []*space.Decision, f func(sym.Taken) int64) (out *factor, ok bool) {
	n := 1
	for _, d := range deps {
		if len(d.Alts) > 16 && d.Kind == space.Subset {
			return nil, false
		}
		if n *= values(d); n > maxCells {
			return nil, false
		}
	}
	out = &factor{deps: deps, cells: make([]int64, n)}
	at := make(map[*space.Decision]int64, len(deps))
	taken := func(d *space.Decision) int64 { return at[d] }
	for i := range out.cells {
		rest := i
		for k := len(deps) - 1; k >= 0; k-- {
			v := values(deps[k])
			at[deps[k]] = int64(rest % v)
			rest /= v
		}
		out.cells[i] = f(taken)
	}
	return out, true
}

// at is the value for an assignment by Decision.ID.
func (f *factor) at(v []int64) int64 {
	i := 0
	for _, d := range f.deps {
		x := v[d.ID]
		if x < 0 {
			return undefined
		}
		i = i*values(d) + int(x)
	}
	return f.cells[i]
}

// constant reports whether the factor is the same everywhere, and what.
func (f *factor) constant() (int64, bool) {
	for _, c := range f.cells {
		if c != f.cells[0] {
			return 0, false
		}
	}
	return f.cells[0], true
}

// number evaluates a scalar that must be a whole number, or a truth value as 0 or
// 1; nil counts as 0.
func number(s *sym.Scalar, taken sym.Taken) int64 {
	if s == nil {
		return 0
	}
	v, err := s.Eval(taken)
	if err != nil {
		return undefined
	}
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return undefined
}

// union lists the decisions of several scalars, each once.
func union(all ...*sym.Scalar) []*space.Decision {
	var out []*space.Decision
	seen := map[*space.Decision]bool{}
	for _, s := range all {
		if s == nil {
			continue
		}
		for _, d := range s.Decisions() {
			if !seen[d] {
				seen[d] = true
				out = append(out, d)
			}
		}
	}
	return out
}
