package check

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// flow evaluates a -> b -> c. With a tensor at its head it is a tensor; with an
// operation at its head it is an operation.
func (k *checker) flow(e *syntax.Flow, c context) value {
	head := k.eval(e.Steps[0], c.named(""))
	if _, ok := head.(bad); ok {
		return head
	}
	steps := make([]value, 0, len(e.Steps))
	if isOp(head) {
		steps = append(steps, head)
	}
	var h history
	switch v := head.(type) {
	case *tensor:
		h.source = []value{v}
	case *set:
		for _, m := range v.members {
			h.source = append(h.source, m.tensor)
		}
		if len(e.Steps) > 1 && k.takesSet(e.Steps[1], c) {
			h.source = []value{v}
		}
	default:
		if !isOp(head) {
			k.diags.Add("E0304", e.Steps[0].Span(), "`->` starts with a tensor or an operation, not with %s", describe(head))
			return bad{}
		}
	}
	failed := false
	for _, x := range e.Steps[1:] {
		v := k.eval(x, c.named(""))
		if _, isBad := v.(bad); isBad {
			failed = true
			continue
		}
		if !isOp(v) {
			d := k.diags.Add("E0304", x.Span(), "`->` needs an operation on its right, not %s", describe(v))
			if l, isList := v.(*list); isList && len(l.elems) > 0 && isOp(l.elems[0]) {
				d.Help = "write `(1 of " + k.text(x) + ")` to choose one of them"
			}
			failed = true
			continue
		}
		if isOp(head) {
			steps = append(steps, v)
			continue
		}
		if failed {
			continue
		}
		if !k.push(&h, v, c.plain(), x.Span()) {
			failed = true
		}
	}
	if failed {
		return bad{}
	}
	if isOp(head) {
		return &flow{steps}
	}
	return h.last()
}

// takesSet reports whether an expression is an operation on a whole set.
func (k *checker) takesSet(e syntax.Expr, c context) bool {
	if call, ok := unparen(e).(*syntax.Call); ok {
		e = call.Fun
	}
	n, ok := unparen(e).(*syntax.Name)
	if !ok {
		return false
	}
	return onSet(k.name(n, c))
}

// history is what a chain has produced so far. An operation with k tensor inputs
// takes the last k results of the chain's operations; before there is any, it
// takes the chain's source. A short history repeats its first entry, so the first
// DARTS cell reads the stem twice.
type history struct {
	source  []value
	results []value
	elastic bool
	from    int // with an elastic depth behind, results before from are not those it would leave
}

func (h *history) entries() []value {
	if len(h.results) > 0 {
		return h.results
	}
	return h.source
}

func (h *history) last() value {
	e := h.entries()
	return e[len(e)-1]
}

// push applies one step to the history.
func (k *checker) push(h *history, op value, c context, at diag.Span) bool {
	switch op := op.(type) {
	case *flow:
		for _, s := range op.steps {
			if !k.push(h, s, c, at) {
				return false
			}
		}
		return true
	case *elastic:
		return k.pushElastic(h, op, c, at)
	}
	v := k.applyTo(op, operands{hist: h}, c, at)
	if _, ok := v.(bad); ok {
		return false
	}
	h.results = append(h.results, v)
	return true
}

// pushElastic applies the steps of an elastic repetition one after the other
// and selects the result of the depth taken.
func (k *checker) pushElastic(h *history, op *elastic, c context, at diag.Span) bool {
	inner := history{source: h.source, results: append([]value(nil), h.results...), elastic: h.elastic, from: h.from}
	outs := []value{h.last()}
	for i, s := range op.steps {
		if !k.push(&inner, s, c.in(k.place(op.groups[i], c.group)), at) {
			return false
		}
		outs = append(outs, inner.last())
	}
	alts := make([]value, len(op.counts))
	for i, n := range op.counts {
		alts[i] = outs[n]
	}
	v := k.join(op.on, alts, c, at)
	if _, ok := v.(bad); ok {
		return false
	}
	h.elastic, h.from = true, len(h.results)
	if len(h.results) == 0 && slices.Contains(op.counts, 0) {
		h.from = 1 // at depth 0 there is no result, only the source
	}
	h.results = append(h.results, v)
	return true
}

