package check

import (
	"maps"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// require reads a condition on the finished body: `require edges <= 9`. The
// metrics are names there, unless the body gives the name a meaning of its own.
func (k *checker) require(t *syntax.Template, st *syntax.Verb, c context) bool {
	if at, what := decides(st.Value); what != "" {
		d := k.diags.Add("E0432", at, "a requirement decides nothing, so %s has no place in it", what)
		d.Help = "name the decision before: `width = 16 | 32`, then `require width < 32 or depth < 4`"
		return false
	}
	e := c.env.child()
	inside := c.with(e).freeze().named("")
	for _, m := range slices.Sorted(maps.Keys(resolve.Metrics)) {
		if _, own := c.env.local(m); !own {
			e.bind(m, &scalar{sym.Measure(m)})
		}
	}
	s, ok := k.scalar(k.eval(st.Value, inside), st.Value.Span())
	if !ok || k.isOpen(s, st.Value.Span(), "a requirement") || !k.isCondition(s, st.Value.Span()) {
		return false
	}
	if v, known := s.Value(); known {
		if v == false {
			k.diags.Add("E0433", st.Span(), "nothing meets this requirement")
		}
		return v == true
	}
	if s.Open() && slices.ContainsFunc(t.Params, isSetParam) {
		d := k.diags.Add("E0432", st.Span(), "`%s` takes a set of tensors and becomes part of the body around it, so it has no `%s` of its own",
			t.Name.Name, s.Measures()[0])
		d.Help = "require it in the body around it"
		return false
	}
	k.open++
	r := &lower.Requirement{Cond: s, Span: st.Span(), Text: k.text(st.Value), Where: c.under.conditions(), Parts: k.parts(st.Value, inside)}
	c.frame.body.Requires = append(c.frame.body.Requires, r)
	return true
}

// parts are the conditions that `and` joins in one that has been read.
func (k *checker) parts(e syntax.Expr, c context) []lower.Part {
	e = unparen(e)
	if b, ok := e.(*syntax.Binary); ok && b.Op == "and" {
		return append(k.parts(b.X, c), k.parts(b.Y, c)...)
	}
	s, ok := k.scalar(k.eval(e, c), e.Span())
	if !ok {
		return nil
	}
	return []lower.Part{{Cond: s, Text: k.text(e)}}
}

// isCondition reports what can be true or false only by mistake: a number, or an
// operator between values that it does not take.
func (k *checker) isCondition(s *sym.Scalar, at diag.Span) bool {
	var failed error
	for _, n := range []int64{1, 1 << 20} {
		v, err := s.EvalWith(func(*space.Decision) int64 { return 0 }, func(string) (int64, error) { return n, nil })
		if err != nil {
			failed = err
			continue
		}
		if _, isBool := v.(bool); !isBool {
			d := k.diags.Add("E0303", at, "a requirement must be true or false, not %v", describe(&scalar{sym.Const(v)}))
			d.Help = "compare it: `… <= 12M`"
			return false
		}
		return true
	}
	k.diags.Add("E0310", at, "%s", failed)
	return false
}

// decides finds what would be a decision in an expression.
func decides(e syntax.Expr) (at diag.Span, what string) {
	switch e := e.(type) {
	case *syntax.Paren:
		return decides(e.X)
	case *syntax.Unary:
		return decides(e.X)
	case *syntax.Choice:
		return e.Span(), "a choice"
	case *syntax.Range:
		return e.Span(), "a range"
	case *syntax.Of:
		return e.Span(), "`of`"
	case *syntax.Flow:
		return e.Span(), "`->`"
	case *syntax.Binary:
		if at, what = decides(e.X); what == "" {
			at, what = decides(e.Y)
		}
	case *syntax.If:
		for _, x := range []syntax.Expr{e.Cond, e.Then, e.Else} {
			if at, what = decides(x); what != "" {
				return at, what
			}
		}
	case *syntax.Index:
		if at, what = decides(e.X); what == "" {
			at, what = decides(e.I)
		}
	case *syntax.List:
		for _, x := range e.Elems {
			if at, what = decides(x); what != "" {
				return at, what
			}
		}
	case *syntax.Call:
		for _, a := range e.Args {
			for _, x := range []syntax.Expr{a.Value, a.In} {
				if at, what = decides(x); what != "" {
					return at, what
				}
			}
		}
	}
	return at, what
}
