package check

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// pick is `k of S`: of a set of tensors a subset, of a list one element.
func (k *checker) pick(e *syntax.Of, c context) value {
	v := k.eval(e.Set, c.named(""))
	switch s := v.(type) {
	case bad:
		return v
	case *tensor:
		v = &set{members: []member{{tensor: s, label: k.text(e.Set)}}}
	case *list:
		return k.pickOne(e, s, c)
	case *set:
	default:
		k.diags.Add("E0304", e.Set.Span(), "`of` chooses from a set or a list, not from %s", describe(v))
		return bad{}
	}
	s := v.(*set)
	n := len(s.members)
	min, max, ok := k.howMany(e, n, c)
	if !ok {
		return bad{}
	}
	if max > n || min > n {
		return k.tooMany(e, s, min, max)
	}
	if n > space.MaxItems {
		k.diags.Add("E0412", e.Span(), "choosing from %d tensors is more than nasc allows (%d)", n, space.MaxItems)
		return bad{}
	}
	out := &set{members: append([]member(nil), s.members...)}
	if max == 0 {
		for i := range out.members {
			out.members[i].never = true
		}
		return out
	}
	if min == n {
		for i := range out.members {
			out.members[i].picked = true
		}
		return out
	}
	labels := make([]string, n)
	for i, m := range s.members {
		labels[i] = m.label
		if len(m.when) > 0 {
			k.unsupported(e.Span(), "choosing from what was chosen before")
			return bad{}
		}
	}
	d := k.decide(c, pickName(e.Set), space.Subset, labels, e.Span())
	if d == nil {
		return bad{}
	}
	d.Min, d.Max = min, max
	for i := range out.members {
		m := &out.members[i]
		m.picked = true
		m.when = []lower.Item{{On: d, Index: i}}
		m.group = d.Alts[i].Sub
	}
	return out
}

// pickName is what a subset decision is called: the name of its set.
func pickName(e syntax.Expr) string {
	if n, ok := unparen(e).(*syntax.Name); ok {
		return n.Name
	}
	return "pick"
}

// howMany reads the number before `of`: least and most items.
func (k *checker) howMany(e *syntax.Of, n int, c context) (min, max int, ok bool) {
	switch e.Quant {
	case "any":
		return 0, n, true
	case "all":
		return n, n, true
	}
	if r, isRange := unparen(e.Count).(*syntax.Range); isRange {
		if r.By != nil {
			k.diags.Add("E0404", r.By.Span(), "`by` has no meaning before `of`")
			return 0, 0, false
		}
		if min, ok = k.count(r.Lo, c, "`of`"); !ok {
			return 0, 0, false
		}
		max = n
		if r.Hi != nil {
			if max, ok = k.count(r.Hi, c, "`of`"); !ok {
				return 0, 0, false
			}
		}
		if max < min && r.Hi != nil {
			k.diags.Add("E0404", r.Span(), "the range %d..%d holds no value", min, max)
			return 0, 0, false
		}
		return min, max, true
	}
	min, ok = k.count(e.Count, c, "`of`")
	return min, min, ok
}

func (k *checker) tooMany(e *syntax.Of, s *set, min, max int) value {
	n := len(s.members)
	what := "tensors"
	if n == 1 {
		what = "tensor"
	}
	d := k.diags.Add("E0311", e.Span(), "cannot choose %d of %d %s", max, n, what)
	var names []string
	for _, m := range s.members {
		names = append(names, m.label)
	}
	if k.at != "" {
		d.Label = fmt.Sprintf("at %s, %s = {%s}", k.at, k.text(e.Set), strings.Join(names, ", "))
	}
	if n > 0 {
		low := "1"
		if min < max {
			low = fmt.Sprint(min)
		}
		if low == fmt.Sprint(n) {
			d.Help = fmt.Sprintf("write `all of %s`", k.text(e.Set))
		} else {
			d.Help = fmt.Sprintf("write `%s..%d of %s`", low, n, k.text(e.Set))
		}
	}
	return bad{}
}

// pickOne is `1 of S` over operations or values.
func (k *checker) pickOne(e *syntax.Of, l *list, c context) value {
	n := len(l.elems)
	min, max, ok := k.howMany(e, n, c)
	switch {
	case !ok:
		return bad{}
	case min != 1 || max != 1:
		k.unsupported(e.Span(), "choosing several operations at once")
		return bad{}
	case n == 0:
		k.diags.Add("E0311", e.Span(), "cannot choose 1 of 0 elements")
		return bad{}
	case n == 1:
		return l.elems[0]
	}
	labels := make([]string, n)
	for i, v := range l.elems {
		labels[i] = k.elementText(e.Set, i, v)
	}
	d := k.decide(c, "choice", space.OneOf, labels, e.Span())
	if d == nil {
		return bad{}
	}
	return k.join(d, l.elems, c, e.Span())
}

// oneExtent takes the dimension of a set's members as one number: they must
// all agree.
func (k *checker) oneExtent(x *extents, at diag.Span) (*sym.Scalar, bool) {
	if len(x.scalars) == 0 {
		k.diags.Add("E0302", at, "the set is empty, so it has no `%s`", x.dim)
		return nil, false
	}
	for i, s := range x.scalars[1:] {
		if eq, known := equal(x.scalars[0], s); eq {
			continue
		} else if !known {
			k.diags.Add("E0308", at, "cannot prove that all tensors of the set have the same `%s`", x.dim)
			return nil, false
		}
		k.mismatch(at, x.of.members[0], x.of.members[i+1])
		return nil, false
	}
	return x.scalars[0], true
}

// mismatch reports two tensors of a set that do not fit, naming both shapes and
// where each comes from.
func (k *checker) mismatch(at diag.Span, a, b member) {
	if k.use.Start.Valid() {
		at = k.use
	}
	d := k.diags.Add("E0301", at, "shapes differ: %s and %s", shapeText(a.node.Shape), shapeText(b.node.Shape))
	if k.at != "" {
		d.Label = "at " + k.at
	}
	for _, m := range []member{a, b} {
		from := "comes from here"
		if m.node.Kind == lower.Input {
			from = "is this input"
		}
		d.Notes = append(d.Notes, diag.Note{Span: m.node.Span, Text: fmt.Sprintf("%s %s %s", m.label, shapeText(m.node.Shape), from)})
	}
}

// equal compares two scalars over everything they depend on. known is false
// when there are too many combinations to try.
func equal(a, b *sym.Scalar) (eq, known bool) {
	if sym.Same(a, b) {
		return true, true
	}
	diff, err := sym.Apply("!=", a, b)
	if err != nil {
		return false, true
	}
	v, ok := diff.Value()
	if ok {
		return v == false, true
	}
	if diff.Open() {
		return false, false
	}
	deps := diff.Decisions()
	total := 1
	for _, d := range deps {
		n := len(d.Alts)
		if d.Kind == space.Subset {
			n = 1 << min(n, 20)
		}
		if total *= n; total > 1<<16 {
			return false, false
		}
	}
	at := map[*space.Decision]int64{}
	for i := range total {
		rest := i
		for _, d := range deps {
			n := len(d.Alts)
			if d.Kind == space.Subset {
				n = 1 << n
			}
			at[d] = int64(rest % n)
			rest /= n
		}
		if v, err := diff.Eval(func(d *space.Decision) int64 { return at[d] }); err != nil || v != false {
			return false, true
		}
	}
	return true, true
}

func shapeText(s []*sym.Scalar) string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
