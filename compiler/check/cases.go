package check

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// cases evaluates what depends on the values of some scalars: a condition, a
// guard, an index, what was picked. Where they are known, f is called once. Where
// they depend on decisions, f is called once for each combination of values that
// can occur, in the branch in which it does, and the results are joined.
func (k *checker) cases(on []*sym.Scalar, c context, at diag.Span, f func(values []any, c context) value) value {
	if values, ok := constants(on); ok {
		return f(values, c)
	}
	for _, s := range on {
		if s.Open() {
			if !k.isOpen(s, at, "what is built") {
				k.diags.Add("E0432", at, "`%s` is known only when everything is decided, so nothing can be chosen by it", s.Measures()[0])
			}
			return bad{}
		}
	}
	top, leaves := k.outcomes(on, c, at)
	for _, l := range leaves {
		here := c
		if len(leaves) > 1 {
			here = c.in(k.within(c.under, top.condition(l)))
		}
		if l.value = f(l.values, here); isBad(l.value) {
			return l.value
		}
	}
	return k.joined(top, c, at)
}

// choices is cases for an f that decides nothing.
func (k *checker) choices(on *sym.Scalar, c context, at diag.Span, f func(v any) value) value {
	top, leaves := k.outcomes([]*sym.Scalar{on}, c, at)
	for _, l := range leaves {
		if l.value = f(l.values[0]); isBad(l.value) {
			return l.value
		}
	}
	return k.joined(top, c, at)
}

// outcomes are the values that some scalars can have in a context.
func (k *checker) outcomes(on []*sym.Scalar, c context, at diag.Span) (top *outcome, leaves []*outcome) {
	k.open++
	x := explorer{k: k, at: at}
	if top = x.explore(on, k.assumed(c.under, on), nil); top == nil {
		top = x.explore(on, nil, nil) // nothing can be here; it is checked all the same
	}
	return top, x.leaves
}

