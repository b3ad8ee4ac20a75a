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

// pick is `k of S`: of a set of tensors a subset, of a list some of its elements,
// or one. What is not there in some cases is chosen from in each of them.
func (k *checker) pick(e *syntax.Of, c context) value {
	v := k.eval(e.Set, c.named(""))
	var labels map[value]string
	switch s := v.(type) {
	case bad:
		return v
	case *tensor:
		v = &set{members: []member{{tensor: s, label: k.text(e.Set)}}}
	case *list:
		labels = map[value]string{}
		for i, x := range s.elems {
			labels[x] = k.elementText(e.Set, i, x)
		}
	case *set:
	default:
		k.diags.Add("E0304", e.Set.Span(), "`of` chooses from a set or a list, not from %s", describe(v))
		return bad{}
	}
	many, ok := k.howMany(e, c)
	if !ok {
		return bad{}
	}
	return k.present(v, many, c, e.Span(), func(v value, many []any, c context) value {
		switch s := v.(type) {
		case *set:
			return k.pickTensors(e, s, many, c)
		case *list:
			return k.pickElements(e, s, many, labels, c)
		}
		return bad{}
	})
}

// pickTensors picks from a set of tensors that are all there.
func (k *checker) pickTensors(e *syntax.Of, s *set, many []any, c context) value {
	n := len(s.members)
	labels := make([]string, n)
	for i, m := range s.members {
		labels[i] = m.label
	}
	min, max, ok := k.bounds(e, many, n, "tensor", labels)
	if !ok {
		return bad{}
	}
	out := &set{members: append([]member(nil), s.members...)}
	if max == 0 {
		for i := range out.members {
			out.members[i].when = falsehood
		}
		return out
	}
	if min == n {
		for i := range out.members {
			out.members[i].picked = true
		}
		return out
	}
	d := k.subset(e, c, labels, min, max)
	if d == nil {
		return bad{}
	}
	for i := range out.members {
		m := &out.members[i]
		m.picked = true
		m.when = sym.Has(d, i)
		m.under = k.both(m.under, k.within(c.under, m.when))
	}
	return out
}

// pickElements picks from a list of values or operations that are all there: `1 of`
// is one of them, anything else is the list of those that are taken.
func (k *checker) pickElements(e *syntax.Of, l *list, many []any, names map[value]string, c context) value {
	n := len(l.elems)
	labels := make([]string, n)
	for i, v := range l.elems {
		labels[i] = names[v]
	}
	min, max, ok := k.bounds(e, many, n, "element", labels)
	if !ok {
		return bad{}
	}
	if one, isNumber := unparen(e.Count).(*syntax.Number); isNumber && one.IsInt && one.Int == 1 {
		if n == 1 {
			return l.elems[0]
		}
		d := k.decide(c, "choice", space.OneOf, labels, e.Span())
		if d == nil {
			return bad{}
		}
		return k.join(split{on: d}, l.elems, c, e.Span())
	}
	out := &list{elems: l.elems}
	if min == n {
		return out
	}
	out.when = make([]*sym.Scalar, n)
	if max == 0 {
		for i := range out.when {
			out.when[i] = falsehood
		}
		return out
	}
	d := k.subset(e, c, labels, min, max)
	if d == nil {
		return bad{}
	}
	for i := range out.when {
		out.when[i] = sym.Has(d, i)
	}
	return out
}

// subset declares the decision which of several are taken.
func (k *checker) subset(e *syntax.Of, c context, labels []string, min, max int) *space.Decision {
	if len(labels) > space.MaxItems {
		k.diags.Add("E0412", e.Span(), "choosing from %d tensors is more than nasc allows (%d)", len(labels), space.MaxItems)
		return nil
	}
	d := k.decide(c, pickName(e.Set), space.Subset, labels, e.Span())
	if d != nil {
		d.Min, d.Max = min, max
	}
	return d
}

// pickName is what a subset decision is called: the name of its set.
func pickName(e syntax.Expr) string {
	if n, ok := unparen(e).(*syntax.Name); ok {
		return n.Name
	}
	return "pick"
}

// howMany evaluates the numbers before `of`: none for `any` and `all`, one, or the
// ends of a range as far as they are written.
func (k *checker) howMany(e *syntax.Of, c context) ([]*sym.Scalar, bool) {
	if e.Quant != "" {
		return nil, true
	}
	counts := []syntax.Expr{e.Count}
	if r, isRange := unparen(e.Count).(*syntax.Range); isRange {
		if r.By != nil {
			k.diags.Add("E0404", r.By.Span(), "`by` has no meaning before `of`")
			return nil, false
		}
		if counts = []syntax.Expr{r.Lo}; r.Hi != nil {
			counts = append(counts, r.Hi)
		}
	}
	out := make([]*sym.Scalar, len(counts))
	for i, x := range counts {
		s, ok := k.scalar(k.eval(x, c.named("")), x.Span())
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
}

// bounds are the least and most members taken of n.
func (k *checker) bounds(e *syntax.Of, many []any, n int, what string, labels []string) (min, max int, ok bool) {
	switch e.Quant {
	case "any":
		return 0, n, true
	case "all":
		return n, n, true
	}
	if min, ok = k.whole(many[0], e.Count.Span(), "`of`"); !ok {
		return 0, 0, false
	}
	max = min
	if r, isRange := unparen(e.Count).(*syntax.Range); isRange {
		if max = n; r.Hi != nil {
			if max, ok = k.whole(many[1], e.Count.Span(), "`of`"); !ok {
				return 0, 0, false
			}
			if max < min {
				k.diags.Add("E0404", r.Span(), "the range %d..%d holds no value", min, max)
				return 0, 0, false
			}
		}
	}
	if max > n || min > n {
		k.tooMany(e, labels, what, min, max)
		return 0, 0, false
	}
	return min, max, true
}

func (k *checker) tooMany(e *syntax.Of, labels []string, what string, min, max int) {
	n := len(labels)
	if max < min {
		max = min
	}
	d := k.diags.Add("E0311", e.Span(), "cannot choose %d of %s", max, plural(n, what))
	if k.at != "" {
		d.Label = fmt.Sprintf("at %s, %s = {%s}", k.at, k.text(e.Set), strings.Join(labels, ", "))
	}
	if n == 0 {
		return
	}
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

// oneExtent takes the dimension of a set's members as one number: they must
// all agree.
func (k *checker) oneExtent(x *extents, at diag.Span) (*sym.Scalar, bool) {
	if len(x.scalars) == 0 {
		k.diags.Add("E0302", at, "the set is empty, so it has no `%s`", x.dim)
		return nil, false
	}
	one, differs, known := common(x.of, x.scalars)
	switch {
	case !known:
		k.diags.Add("E0308", at, "cannot prove that all tensors of the set have the same `%s`", x.dim)
		return nil, false
	case differs > 0:
		k.mismatch(at, x.of.members[0], x.of.members[differs])
		return nil, false
	}
	return one, true
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
	values := make([][]int64, len(deps))
	total := 1
	for i, d := range deps {
		if d.Kind == space.Subset {
			values[i] = subsets(d)
		} else {
			for v := range d.Alts {
				values[i] = append(values[i], int64(v))
			}
		}
		if total *= len(values[i]); total > 1<<16 {
			return false, false
		}
	}
	at := map[*space.Decision]int64{}
	for i := range total {
		rest := i
		for j, d := range deps {
			n := len(values[j])
			at[d] = values[j][rest%n]
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
