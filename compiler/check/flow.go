package check

import (
	"slices"
	"strconv"

	"github.com/nasc-project/nasc/compiler/sym"
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
	h := &history{}
	switch v := head.(type) {
	case *tensor, *set:
		h.source = []value{v}
	default:
		if !isOp(head) {
			k.diags.Add("E0304", e.Steps[0].Span(), "`->` starts with a tensor or an operation, not with %s", describe(head))
			return bad{}
		}
	}
	failed := false
	for _, x := range e.Steps[1:] {
		here := c.named("")
		if !isOp(head) && !failed && k.mayBeAbsent(x, c) {
			here.picked = here.picked || anyPicked(k.last(h, c, x.Span()))
		}
		v := k.eval(x, here)
		if isBad(v) {
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
		if s, isSet := head.(*set); isSet && h.up == nil && h.depth == nil && k.needs(v) > 1 {
			if h.source = k.separate(s, x.Span()); h.source == nil {
				failed = true
				continue
			}
		}
		if h = k.push(h, v, c.plain(), x.Span()); h == nil {
			failed = true
		}
	}
	if failed {
		return bad{}
	}
	if isOp(head) {
		return &flow{steps}
	}
	return k.last(h, c, e.Span())
}

// separate takes a set as the tensors that an operation on several of them reads.
func (k *checker) separate(s *set, at diag.Span) []value {
	var out []value
	for _, m := range s.members {
		if m.when != nil {
			d := k.diags.Add("E0304", at, "an operation on several tensors cannot tell which of a picked set it takes")
			d.Help = "fold the set with `sum` or `concat`, or name the operands"
			return nil
		}
		out = append(out, m.tensor)
	}
	if out == nil {
		k.diags.Add("E0302", at, "the set is empty, so there is nothing to take")
	}
	return out
}

// history is what a chain has produced so far. An operation with k tensor inputs
// takes the last k results of the chain's operations; before there is any, it
// takes the chain's source. A short history repeats its first entry, so the first
// DARTS cell reads the stem twice.
//
// A history is never changed: each step is put on top of the one before. At an
// elastic depth it forks, into what each depth leaves.
type history struct {
	source []value // at the bottom

	up     *history
	result value

	depth *sym.Scalar // of a fork
	at    []*history  // the history at each depth
	end   value       // the last entry, once it was asked for
}

// push applies one step on top of a history, and is nil where that fails.
func (k *checker) push(h *history, op value, c context, at diag.Span) *history {
	switch op := op.(type) {
	case *flow:
		for _, s := range op.steps {
			if h = k.push(h, s, c, at); h == nil {
				return nil
			}
		}
		return h
	case *elastic:
		out := &history{depth: op.depth, at: []*history{h}}
		for i, s := range op.steps {
			if h = k.push(h, s, c.in(k.both(op.under[i], c.under)), at); h == nil {
				return nil
			}
			out.at = append(out.at, h)
		}
		if isBad(k.last(out, c, at)) {
			return nil
		}
		return out
	}
	v := k.applyTo(op, operands{hist: h}, c, at)
	if isBad(v) {
		return nil
	}
	return &history{up: h, result: v}
}

// last is the newest entry of a history.
func (k *checker) last(h *history, c context, at diag.Span) value {
	switch {
	case h.up != nil:
		return h.result
	case h.depth == nil:
		return h.source[len(h.source)-1]
	case h.end == nil:
		h.end = k.choices(h.depth, c, at, func(n any) value { return k.last(h.at[n.(int64)], c, at) })
	}
	return h.end
}

// entries are the last n entries of a history, of which the newest are known.
func (k *checker) entries(h *history, n int, newest []value, c context, at diag.Span) []value {
	for {
		switch {
		case len(newest) == n:
			return newest
		case h.up != nil:
			newest = append([]value{h.result}, newest...)
			h = h.up
		case h.depth == nil:
			if len(newest) == 0 {
				newest = h.source[max(0, len(h.source)-n):]
			}
			for len(newest) < n {
				newest = append([]value{newest[0]}, newest...)
			}
			return newest
		default:
			byDepth := make([][]value, len(h.at))
			out := make([]value, n)
			for i := range out {
				out[i] = k.choices(h.depth, c, at, func(v any) value {
					d := v.(int64)
					if byDepth[d] == nil {
						byDepth[d] = k.entries(h.at[d], n, newest, c, at)
					}
					return byDepth[d][i]
				})
			}
			return out
		}
	}
}

// operands is what an operation is applied to: given tensors, or a history
// from which it takes as many as it needs.
type operands struct {
	given []value
	hist  *history
}

// single returns the operand when there is just one to be had, for operations
// that are mapped over sets.
func (k *checker) single(in operands, c context, at diag.Span) (value, bool) {
	if in.hist != nil {
		return k.last(in.hist, c, at), true
	}
	if len(in.given) == 1 {
		return in.given[0], true
	}
	return nil, false
}

// take returns n operands, or reports that there are too few or too many.
func (k *checker) take(in operands, n int, name string, c context, at diag.Span) ([]value, bool) {
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
	if n == 1 {
		v := k.last(in.hist, c, at)
		return []value{v}, !isBad(v)
	}
	out := k.entries(in.hist, n, nil, c, at)
	return out, !slices.ContainsFunc(out, isBad)
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
