package check

import (
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// maxRepeat bounds repetitions and arrays.
const maxRepeat = 10_000

// repeat is op * n: the operation expression decided afresh n times, to a depth
// that may depend on decisions. A range in place of n is a decision of its own.
func (k *checker) repeat(e *syntax.Binary, c context) value {
	r, isRange := unparen(e.Y).(*syntax.Range)
	if !isRange {
		s, ok := k.scalar(k.eval(e.Y, c.named(slotOr(c, "depth"))), e.Y.Span())
		if !ok {
			return bad{}
		}
		return k.repeated(e, s, c)
	}
	ends, ok := k.rangeEnds(r, c)
	if !ok {
		return bad{}
	}
	return k.cases(ends, c, e.Span(), func(v []any, c context) value {
		values, ok := k.rangeValues(r, v)
		if !ok {
			return bad{}
		}
		for _, s := range values[len(values)-1:] {
			if v, _ := s.Value(); !k.times(v, e.Y.Span()) {
				return bad{}
			}
		}
		if len(values) == 1 {
			return k.repeated(e, values[0], c)
		}
		d := k.decide(c.named(slotOr(c, "depth")), "depth", space.Depth, rangeLabels(values), e.Y.Span())
		if d == nil {
			return bad{}
		}
		return k.repeated(e, sym.Switch(d, values), c)
	})
}

func slotOr(c context, name string) string {
	if c.slot != "" {
		return c.slot
	}
	return name
}

// times reports whether v is a number of repetitions.
func (k *checker) times(v any, at diag.Span) bool {
	n, ok := v.(int64)
	switch {
	case !ok || n < 0:
		k.diags.Add("E0303", at, "an operation is repeated a whole number of times, not %v", v)
	case n > maxRepeat:
		k.diags.Add("E0411", at, "%d repetitions are more than nasc allows (%d)", n, maxRepeat)
	default:
		return true
	}
	return false
}

// repeated is op * depth. What repetition i decides exists only where the depth is
// greater than i.
func (k *checker) repeated(e *syntax.Binary, depth *sym.Scalar, c context) value {
	least, most, ok := k.span(depth, c, e.Y.Span(), "a repetition", k.times)
	if !ok {
		return bad{}
	}
	if most == 0 {
		d := k.diags.Add("E0404", e.Y.Span(), "repeating 0 times leaves no operation")
		d.Help = "write `* (0..n)` to let the depth be decided"
		return bad{}
	}
	if least == most {
		return k.repeatFixed(e, c, most)
	}
	out := &elastic{depth: depth, at: e.Span()}
	for i := range most {
		k.spend(depth.Size(), e.Span())
		here := k.beyond(depth, i, c, e.Y.Span())
		v := k.eval(e.X, here.named(""))
		if isBad(v) {
			return v
		}
		out.steps = append(out.steps, v)
		out.under = append(out.under, here.under)
	}
	return out
}

// beyond is the part of a context in which a number is greater than i. What every
// depth of a decision has still belongs to that decision.
func (k *checker) beyond(n *sym.Scalar, i int, c context, at diag.Span) context {
	s, ok := k.apply1(">", at, &scalar{n}, &scalar{sym.Int(int64(i))}).(*scalar)
	if !ok {
		return c
	}
	if d, _, ok := n.Table(); ok && s.Is(true) {
		if home := k.asked[d.ID].under; c.under.above(home) {
			return c.in(&branch{up: home, on: d, cond: truth, height: home.tall() + 1})
		}
	}
	return c.in(k.within(c.under, s.Scalar))
}

// span finds the least and the greatest value that a count can have in a context.
func (k *checker) span(n *sym.Scalar, c context, at diag.Span, what string, valid func(any, diag.Span) bool) (least, most int, ok bool) {
	ok, least = true, maxRepeat
	if n.Open() {
		if !k.isOpen(n, at, what) {
			k.diags.Add("E0432", at, "`%s` is known only when everything is decided, so nothing can be repeated by it", n.Measures()[0])
		}
		return 0, 0, false
	}
	_, leaves := k.outcomes([]*sym.Scalar{n}, c, at)
	for _, l := range leaves {
		if !valid(l.values[0], at) {
			return 0, 0, false
		}
		v := int(l.values[0].(int64))
		least, most = min(least, v), max(most, v)
	}
	return least, most, ok
}

// repeatFixed evaluates an operation expression n times, one after the other.
func (k *checker) repeatFixed(e *syntax.Binary, c context, n int) value {
	f := &flow{}
	for range n {
		v := k.eval(e.X, c.named(""))
		if isBad(v) {
			return v
		}
		f.steps = append(f.steps, v)
	}
	return f
}
