package check

import (
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Constant evaluates an expression that must be known before anything runs: a
// setting of a search, an argument of a space. It returns an int64, float64,
// bool, string, or []int64 for a list of whole numbers.
func Constant(p *resolve.Program, m *resolve.Module, e syntax.Expr) (any, diag.List) {
	k := newChecker(p, "")
	v := k.constant(m, e)
	k.diags.Sort()
	return v, k.diags
}

func (k *checker) constant(m *resolve.Module, e syntax.Expr) (out any) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(fatal); !ok {
				panic(r)
			}
		}
	}()
	switch unparen(e).(type) {
	case *syntax.Choice, *syntax.Range:
		k.unsupported(e.Span(), "sweeping several values in a search")
		return nil
	}
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
		k.unsupported(e.Span(), "a setting that is a decision")
		return nil
	}
	return c
}
