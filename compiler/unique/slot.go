package unique

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/space"
)

// slot is a decision of which some alternatives only label the graph: whichever of
// a class is taken, the same rows read the same tensors, and one of them is called
// something else.
type slot struct {
	classes [][]int64 // alternatives that differ in labels alone; nil when the decision is no slot
}

// use is one place at which a decision labels: a selection among rows that read
// the same, or a row whose attributes depend on the decision.
type use struct {
	rows []int // by alternative; one and the same row for an attribute
}

// findSlots tells which decisions are slots. A decision that anything else
// depends on is none.
func (sk *sketch) findSlots() {
	sk.slots = make([]slot, len(sk.plan.Space.Decisions))
	uses := make([][]use, len(sk.slots))
	barred := make([]bool, len(sk.slots))
	bar := func(d *space.Decision) { barred[d.ID] = true }
	readers := sk.readers()

	for _, s := range sk.selects {
		u := use{rows: make([]int, len(s.cases))}
		for i, c := range s.cases {
			if c < ref(sk.inputs) || readers[c] != 1 {
				u.rows = nil
				break
			}
			u.rows[i] = int(c)
		}
		if u.rows == nil {
			bar(s.on)
			continue
		}
		uses[s.on.ID] = append(uses[s.on.ID], u)
	}
	for i := range sk.rows {
		r := &sk.rows[i]
		r.ruleDecisions(bar)
		for _, a := range r.args {
			for _, w := range a.when {
				bar(w.On)
			}
		}
		switch {
		case r.node == nil:
		case r.label.on != nil:
			uses[r.label.on.ID] = append(uses[r.label.on.ID], use{rows: slices.Repeat([]int{i}, len(r.label.on.Alts))})
		case r.label.values == nil:
			for _, a := range r.node.Attrs {
				for _, d := range a.Value.Decisions() {
					bar(d)
				}
			}
		}
		for _, d := range r.shapeDecisions() { // the colour of an absent tensor
			bar(d)
		}
	}
	for id, d := range sk.plan.Space.Decisions {
		if barred[id] || len(uses[id]) == 0 || !flat(d) {
			continue
		}
		sk.slots[id] = sk.slot(d, uses[id])
	}
}

// shapeDecisions are the decisions that tell an absent result of the row apart.
func (r *row) shapeDecisions() []*space.Decision {
	if r.node == nil || r.known && r.rules&canon.Absent == 0 && !r.fold {
		return nil
	}
	var out []*space.Decision
	for _, d := range r.node.Shape {
		out = append(out, d.Decisions()...)
	}
	return out
}

func flat(d *space.Decision) bool {
	return d.Kind != space.Subset && !slices.ContainsFunc(d.Alts, func(a *space.Alt) bool { return len(a.Sub.Decisions) > 0 })
}

// readers counts how often each row is named by operands, selections and the
// output.
func (sk *sketch) readers() []int {
	n := make([]int, len(sk.rows))
	count := func(t ref) {
		if t >= 0 {
			n[t]++
		}
	}
	for i := range sk.rows {
		for _, a := range sk.rows[i].args {
			count(a.to)
		}
	}
	for _, s := range sk.selects {
		for _, c := range s.cases {
			count(c)
		}
	}
	count(sk.output)
	return n
}

// slot sorts the alternatives of d into classes that every use takes alike.
func (sk *sketch) slot(d *space.Decision, uses []use) slot {
	var s slot
	for i := range d.Alts {
		alike := func(class []int64) bool {
			return !slices.ContainsFunc(uses, func(u use) bool { return !sk.alike(u.rows[class[0]], u.rows[i]) })
		}
		if k := slices.IndexFunc(s.classes, alike); k >= 0 {
			s.classes[k] = append(s.classes[k], int64(i))
		} else {
			s.classes = append(s.classes, []int64{int64(i)})
		}
	}
	if len(s.classes) == len(d.Alts) {
		return slot{}
	}
	for _, u := range uses {
		one := u.rows[0] == u.rows[len(u.rows)-1]
		for _, class := range s.classes {
			if len(class) == 1 {
				continue
			}
			mark := sk.mark(d, u, class, len(uses) > 1)
			for _, i := range class {
				r := &sk.rows[u.rows[i]]
				if one && len(s.classes) > 1 || r.slot >= 0 && r.slot != d.ID {
					return sk.unmark(d) // the blank label would have to be several
				}
				r.slot, r.mark = d.ID, mark
			}
		}
	}
	return s
}

// unmark gives up d as a slot.
func (sk *sketch) unmark(d *space.Decision) slot {
	for i := range sk.rows {
		if sk.rows[i].slot == d.ID {
			sk.rows[i].slot = -1
		}
	}
	return slot{}
}

// alike reports whether two rows differ in their labels alone. A row that
// vanishes is like no other.
func (sk *sketch) alike(i, k int) bool {
	a, b := &sk.rows[i], &sk.rows[k]
	return i == k || a.known && b.known && a.rules == b.rules && a.rules&(canon.Absent|canon.Identity) == 0 &&
		a.fold == b.fold && a.blank == b.blank && sameArgs(a.args, b.args)
}

// mark stands for the label of a slot that is left blank: the set of labels that
// it can take. A decision that labels several places names itself as well, since
// those labels are not independent.
func (sk *sketch) mark(d *space.Decision, u use, class []int64, tied bool) canon.Colour {
	var all []canon.Colour
	for _, i := range class {
		r := &sk.rows[u.rows[i]]
		l := r.label.values
		switch {
		case r.label.on == d:
			all = append(all, l[i])
		default:
			all = append(all, l...)
		}
	}
	slices.SortFunc(all, func(a, b canon.Colour) int { return slices.Compare(a[:], b[:]) })
	c := text("one of")
	for _, x := range all {
		c = c.Then(x)
	}
	if tied {
		c = c.Then(text(d.Address))
	}
	return c
}