// operands is what an operation is applied to: given tensors, or a history
// from which it takes as many as it needs.
type operands struct {
	given []value
	hist  *history
}

// single returns the operand when there is just one to be had, for operations
// that are mapped over sets.
func (in operands) single() (value, bool) {
	if in.hist != nil {
		return in.hist.last(), true
	}
	if len(in.given) == 1 {
		return in.given[0], true
	}
	return nil, false
}

// take returns n operands, or reports that there are too few or too many.
func (k *checker) take(in operands, n int, name string, at diag.Span) ([]value, bool) {
	if in.hist == nil {
		if len(in.given) == n {
			return in.given, true
		}
		d := k.diags.Add("E0305", at, "`%s` takes %s, %d given", name, plural(n, "tensor"), len(in.given))
		if n == 0 {
			d.Help = "attributes are given by name, as in `" + name + "(kernel: 3)`"
		}
		return nil, false
	}
	e := in.hist.entries()
	if n > 1 && in.hist.elastic && len(e)-n < in.hist.from {
		k.unsupported(at, fmt.Sprintf("`%s` reads %d results of a chain across an elastic depth", name, n))
		return nil, false
	}
	out := make([]value, n)
	for i := range out {
		j := len(e) - n + i
		out[i] = e[max(j, 0)]
	}
	return out, true
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// opLike reports whether an expression is an operation, without evaluating it:
// `op * n` repeats where `a * b` multiplies.
func (k *checker) opLike(e syntax.Expr, c context) bool {
	switch e := e.(type) {
	case *syntax.Paren:
		return k.opLike(e.X, c)
	case *syntax.Choice:
		return k.opLike(e.Alts[0].Value, c)
	case *syntax.If:
		return k.opLike(e.Then, c)
	case *syntax.Flow:
		return k.opLike(e.Steps[0], c)
	case *syntax.Binary:
		return e.Op == "*" && k.opLike(e.X, c)
	case *syntax.Of:
		return k.opLike(e.Set, c)
	case *syntax.Index:
		return k.opLike(e.X, c)
	case *syntax.Call:
		for _, a := range e.Args {
			if a.Name == nil {
				return false
			}
		}
		return k.opLike(e.Fun, c)
	case *syntax.Select:
		_, ok := k.silent(func() value { return k.eval(e, c) }).(*template)
		return ok
	case *syntax.Name:
		v := k.silent(func() value { return k.name(e, c) })
		if l, ok := v.(*list); ok && len(l.elems) > 0 {
			v = l.elems[0]
		}
		return isOp(v)
	}
	return false
}

// silent computes a value without reporting anything.
func (k *checker) silent(f func() value) value {
	saved := k.diags
	v := f()
	k.diags = saved
	return v
}

// repeat is op * n: the operation expression decided afresh n times, or a
// depth decision when n is undecided.
func (k *checker) repeat(e *syntax.Binary, c context) value {
	if r, ok := unparen(e.Y).(*syntax.Range); ok {
		values, ok := k.rangeValues(r, c)
		if !ok {
			return bad{}
		}
		return k.elastic(e, c, func(counts []string) *space.Decision {
			dc := c
			if dc.slot == "" {
				dc.slot = "depth"
			}
			return k.decide(dc, "depth", space.Depth, counts, e.Y.Span())
		}, constants(values))
	}
	s, ok := k.scalar(k.eval(e.Y, c.named(depthSlot(c))), e.Y.Span())
	if !ok {
		return bad{}
	}
	if d, cases, ok := s.Table(); ok {
		return k.elastic(e, c, func([]string) *space.Decision { return d }, constants(cases))
	}
	n, ok := k.times(s, e.Y.Span())
	if !ok {
		return bad{}
	}
	if n == 0 {
		d := k.diags.Add("E0404", e.Y.Span(), "repeating 0 times leaves no operation")
		d.Help = "write `* (0..n)` to let the depth be decided"
		return bad{}
	}
	return k.repeatFixed(e, c, n)
}

func depthSlot(c context) string {
	if c.slot != "" {
		return c.slot
	}
	return "depth"
}
