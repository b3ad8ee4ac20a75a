package check

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// branch is a place in the space of decisions: what is evaluated there exists
// only where its condition holds, and those of all branches above. A nil branch is
// everywhere.
//
// Usually a branch is a number of alternatives of one decision that was declared
// in the branch above (direct); then what is declared in it hangs below these
// alternatives in the tree. Conditions of any other form are brought into a tree
// at the end, by [grower].
type branch struct {
	up     *branch
	on     *space.Decision // the decision that the condition is about, when direct; it may be true for all of it
	cond   *sym.Scalar
	height int
}

func (b *branch) tall() int {
	if b == nil {
		return 0
	}
	return b.height
}

// conditions lists what must hold for the branch to exist, outermost first.
func (b *branch) conditions() []*sym.Scalar {
	var out []*sym.Scalar
	for ; b != nil; b = b.up {
		if !b.cond.Is(true) {
			out = append(out, b.cond)
		}
	}
	slices.Reverse(out)
	return out
}

// equals reports whether two branches are the same by construction.
func (b *branch) equals(o *branch) bool {
	for ; b != o; b, o = b.up, o.up {
		if b.tall() != o.tall() || b.on != o.on || !sym.Same(b.cond, o.cond) {
			return false
		}
	}
	return true
}

// above reports whether b is o or on the way to it.
func (b *branch) above(o *branch) bool {
	for o.tall() > b.tall() {
		o = o.up
	}
	return b.equals(o)
}

// both is the branch where a and b both are.
func (k *checker) both(a, b *branch) *branch {
	switch {
	case a.above(b):
		return b
	case b.above(a):
		return a
	}
	up := k.both(a.up, b)
	for x := up; x != nil; x = x.up {
		if sym.Same(x.cond, a.cond) {
			return up
		}
	}
	return k.within(up, a.cond)
}

// within is the part of b in which a condition holds. A condition on one decision
// lies where that decision does.
func (k *checker) within(b *branch, cond *sym.Scalar) *branch {
	if v, known := cond.Value(); known && v == true {
		return b
	}
	out := &branch{up: b, cond: cond}
	if deps := cond.Decisions(); len(deps) == 1 {
		d := deps[0]
		if b != nil && b.on == d {
			if narrow, err := sym.Apply("and", b.cond, cond); err == nil {
				out.up, out.cond = b.up, narrow
			}
		}
		home := k.asked[d.ID].under
		if out.up = k.both(home, out.up); out.up.equals(home) {
			out.on = d
		}
	}
	out.height = out.up.tall() + 1
	return out
}

// split is what evaluation branches on: a decision that takes one alternative, or
// one item of a subset, which is absent (0) or taken (1).
type split struct {
	on   *space.Decision
	item int // of a subset
}

func (s split) subset() bool { return s.on.Kind == space.Subset }

// ways is the number of cases of the split.
func (s split) ways() int {
	if s.subset() {
		return 2
	}
	return len(s.on.Alts)
}

// label is what a case is called in messages.
func (s split) label(i int) string {
	switch {
	case !s.subset():
		return s.on.Alts[i].Label
	case i == 0:
		return "without " + s.on.Alts[s.item].Label
	}
	return "with " + s.on.Alts[s.item].Label
}

// at is x in case i.
func (s split) at(x *sym.Scalar, i int) *sym.Scalar {
	if s.subset() {
		return x.AtItem(s.on, s.item, i == 1)
	}
	return x.At(s.on, int64(i))
}

// scalar is cases[i] in case i.
func (s split) scalar(cases []*sym.Scalar) *sym.Scalar {
	if !s.subset() {
		return sym.Switch(s.on, cases)
	}
	if sym.Same(cases[0], cases[1]) {
		return cases[0]
	}
	has := sym.Has(s.on, s.item)
	if cases[0].Is(false) && cases[1].Is(true) {
		return has
	}
	x, err := sym.Apply("if", has, cases[1], cases[0])
	if err != nil {
		return cases[1]
	}
	return x
}

// branches are the places of the cases of a split, for what is evaluated in b.
func (k *checker) branches(s split, b *branch) []*branch {
	k.open++
	q := k.asked[s.on.ID]
	out := make([]*branch, s.ways())
	for i := range out {
		if s.subset() {
			cond := sym.Has(s.on, s.item)
			if i == 0 {
				cond, _ = sym.Apply("not", cond)
			}
			out[i] = k.within(b, cond)
			continue
		}
		if q.alts == nil {
			q.alts = make([]*branch, len(s.on.Alts))
		}
		if q.alts[i] == nil {
			cond := took(s.on, i)
			q.alts[i] = &branch{up: q.under, on: s.on, cond: cond, height: q.under.tall() + 1}
		}
		out[i] = k.both(q.alts[i], b)
	}
	return out
}

// wide is how many alternatives a decision has when tables over it are not written
// out for each of them.
const wide = 64

// took is true where alternative i of d is taken.
func took(d *space.Decision, i int) *sym.Scalar {
	if len(d.Alts) > wide {
		return sym.Took(d, i)
	}
	cases := make([]*sym.Scalar, len(d.Alts))
	for j := range cases {
		cases[j] = falsehood
	}
	cases[i] = truth
	return sym.Switch(d, cases)
}

var truth, falsehood = sym.Const(true), sym.Const(false)