func constants(on []*sym.Scalar) ([]any, bool) {
	values := make([]any, len(on))
	for i, s := range on {
		v, ok := s.Value()
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	return values, true
}

// assumed are the conditions of a branch that say something about the scalars.
func (k *checker) assumed(b *branch, on []*sym.Scalar) []*sym.Scalar {
	about := map[*space.Decision]bool{}
	for _, s := range on {
		for _, d := range s.Decisions() {
			about[d] = true
		}
	}
	var out []*sym.Scalar
	for ; b != nil; b = b.up {
		for _, d := range b.cond.Decisions() {
			if about[d] {
				out = append(out, b.cond)
				break
			}
		}
	}
	return out
}

// outcome is a decision diagram over what some scalars depend on: a split, or a
// leaf where their values are known.
type outcome struct {
	on   split
	next []*outcome // per case; nil where the case cannot occur

	values []any // of a leaf
	value  value
}

// explorer finds the outcomes of scalars.
type explorer struct {
	k      *checker
	at     diag.Span
	leaves []*outcome
	known  map[any]*outcome // leaves by their values
	size   int
}

// maxCases bounds a decision diagram.
const maxCases = 1 << 14

// counted is how many items of a subset are taken and left out so far.
type counted struct {
	on        *space.Decision
	in, out   int
	otherwise *counted
}

// explore follows every decision that the scalars depend on, in the order of
// declaration, and leaves out what contradicts the assumptions.
func (x *explorer) explore(on, assumed []*sym.Scalar, picked *counted) *outcome {
	var open []*sym.Scalar
	for _, s := range assumed {
		switch v, known := s.Value(); {
		case !known:
			open = append(open, s)
		case v != true:
			return nil
		}
	}
	if values, ok := constants(on); ok {
		return x.leaf(values)
	}
	if x.size++; x.size > maxCases {
		x.k.tooLarge(x.at, fmt.Sprintf("a value that depends on more than %d cases", maxCases))
	}
	s := first(on)
	for _, a := range on {
		x.k.spend(a.Size()*s.ways(), x.at)
	}
	out := &outcome{on: s, next: make([]*outcome, s.ways())}
	type class struct {
		on, open []*sym.Scalar
		next     *outcome
	}
	var classes []class
	alive := false
each:
	for i := range out.next {
		now := picked
		if s.subset() {
			if now = picked.with(s.on, i == 1); now == nil {
				continue
			}
		}
		here, must := at(s, on, i), at(s, open, i)
		if _, known := constants(here); !known && !s.subset() {
			for _, c := range classes {
				if allSame(c.on, here) && allSame(c.open, must) {
					out.next[i] = c.next
					continue each
				}
			}
		}
		out.next[i] = x.explore(here, must, now)
		alive = alive || out.next[i] != nil
		classes = append(classes, class{here, must, out.next[i]})
	}
	if !alive {
		return nil
	}
	return out
}

// leaf is the one leaf of some values.
func (x *explorer) leaf(values []any) *outcome {
	key := values[0]
	for _, v := range values[1:] { // values are comparable, and so are pairs of them
		key = [2]any{key, v}
	}
	l, ok := x.known[key]
	if !ok {
		if x.known == nil {
			x.known = map[any]*outcome{}
		}
		l = &outcome{values: values}
		x.known[key] = l
		x.leaves = append(x.leaves, l)
	}
	return l
}

// with counts one more item of d, or is nil when d cannot take as many or as few.
func (c *counted) with(d *space.Decision, taken bool) *counted {
	out := &counted{on: d, otherwise: c}
	for x := c; x != nil; x = x.otherwise {
		if x.on == d {
			out.in, out.out = x.in, x.out
			break
		}
	}
	if taken {
		out.in++
	} else {
		out.out++
	}
	if out.in > d.Max || len(d.Alts)-out.out < d.Min {
		return nil
	}
	return out
}

// first is the split on the first decision that any of the scalars depends on.
func first(on []*sym.Scalar) split {
	var d *space.Decision
	for _, s := range on {
		if ds := s.Decisions(); len(ds) > 0 && (d == nil || ds[0].ID < d.ID) {
			d = ds[0]
		}
	}
	out := split{on: d}
	if out.subset() {
		out.item = len(d.Alts)
		for _, s := range on {
			if i := s.FirstItem(d); i >= 0 {
				out.item = min(out.item, i)
			}
		}
	}
	return out
}

func at(s split, on []*sym.Scalar, i int) []*sym.Scalar {
	out := make([]*sym.Scalar, len(on))
	for j, x := range on {
		out[j] = s.at(x, i)
	}
	return out
}

func allSame(a, b []*sym.Scalar) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sym.Same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// condition is true where the diagram comes to a leaf.
func (o *outcome) condition(leaf *outcome) *sym.Scalar {
	switch {
	case o == leaf:
		return truth
	case o == nil || o.next == nil:
		return falsehood
	}
	cases := make([]*sym.Scalar, len(o.next))
	for i, n := range o.next {
		if i > 0 && n == o.next[i-1] {
			cases[i] = cases[i-1]
			continue
		}
		cases[i] = n.condition(leaf)
	}
	return o.on.scalar(cases)
}

// joined is the value of a diagram whose leaves have values. A case that cannot
// occur has the value of any other.
func (k *checker) joined(o *outcome, c context, at diag.Span) value {
	if o.next == nil {
		return o.value
	}
	if o.value != nil {
		return o.value
	}
	k.spend(len(o.next), at)
	alts := make([]value, len(o.next))
	var any value
	for i, n := range o.next {
		if n == nil {
			continue
		}
		if alts[i] = k.joined(n, c, at); alts[i] == nil {
			continue
		}
		if isBad(alts[i]) {
			return alts[i]
		}
		any = alts[i]
	}
	for i, v := range alts {
		if v == nil {
			alts[i] = any
		}
	}
	if any != nil {
		o.value = k.join(o.on, alts, c, at)
	}
	return o.value
}

func isBad(v value) bool {
	_, ok := v.(bad)
	return ok
}
