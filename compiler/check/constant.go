package check

import (
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Taken says what a point of a sweep takes: for a swept *syntax.Choice the index
// of an alternative, for a swept *syntax.Range the value. A choice has one meaning
// wherever its name is used, so a swept `let` ties its uses.
type Taken map[syntax.Expr]int64

// Constant evaluates an expression that must be known before anything runs: a
// setting of a search, an argument of a space. It returns an int64, float64,
// bool, string, or []int64 for a list of whole numbers.
func Constant(p *resolve.Program, m *resolve.Module, e syntax.Expr, taken Taken) (any, diag.List) {
	k := newChecker(p, "")
	k.taken = taken
	var v any
	k.guarded(func() { v = k.constant(m, e) })
	k.diags.Sort()
	return v, k.diags
}

// RangeValues are the values of a range whose ends are known.
func RangeValues(p *resolve.Program, m *resolve.Module, e *syntax.Range) ([]int64, diag.List) {
	k := newChecker(p, "")
	var out []int64
	k.guarded(func() {
		values, _ := k.knownRange(e, k.rootContext().with(k.moduleEnv(m)))
		for _, s := range values {
			if v, known := s.Value(); known {
				if n, isInt := v.(int64); isInt {
					out = append(out, n)
				}
			}
		}
	})
	k.diags.Sort()
	return out, k.diags
}

// guarded runs f, which may end early in a diagnostic.
func (k *checker) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(fatal); !ok {
				panic(r)
			}
		}
	}()
	f()
}

func (k *checker) constant(m *resolve.Module, e syntax.Expr) any {
	v := k.eval(e, k.rootContext().with(k.moduleEnv(m)))
	if l, ok := v.(*list); ok {
		var dims []int64
		for _, x := range l.elems {
			if s, isScalar := x.(*scalar); isScalar {
				if n, known := s.Value(); known {
					if d, isInt := n.(int64); isInt {
						dims = append(dims, d)
						continue
					}
				}
			}
			k.diags.Add("E0304", e.Span(), "a list here holds whole numbers")
			return nil
		}
		return dims
	}
	s, ok := k.scalar(v, e.Span())
	if !ok {
		return nil
	}
	c, known := s.Value()
	if !known {
		k.diags.Add("E0550", e.Span(), "one value is needed here, not a choice of several")
		return nil
	}
	return c
}
