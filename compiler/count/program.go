package count

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// program computes one metric of a body for many assignments, without building a
// graph: it walks the terms that the result needs, in order.
type program struct {
	metric string
	terms  []*term // arguments first, renumbered; the result is the last one
	deps   []*space.Decision
}

func (c *counter) compile(metric string, body *lower.Body) (*program, error) {
	root, err := c.terms(metric, body)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, errShape
	}
	p := &program{metric: metric}
	place := map[*term]*term{}
	seen := map[*space.Decision]bool{}
	depend := func(d *space.Decision) {
		if d != nil && !seen[d] {
			seen[d] = true
			p.deps = append(p.deps, d)
		}
	}
	var visit func(t *term) *term
	visit = func(t *term) *term {
		if t == nil {
			return nil
		}
		if c, ok := place[t]; ok {
			return c
		}
		c := *t
		c.args = append([]arg(nil), t.args...)
		c.cases = append([]*term(nil), t.cases...)
		for i, a := range c.args {
			c.args[i].term = visit(a.term)
			for _, w := range a.when {
				depend(w.On)
			}
		}
		for i, x := range c.cases {
			c.cases[i] = visit(x)
		}
		c.inner = visit(c.inner)
		depend(c.on)
		for _, f := range []*factor{c.gone, c.amount} {
			if f != nil {
				for _, d := range f.deps {
					depend(d)
				}
			}
		}
		c.id = len(p.terms)
		p.terms = append(p.terms, &c)
		place[t] = &c
		return &c
	}
	visit(root)
	return p, nil
}

// text tells programs apart that compute different things.
func (p *program) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s:", p.metric)
	list := func(f *factor) {
		if f == nil {
			out.WriteString(" -")
			return
		}
		for _, d := range f.deps {
			fmt.Fprintf(&out, " %d", d.ID)
		}
		fmt.Fprint(&out, f.cells)
	}
	for _, t := range p.terms {
		fmt.Fprintf(&out, "\n%d %v", t.kind, t.vertex)
		list(t.gone)
		list(t.amount)
		for _, a := range t.args {
			fmt.Fprintf(&out, " %d", a.id)
			for _, w := range a.when {
				fmt.Fprintf(&out, "@%d.%d", w.On.ID, w.Index)
			}
		}
		if t.on != nil {
			fmt.Fprintf(&out, " ?%d", t.on.ID)
		}
		for _, c := range t.cases {
			if c == nil {
				out.WriteString(" x")
				continue
			}
			fmt.Fprintf(&out, " |%d", c.id)
		}
		if t.inner != nil {
			fmt.Fprintf(&out, " (%d)", t.inner.id)
		}
	}
	return out.String()
}

// run is the state of a program that is run again and again.
type run struct {
	*program
	v      []int64 // the assignment, by Decision.ID
	there  []bool
	need   []bool
	vertex []bool
	target []*term // of a choose what it comes down to
	value  []int64
	stamp  []int
	round  int
	failed bool // the assignment leaves open what the result needs
}

func (p *program) start(v []int64) *run {
	n := len(p.terms)
	return &run{
		program: p, v: v, there: make([]bool, n), need: make([]bool, n), vertex: make([]bool, n),
		target: make([]*term, n), value: make([]int64, n), stamp: make([]int, n),
	}
}

// result is the metric for the assignment; false when it cannot be computed.
func (r *run) result() (int64, bool) {
	r.failed = false
	for _, t := range r.terms {
		r.place(t)
	}
	last := r.target[len(r.terms)-1]
	if last == nil {
		return 0, false
	}
	var n int64
	switch {
	case r.metric == "depth":
		n = r.depth(last)
	case !r.there[last.id]:
	default:
		r.needs()
		if r.metric == "edges" {
			n = r.edges(last)
		} else {
			n = r.sum()
		}
	}
	return n, !r.failed
}

// place finds what a term comes down to, and whether it is there.
func (r *run) place(t *term) {
	i := t.id
	r.target[i] = t
	switch t.kind {
	case input:
		r.there[i] = true
	case absent:
		r.there[i] = false
	case proxy:
		x := r.target[t.args[0].id]
		r.there[i] = x != nil && r.there[x.id]
	case nested:
		x := r.target[t.inner.id]
		r.there[i] = x != nil && r.there[x.id]
		if x == nil {
			r.target[i] = nil
		}
	case choose:
		c := t.cases[0]
		if t.on != nil {
			v := r.v[t.on.ID]
			if v < 0 {
				r.target[i] = nil
				return
			}
			c = t.cases[v]
		}
		if c == nil {
			r.target[i] = nil
			return
		}
		r.target[i] = r.target[c.id]
		r.there[i] = r.there[c.id]
	case op:
		r.there[i] = len(t.args) == 0
		for k := range t.args {
			if r.reads(&t.args[k]) {
				r.there[i] = true
				break
			}
		}
		if t.gone != nil && r.there[i] {
			switch t.gone.at(r.v) {
			case 1:
				r.there[i] = false
			case undefined:
				r.target[i] = nil
			}
		}
	}
}

