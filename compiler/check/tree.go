package check

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// grower brings everything that was asked into a tree of decisions.
//
// A question in a direct branch hangs below alternatives of one decision, and
// nothing is left to do. Where the condition of a question ties decisions together
// that do not lie below one another, or looks at a subset as a whole, the tree
// splits on the first of them: below each of its alternatives grows the tree of all
// the others, as the alternative leaves them. What comes out the same below several
// alternatives is shared; what does not is repeated, as twins. A subset that is
// split on takes one of all its sets instead of each item on its own. So the tree
// has a decision exactly where its condition holds, and all counts stay exact.
type grower struct {
	k       *checker
	answers lower.Answers
	placed  map[*space.Decision]bool
	whole   map[*space.Decision]bool // subsets that take one of all their sets
	mixed   bool                     // one of them was placed as a subset before
	grown   int                      // entries that were gone through
}

// question is a decision as the space refers to it: in which branch it is asked,
// and where its address comes from.
type question struct {
	d     *space.Decision
	under *branch
	scope *scope
	alts  []*branch // the places of its alternatives, as far as they were needed
}

// entry is a question with what is left of its condition.
type entry struct {
	q     *question
	conds []*sym.Scalar
}

func (k *checker) tree() (*space.Group, lower.Answers) {
	g := &grower{k: k, answers: lower.Answers{}, placed: map[*space.Decision]bool{}, whole: map[*space.Decision]bool{}}
	root := &space.Group{}
	tangled := g.tangled()
	var rest []entry
	for i, q := range k.asked {
		if !tangled[i] {
			g.attach(q.d, q.under, root)
			continue
		}
		rest = append(rest, entry{q, q.under.conditions()})
	}
	for {
		side := g.grow(left(rest, nil, 0))
		if !g.mixed {
			root.Decisions = append(root.Decisions, side...)
			break
		}
		g.again(rest)
	}
	slices.SortStableFunc(root.Decisions, func(a, b *space.Decision) int { return a.ID - b.ID })
	for _, e := range rest {
		if !g.placed[e.q.d] {
			g.answers[e.q.d] = nil // its condition never holds
		}
	}
	return root, g.answers
}

// again forgets what has grown, but not which subsets have to be taken as a whole:
// if one is in one place, it is everywhere.
func (g *grower) again(all []entry) {
	g.answers, g.placed, g.mixed = lower.Answers{}, map[*space.Decision]bool{}, false
	for _, e := range all {
		for _, a := range e.q.d.Alts {
			a.Sub = nil
		}
	}
}

// attach hangs a decision below the alternatives of a direct branch.
func (g *grower) attach(d *space.Decision, b *branch, root *space.Group) {
	if b == nil {
		root.Decisions = append(root.Decisions, d)
		return
	}
	if _, item, ok := b.cond.Item(); ok {
		hang(b.on.Alts[item], d)
		return
	}
	if _, i, ok := b.cond.Alternative(); ok {
		hang(b.on.Alts[i], d)
		return
	}
	_, cases, _ := b.cond.Table()
	for i, a := range b.on.Alts {
		if cases == nil || cases[i].Is(true) {
			hang(a, d)
		}
	}
}

func hang(a *space.Alt, d ...*space.Decision) {
	if a.Sub == nil {
		a.Sub = &space.Group{}
	}
	a.Sub.Decisions = append(a.Sub.Decisions, d...)
}

// tangled marks the questions that cannot simply hang below a decision, all that
// their conditions are about, and whatever lies below those.
func (g *grower) tangled() []bool {
	out := make([]bool, len(g.k.asked))
	var mark func(d *space.Decision)
	mark = func(d *space.Decision) {
		if out[d.ID] {
			return
		}
		out[d.ID] = true
		for b := g.k.asked[d.ID].under; b != nil; b = b.up {
			for _, p := range b.cond.Decisions() {
				mark(p)
			}
		}
	}
	for _, q := range g.k.asked {
		if b := q.under; b != nil && !g.plain(b) {
			mark(q.d)
		}
	}
	for i, q := range g.k.asked { // what a decision is asked below comes before it
		if b := q.under; b != nil && b.on != nil && out[b.on.ID] {
			out[i] = true
		}
	}
	return out
}

