package unique

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
)

// sketchOf finds the part of a plan that tells its architectures apart, and why
// there is none.
//
// When all decisions lie in one cell that stands at some places of a fixed chain,
// the network is a word: fixed letters, and at each place the letters of the cell.
// (A letter is what lies between two tensors that everything passes through.) If
// the cells at all places are the same but for the names of operations and their
// attributes, their words have one length, so two networks are equal exactly when
// the words at the first place are. In any other plan the whole body is the unit.
func sketchOf(p *lower.Plan) (*sketch, string) {
	f := finder{uses: map[*lower.Body]bool{}}
	units, ok := f.units(p.Body)
	if !ok || len(units) == 0 {
		units = []*lower.Body{p.Body}
	}
	first, err := open(p, units[0])
	if err == nil {
		for _, b := range units[1:] {
			var other *sketch
			if other, err = open(p, b); err != nil || !congruent(first, other) {
				first, err = open(p, p.Body)
				break
			}
		}
	}
	if err != nil {
		return nil, err.Error()
	}
	first.findSlots()
	return first, ""
}

// finder looks for cells in a chain.
type finder struct {
	uses map[*lower.Body]bool // whether a body depends on decisions, itself or nested
}

// units lists the bodies in which the decisions lie, where b is a chain of them
// and of what is fixed. A body that is no such chain is a unit itself.
func (f *finder) units(b *lower.Body) ([]*lower.Body, bool) {
	if f.direct(b) {
		return []*lower.Body{b}, true
	}
	var out []*lower.Body
	for _, i := range f.needed(b) {
		n := b.Nodes[i]
		if n.Kind != lower.Call || !f.depends(n.Body) {
			continue
		}
		if !f.passes(b, i) {
			return nil, false
		}
		more, ok := f.units(n.Body)
		if !ok {
			more = []*lower.Body{n.Body}
		}
		for _, u := range more {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out, true
}

// direct reports whether anything in b itself depends on a decision.
func (f *finder) direct(b *lower.Body) bool {
	open := func(s *sym.Scalar) bool { return s != nil && len(s.Decisions()) > 0 }
	for _, n := range b.Nodes {
		for _, a := range n.Args {
			if a.Picked() || a.Node.Kind == lower.Select {
				return true
			}
		}
		for _, a := range n.Attrs {
			if open(a.Value) {
				return true
			}
		}
		if slices.ContainsFunc(n.Shape, open) {
			return true
		}
		for _, scalar := range rules(n) {
			if open(scalar) {
				return true
			}
		}
	}
	return b.Output.Kind == lower.Select
}

func (f *finder) depends(b *lower.Body) bool {
	d, known := f.uses[b]
	if !known {
		d = f.direct(b) || slices.ContainsFunc(b.Nodes, func(n *lower.Node) bool { return n.Kind == lower.Call && f.depends(n.Body) })
		f.uses[b] = d
	}
	return d
}

// needed lists the nodes that the output of a fixed body needs, in order.
func (f *finder) needed(b *lower.Body) []int {
	need := map[*lower.Node]bool{b.Output: true}
	var out []int
	for i := len(b.Nodes) - 1; i >= 0; i-- {
		if n := b.Nodes[i]; need[n] {
			out = append(out, i)
			for _, a := range n.Args {
				need[a.Node] = true
			}
		}
	}
	slices.Reverse(out)
	return out
}

// passes reports whether everything in a fixed body passes through node i: what is
// before it is read by nothing after it, and it reads one tensor.
func (f *finder) passes(b *lower.Body, i int) bool {
	n := b.Nodes[i]
	if len(n.Args) != 1 {
		return false
	}
	before := map[*lower.Node]bool{}
	for _, in := range b.Inputs {
		before[in] = true
	}
	for _, k := range f.needed(b) {
		m := b.Nodes[k]
		if k < i {
			before[m] = true
			continue
		}
		if k > i && len(m.Args) == 0 {
			return false
		}
		for _, a := range m.Args {
			if k > i && before[a.Node] {
				return false
			}
		}
	}
	return !before[b.Output] && readOnce(b, n.Args[0].Node, i, f)
}

// readOnce reports whether everything before node i that is read by it or later is
// the one tensor t.
func readOnce(b *lower.Body, t *lower.Node, i int, f *finder) bool {
	read := map[*lower.Node]bool{}
	for _, k := range f.needed(b) {
		if k <= i {
			for _, a := range b.Nodes[k].Args {
				read[a.Node] = true
			}
		}
	}
	for _, in := range b.Inputs {
		if in != t && !read[in] {
			return false
		}
	}
	for _, k := range f.needed(b) {
		if k < i && b.Nodes[k] != t && !read[b.Nodes[k]] {
			return false
		}
	}
	return true
}

// congruent reports whether two sketches are the same but for the labels of their
// rows, those of b being a function of those of a.
func congruent(a, b *sketch) bool {
	if a.inputs != b.inputs || a.output != b.output || len(a.rows) != len(b.rows) ||
		!slices.EqualFunc(a.selects, b.selects, func(x, y selection) bool { return x.on == y.on && slices.Equal(x.cases, y.cases) }) {
		return false
	}
	to := map[canon.Colour]canon.Colour{}
	for i := range a.rows {
		x, y := &a.rows[i], &b.rows[i]
		if !x.known || !y.known || x.rules != y.rules || x.fold != y.fold || !sameArgs(x.args, y.args) ||
			x.label.on != y.label.on || len(x.label.values) != len(y.label.values) || len(x.label.values) == 0 {
			return false
		}
		for k, c := range x.label.values {
			if d, seen := to[c]; seen && d != y.label.values[k] {
				return false
			}
			to[c] = y.label.values[k]
		}
	}
	return true
}
