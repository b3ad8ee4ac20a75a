package count

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
)

// condition is whether something holds, for each combination of few decisions. A
// decision has one more value here, the last: that it does not exist.
type condition struct {
	deps  []*space.Decision // by ID
	cells []bool
}

// maxConditions bounds the table of one condition.
const maxConditions = 1 << 14

var (
	always = &condition{cells: []bool{true}}
	never  = &condition{cells: []bool{false}}
)

// domain is the number of values of a decision, one of them that it does not exist.
func domain(d *space.Decision) int { return values(d) + 1 }

// when is the condition that holds for some values of d.
func when(d *space.Decision, holds func(v int64) bool) *condition {
	c := &condition{deps: []*space.Decision{d}, cells: make([]bool, domain(d))}
	for v := range values(d) {
		c.cells[v] = holds(int64(v))
	}
	return c
}

// at is the condition for an assignment by Decision.ID.
func (c *condition) at(v []int64) bool {
	return c.cells[cell(c.deps, v)]
}

// cell is the place of an assignment by Decision.ID in a table over decisions that
// may not exist.
func cell(deps []*space.Decision, v []int64) int {
	i := 0
	for _, d := range deps {
		x := int(v[d.ID])
		if x < 0 {
			x = values(d)
		}
		i = i*domain(d) + x
	}
	return i
}

// both joins two conditions by a truth function; nil when the table is too large.
func both(a, b *condition, f func(x, y bool) bool) *condition {
	if a == nil || b == nil {
		return nil
	}
	deps := slices.Clone(a.deps)
	for _, d := range b.deps {
		if !slices.Contains(deps, d) {
			deps = append(deps, d)
		}
	}
	slices.SortFunc(deps, func(x, y *space.Decision) int { return x.ID - y.ID })
	n := 1
	for _, d := range deps {
		if n *= domain(d); n > maxConditions {
			return nil
		}
	}
	out := &condition{deps: deps, cells: make([]bool, n)}
	inA, inB := strides(deps, a.deps), strides(deps, b.deps)
	digits := make([]int, len(deps))
	i, j := 0, 0
	for k := range out.cells {
		out.cells[k] = f(a.cells[i], b.cells[j])
		for p := len(deps) - 1; p >= 0; p-- {
			digits[p]++
			i, j = i+inA[p], j+inB[p]
			if digits[p] < domain(deps[p]) {
				break
			}
			i, j = i-digits[p]*inA[p], j-digits[p]*inB[p]
			digits[p] = 0
		}
	}
	return out.reduce()
}

// strides tells how far a step at each of the decisions in all leads in a table over
// some of them.
func strides(all, some []*space.Decision) []int {
	out := make([]int, len(all))
	step := 1
	for k := len(some) - 1; k >= 0; k-- {
		out[slices.Index(all, some[k])] = step
		step *= domain(some[k])
	}
	return out
}

func or(a, b *condition) *condition  { return both(a, b, func(x, y bool) bool { return x || y }) }
func and(a, b *condition) *condition { return both(a, b, func(x, y bool) bool { return x && y }) }

// reduce drops the decisions that make no difference. A decision that does not
// exist makes none: whatever is needed below it was not asked for.
func (c *condition) reduce() *condition {
	for k := 0; k < len(c.deps); k++ {
		inner := 1
		for _, d := range c.deps[k+1:] {
			inner *= domain(d)
		}
		n := domain(c.deps[k])
		same := true
		for i := 0; same && i < len(c.cells); i += n * inner {
			for j := range inner {
				for v := 1; v < n-1; v++ {
					same = same && c.cells[i+v*inner+j] == c.cells[i+j]
				}
			}
		}
		if !same {
			continue
		}
		cells := make([]bool, 0, len(c.cells)/n)
		for i := 0; i < len(c.cells); i += n * inner {
			cells = append(cells, c.cells[i:i+inner]...)
		}
		c = &condition{deps: slices.Delete(slices.Clone(c.deps), k, k+1), cells: cells}
		k--
	}
	return c
}

// needs tells of every term when the result of the program needs it; false when
// that depends on too many decisions at once.
func (p *program) needs() ([]*condition, bool) {
	there := make([]*condition, len(p.terms))
	for i, t := range p.terms {
		switch t.kind {
		case input:
			there[i] = always
		case absent:
			there[i] = never
		case choose:
			there[i] = never
			for _, c := range t.alternatives() {
				there[i] = or(there[i], and(c.taken, there[c.id]))
			}
		case op:
			there[i] = never
			if len(t.args) == 0 {
				there[i] = always
			}
			for _, a := range t.args {
				there[i] = or(there[i], and(a.taken(), there[a.id]))
			}
			if t.gone != nil {
				there[i] = and(there[i], t.gone.is(0))
			}
		default:
			return nil, false
		}
		if there[i] == nil {
			return nil, false
		}
	}
	need := make([]*condition, len(p.terms))
	for i := range need {
		need[i] = never
	}
	last := len(p.terms) - 1
	need[last] = there[last]
	for i := last; i >= 0; i-- {
		t := p.terms[i]
		if need[i] == nil {
			return nil, false
		}
		if t.kind == choose {
			for _, c := range t.alternatives() {
				need[c.id] = or(need[c.id], and(and(need[i], c.taken), there[c.id]))
			}
			continue
		}
		for _, a := range t.args {
			need[a.id] = or(need[a.id], and(and(need[i], a.taken()), there[a.id]))
		}
	}
	return need, true
}

// alternative is a case of a choose with what must be taken for it.
type alternative struct {
	*term
	taken *condition
}

// alternatives lists the cases of a choose, each once.
func (t *term) alternatives() []alternative {
	var out []alternative
	for i, c := range t.cases {
		if c == nil || slices.Contains(t.cases[:i], c) {
			continue
		}
		taken := always
		if t.on != nil {
			taken = when(t.on, func(v int64) bool { return int(v) < len(t.cases) && t.cases[v] == c })
		}
		out = append(out, alternative{c, taken})
	}
	return out
}

// taken is the condition that the argument is picked.
func (a arg) taken() *condition {
	c := always
	for _, w := range a.when {
		if len(w.On.Alts) > 12 {
			return nil
		}
		c = and(c, when(w.On, func(v int64) bool { return v>>uint(w.Index)&1 == 1 }))
	}
	return c
}

// is is the condition that the factor has a value.
func (f *factor) is(value int64) *condition {
	c := &condition{cells: make([]bool, 1)}
	n := 1
	for _, d := range f.deps {
		if n *= domain(d); n > maxConditions {
			return nil
		}
	}
	c.deps = slices.Clone(f.deps)
	slices.SortFunc(c.deps, func(x, y *space.Decision) int { return x.ID - y.ID })
	c.cells = make([]bool, n)
	v := map[int]int64{}
	for i := range c.cells {
		rest := i
		for k := len(c.deps) - 1; k >= 0; k-- {
			d := c.deps[k]
			v[d.ID] = int64(rest % domain(d))
			if v[d.ID] == int64(values(d)) {
				v[d.ID] = space.Inactive
			}
			rest /= domain(d)
		}
		cell, ok := 0, true
		for _, d := range f.deps {
			ok = ok && v[d.ID] >= 0
			cell = cell*values(d) + int(v[d.ID])
		}
		c.cells[i] = ok && f.cells[cell] == value
	}
	return c.reduce()
}