// plain reports whether a branch is alternatives of one decision, or one item.
func (g *grower) plain(b *branch) bool {
	if b.on == nil {
		return false
	}
	if b.on.Kind == space.Subset {
		_, _, ok := b.cond.Item()
		return ok
	}
	_, _, one := b.cond.Alternative()
	_, _, some := b.cond.Table()
	return one || some || b.cond.Is(true)
}

// grow makes the decisions of a product: those that no condition ties together
// stand side by side.
func (g *grower) grow(all []entry) []*space.Decision {
	var out []*space.Decision
	for _, part := range parts(all) {
		out = append(out, g.part(part))
	}
	return out
}

// parts separates entries that have nothing to do with each other, in order of
// their first ones.
func parts(all []entry) [][]entry {
	index := make(map[*space.Decision]int, len(all))
	up := make([]int, len(all))
	for i, e := range all {
		index[e.q.d], up[i] = i, i
	}
	find := func(i int) int {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	for i, e := range all {
		for _, c := range e.conds {
			for _, d := range c.Decisions() {
				a, b := find(i), find(index[d])
				up[max(a, b)] = min(a, b)
			}
		}
	}
	place := make(map[int]int, len(all))
	var out [][]entry
	for i, e := range all {
		r := find(i)
		if _, ok := place[r]; !ok {
			place[r] = len(out)
			out = append(out, nil)
		}
		out[place[r]] = append(out[place[r]], e)
	}
	return out
}

// part makes the decision at the top of entries that conditions tie together.
func (g *grower) part(all []entry) *space.Decision {
	if g.grown += len(all); g.grown > maxDecisions {
		g.k.tooLarge(span(all[0].q.d), fmt.Sprintf("more than %d decisions, with those that are repeated below alternatives of others", maxDecisions))
	}
	top := topmost(all)
	q := all[top].q
	if len(all) == 1 {
		if g.whole[q.d] {
			d, _ := g.open(q)
			return d
		}
		return g.place(q)
	}
	rest := slices.Concat(all[:top], all[top+1:])
	if q.d.Kind == space.Subset && !g.whole[q.d] {
		if below, ok := byItem(q.d, rest); ok {
			d := g.place(q)
			for i, es := range below {
				hang(d.Alts[i], g.grow(es)...)
			}
			return d
		}
	}
	d, values := g.open(q)
	g.k.spend(len(values)*len(rest), span(q.d))
	var done []grown
	for i, v := range values {
		for _, p := range parts(left(rest, q.d, v)) {
			n := slices.IndexFunc(done, func(o grown) bool { return alike(o.from, p) })
			if n < 0 {
				n = len(done)
				done = append(done, grown{p, g.part(p)})
			}
			hang(d.Alts[i], done[n].d)
		}
	}
	return d
}

// grown is a decision that has been made of a part.
type grown struct {
	from []entry
	d    *space.Decision
}

// topmost is the first entry without a condition; a subset, which would have to be
// taken as a whole, only if there is no other.
func topmost(all []entry) int {
	top := -1
	for i, e := range all {
		if len(e.conds) > 0 {
			continue
		}
		if e.q.d.Kind != space.Subset {
			return i
		}
		if top < 0 {
			top = i
		}
	}
	return top
}

// left is what remains of entries where d, if any, takes a value. What asks about a
// decision that is not there is not there either.
func left(all []entry, d *space.Decision, v int64) []entry {
	there := make(map[*space.Decision]bool, len(all))
	var out []entry
next:
	for _, e := range all {
		var conds []*sym.Scalar
		for _, c := range e.conds {
			c = c.At(d, v)
			if c.Is(true) {
				continue
			}
			if c.Is(false) {
				continue next
			}
			for _, p := range c.Decisions() {
				if !there[p] {
					continue next
				}
			}
			conds = append(conds, c)
		}
		there[e.q.d] = true
		out = append(out, entry{e.q, conds})
	}
	return out
}

// byItem gives each entry to the item of the subset d that it hangs below. It
// fails when one needs several items, or none.
func byItem(d *space.Decision, all []entry) ([][]entry, bool) {
	items := make(map[*space.Decision]int, len(all))
	free := make([]entry, len(all))
	for i, e := range all {
		free[i].q = e.q
		for _, c := range e.conds {
			p, item, ok := c.Item()
			if !ok || p != d {
				free[i].conds = append(free[i].conds, c)
				if slices.Contains(c.Decisions(), d) {
					return nil, false
				}
				continue
			}
			if before, ok := items[e.q.d]; ok && before != item {
				return nil, false
			}
			items[e.q.d] = item
		}
	}
	out := make([][]entry, len(d.Alts))
	for _, p := range parts(free) {
		one := -1
		for _, e := range p {
			item, ok := items[e.q.d]
			switch {
			case !ok && len(e.conds) == 0, ok && one >= 0 && one != item:
				return nil, false
			case ok:
				one = item
			}
		}
		out[one] = append(out[one], p...)
	}
	return out, true
}

// alike reports whether two parts are the same questions under the same conditions.
func alike(a, b []entry) bool {
	return slices.EqualFunc(a, b, func(x, y entry) bool { return x.q == y.q && allSame(x.conds, y.conds) })
}

// place puts a question into the tree: itself the first time, then a twin.
func (g *grower) place(q *question) *space.Decision {
	if !g.placed[q.d] {
		g.placed[q.d] = true
		return q.d
	}
	if g.answers[q.d] == nil {
		g.answers[q.d] = []lower.Answer{{On: q.d}}
	}
	d := *q.d
	d.Alts = nil
	for _, a := range q.d.Alts {
		d.Alts = append(d.Alts, &space.Alt{Label: a.Label})
	}
	g.answers[q.d] = append(g.answers[q.d], lower.Answer{On: &d})
	return &d
}

// maxSets bounds the sets of a subset that is taken as a whole.
const maxSets = 4096

// open puts a question into the tree that takes one of its alternatives, with
// their values: a subset as one of all its sets, in their order of rank.
func (g *grower) open(q *question) (*space.Decision, []int64) {
	if q.d.Kind != space.Subset {
		values := make([]int64, len(q.d.Alts))
		for i := range values {
			values[i] = int64(i)
		}
		return g.place(q), values
	}
	d := &space.Decision{ID: q.d.ID, Address: q.d.Address, Kind: space.OneOf, Pos: q.d.Pos, Min: 1, Max: 1}
	sets := subsets(q.d)
	if len(sets) > maxSets {
		e := g.k.diags.Add("E0412", span(q.d), "what is decided further on depends on all that is picked here, in more than %d ways", maxSets)
		e.Help = "pick from fewer"
		panic(fatal{})
	}
	for _, set := range sets {
		d.Alts = append(d.Alts, &space.Alt{Label: q.d.LabelOf(set)})
	}
	if !g.whole[q.d] {
		g.whole[q.d], g.mixed = true, g.mixed || g.placed[q.d]
	}
	g.placed[q.d] = true
	g.answers[q.d] = append(g.answers[q.d], lower.Answer{On: d, Sets: sets})
	return d, sets
}

// subsets lists the bit sets that a subset decision can take, those with an item
// before those without it, and not many more than maxSets.
func subsets(d *space.Decision) []int64 {
	var out []int64
	var walk func(i, n int, set int64)
	walk = func(i, n int, set int64) {
		switch {
		case n > d.Max || n+len(d.Alts)-i < d.Min || len(out) > maxSets:
		case i == len(d.Alts):
			out = append(out, set)
		default:
			walk(i+1, n+1, set|1<<i)
			walk(i+1, n, set)
		}
	}
	walk(0, 0, 0)
	return out
}

func span(d *space.Decision) diag.Span { return diag.Span{Start: d.Pos, End: d.Pos} }