// reads reports whether an argument is taken and there. One that is open is an
// error only where it is needed; needs finds it.
func (r *run) reads(a *arg) bool {
	for _, w := range a.when {
		if v := r.v[w.On.ID]; v < 0 || v>>uint(w.Index)&1 == 0 {
			return false
		}
	}
	x := r.target[a.id]
	return x == nil || r.there[x.id]
}

// needs marks what the result needs.
func (r *run) needs() {
	clear(r.need)
	clear(r.vertex)
	r.need[len(r.terms)-1] = true
	for i := len(r.terms) - 1; i >= 0; i-- {
		if !r.need[i] {
			continue
		}
		t := r.terms[i]
		x := r.target[i]
		switch {
		case x == nil:
			r.failed = true
			return
		case t.kind == choose:
			r.need[x.id] = true
			if t.vertex {
				r.vertex[x.id] = true
			}
		case t.kind == nested:
			r.round++
			r.inside(t.inner, func(outer *term) { r.need[outer.id] = true })
		case t.kind == op:
			for k := range t.args {
				if a := &t.args[k]; r.reads(a) {
					r.need[a.id] = true
				}
			}
		}
	}
}

// inside calls read for each operand that a nested body needs.
func (r *run) inside(t *term, read func(outer *term)) {
	x := r.target[t.id]
	if x == nil {
		r.failed = true
		return
	}
	if r.stamp[x.id] == r.round || !r.there[x.id] {
		return
	}
	r.stamp[x.id] = r.round
	switch x.kind {
	case proxy:
		read(x.args[0].term)
	case op:
		for k := range x.args {
			if a := &x.args[k]; r.reads(a) {
				r.inside(a.term, read)
			}
		}
	}
}

// sum adds up what the needed operations cost.
func (r *run) sum() int64 {
	var total int64
	for i, t := range r.terms {
		if !r.need[i] || t.amount == nil || t.kind != op || !r.there[i] {
			continue
		}
		n := t.amount.at(r.v)
		if n < 0 {
			r.failed = true
			return 0
		}
		total += n
	}
	return total
}

// noPath is the depth of what no input reaches.
const noPath = -1

func (r *run) depth(last *term) int64 {
	for i, t := range r.terms {
		switch {
		case t.kind == input:
			r.value[i] = 0
		case t.kind != op || !r.there[i]:
			r.value[i] = noPath
		default:
			deepest := int64(noPath)
			for k := range t.args {
				a := &t.args[k]
				if !r.reads(a) {
					continue
				}
				x := r.target[a.id]
				if x == nil {
					deepest = undefined
					break
				}
				if d := r.value[x.id]; d == undefined {
					deepest = undefined
					break
				} else if d > deepest {
					deepest = d
				}
			}
			if deepest >= 0 && t.amount != nil {
				if n := t.amount.at(r.v); n == undefined {
					deepest = undefined
				} else {
					deepest += n
				}
			}
			r.value[i] = deepest
		}
	}
	d := r.value[last.id]
	if d == undefined {
		r.failed = true
	}
	return max(d, 0)
}

// edges counts the connections between the vertices that are needed.
func (r *run) edges(last *term) int64 {
	var total int64
	for i, t := range r.terms {
		switch t.kind {
		case input:
			r.value[i] = 1
		case op, nested:
			if !r.need[i] || !r.there[i] {
				continue
			}
			var ways int64
			if t.kind == nested {
				r.round++
				r.inside(t.inner, func(outer *term) { ways += r.value[r.target[outer.id].id] })
			} else {
				for k := range t.args {
					if a := &t.args[k]; r.reads(a) {
						ways += r.value[r.target[a.id].id]
					}
				}
			}
			r.value[i] = ways
			if t.vertex || r.vertex[i] {
				total += ways
				r.value[i] = 1
			} else if t == last {
				total += ways
			}
		}
	}
	return total
}
