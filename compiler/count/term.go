package count

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// A body is turned into terms to measure one metric: what it calls is put in place,
// and whatever makes no difference to the metric is left out. For edges the
// candidates of a vertex are all the same and so are no longer a choice; for params
// a pooling is nothing but what it reads. What a term still depends on is what the
// metric depends on.

type kind int

const (
	input  kind = iota // an input of the body: always there
	absent             // an absent tensor
	op                 // an operation on those of its arguments that are there
	choose             // the case that a decision takes
	proxy              // an input of a nested body, when edges are counted
	nested             // a nested body as one operation, when edges are counted
)

// term is one tensor of a body, as far as a metric cares. Arguments come before
// what reads them.
type term struct {
	id   int
	kind kind

	args   []arg   // op; of nested and proxy what stands around the body
	gone   *factor // op: 1 where it is an absent edge; nil: never
	amount *factor // op: its params or MACs, or what it adds to the depth; nil: 0
	vertex bool    // op, nested, choose

	on    *space.Decision // choose; nil where there is a single case
	cases []*term         // choose; nil entries cannot be taken
	inner *term           // nested: its result, over proxies
}

type arg struct {
	*term
	when []lower.Item
}

// errShape says that a body cannot be measured by terms.
var errShape = errors.New("not measured by terms")

// maxTerms bounds the terms of one body.
const maxTerms = 1 << 17

type builder struct {
	*counter
	metric  string
	terms   []*term
	shared  map[string]*term
	factors map[string]*factor
	names   map[*factor]int
	absent  *term
	calls   int
	err     error
}

// terms measures the body of a requirement.
func (c *counter) terms(metric string, body *lower.Body) (*term, error) {
	b := &builder{counter: c, metric: metric, shared: map[string]*term{}, names: map[*factor]int{}}
	b.absent = b.add(&term{kind: absent})
	in := &instance{builder: b, body: body, memo: map[*lower.Node]*term{}, outer: metric == "edges"}
	for _, n := range body.Inputs {
		if n.When != nil {
			return nil, errShape // not every input is always given
		}
		in.inputs = append(in.inputs, b.add(&term{kind: input}))
	}
	if in.outer {
		in.countReaders()
	}
	out := in.node(body.Output)
	return out, b.err
}

func (b *builder) fail() *term {
	b.err = errShape
	return b.absent
}

func (b *builder) add(t *term) *term {
	if len(b.terms) >= maxTerms {
		return b.fail()
	}
	t.id = len(b.terms)
	b.terms = append(b.terms, t)
	return t
}

// share returns the term that was made under a key, or makes it.
func (b *builder) share(key string, t *term) *term {
	if known, ok := b.shared[key]; ok {
		return known
	}
	b.shared[key] = b.add(t)
	return b.shared[key]
}

// instance is one use of a body.
type instance struct {
	*builder
	body    *lower.Body
	inputs  []*term
	memo    map[*lower.Node]*term
	outer   bool                // edges are counted here, not inside a nested body
	readers map[*lower.Node]int // outer: by how many a node is read
}

func (in *instance) countReaders() {
	in.readers = map[*lower.Node]int{in.body.Output: 1}
	seen := map[*lower.Node]bool{}
	var selection func(n *lower.Node)
	selection = func(n *lower.Node) {
		in.readers[n]++
		if n.Kind == lower.Select && !seen[n] {
			seen[n] = true
			for _, c := range n.Cases {
				if c != nil {
					selection(c)
				}
			}
		}
	}
	selection(in.body.Output)
	for _, n := range in.body.Nodes {
		for _, a := range n.Args {
			selection(a.Node)
		}
	}
}

func (in *instance) node(n *lower.Node) *term {
	if t, ok := in.memo[n]; ok {
		return t
	}
	if in.err != nil {
		return in.absent
	}
	var t *term
	switch n.Kind {
	case lower.Input:
		i := slices.Index(in.body.Inputs, n)
		if i < 0 {
			return in.fail()
		}
		t = in.inputs[i]
	case lower.Select:
		t = in.selection(n)
	case lower.Call:
		t = in.call(n)
	default:
		t = in.op(n, 0)
	}
	in.memo[n] = t
	return t
}

func (in *instance) selection(n *lower.Node) *term {
	if n.On.Kind == space.Subset {
		return in.fail() // there where an item is
	}
	cases := make([]*term, len(n.Cases))
	for i, c := range n.Cases {
		switch {
		case c == nil:
		case in.outer && c.Kind == lower.Op && c.Vertex == "" && in.readers[c] == 1:
			cases[i] = in.op(c, in.mark(n)) // read here only: equal ones are the same
		default:
			cases[i] = in.node(c)
		}
	}
	return in.choose(n.On, cases, in.outer && n.Vertex != "")
}

// mark numbers what must not be shared with anything else.
func (in *instance) mark(*lower.Node) int {
	in.calls++
	return in.calls
}

func (b *builder) choose(on *space.Decision, cases []*term, vertex bool) *term {
	same := true
	for _, c := range cases {
		same = same && c == cases[0]
	}
	if same {
		if !vertex || cases[0] == nil || cases[0].kind == input || cases[0].kind == absent {
			return cases[0]
		}
		on, cases = nil, cases[:1]
	}
	var key strings.Builder
	fmt.Fprintf(&key, "choose %p %v", on, vertex)
	for _, c := range cases {
		if c == nil {
			key.WriteString(" -")
			continue
		}
		fmt.Fprintf(&key, " %d", c.id)
	}
	return b.share(key.String(), &term{kind: choose, on: on, cases: cases, vertex: vertex})
}

// op makes a term of an operation. Where edges are counted, terms are shared under
// a mark only: an operation read twice is not two operations.
func (in *instance) op(n *lower.Node, mark int) *term {
	t := &term{kind: op}
	dropped := false
	for _, a := range n.Args {
		if a.If != nil || len(a.When) > 0 && !n.Op.Fold {
			return in.fail()
		}
		x := in.node(a.Node)
		if x == nil {
			return in.fail()
		}
		if x == in.absent {
			dropped = true
			continue
		}
		t.args = append(t.args, arg{x, a.When})
	}
	gone, ok := in.factor(n.Flags.Absent)
	if !ok {
		return in.fail()
	}
	if v, constant := gone.constant(); !constant {
		t.gone = gone
	} else if v != 0 {
		return in.absent
	}
	if len(t.args) == 0 && (dropped || n.Op.Fold) {
		return in.absent
	}
	if !in.amount(t, n) {
		return in.fail()
	}
	if in.outer {
		t.vertex = n.Vertex != ""
		if mark == 0 || t.vertex {
			return in.add(t)
		}
		return in.share(fmt.Sprintf("%d %s", mark, in.key(t)), t)
	}
	if t.amount != nil && in.metric != "depth" {
		return in.add(t) // it counts for itself
	}
	return in.pure(t)
}

// pure shares an operation that is told apart by what it reads alone.
func (b *builder) pure(t *term) *term {
	var args []arg
	known := map[string]bool{}
	for _, a := range t.args {
		if k := argKey(a); !known[k] {
			known[k] = true
			args = append(args, a)
		}
	}
	t.args = args
	if len(args) == 1 && len(args[0].when) == 0 && t.gone == nil && t.amount == nil {
		return args[0].term
	}
	return b.share(b.key(t), t)
}

func argKey(a arg) string {
	var k strings.Builder
	fmt.Fprintf(&k, " %d", a.id)
	for _, w := range a.when {
		fmt.Fprintf(&k, "@%p.%d", w.On, w.Index)
	}
	return k.String()
}

func (b *builder) key(t *term) string {
	var k strings.Builder
	fmt.Fprintf(&k, "op %d %d", b.name(t.gone), b.name(t.amount))
	for _, a := range t.args {
		k.WriteString(argKey(a))
	}
	return k.String()
}

// name numbers factors, equal ones alike.
func (b *builder) name(f *factor) int {
	if f == nil {
		return 0
	}
	if n, ok := b.names[f]; ok {
		return n
	}
	if b.factors == nil {
		b.factors = map[string]*factor{}
	}
	k := fmt.Sprint(f.deps, f.cells)
	if known, ok := b.factors[k]; ok {
		b.names[f] = b.names[known]
		return b.names[f]
	}
	b.factors[k] = f
	b.names[f] = len(b.names) + 1
	return b.names[f]
}

func (b *builder) factor(s *sym.Scalar) (*factor, bool) {
	if s != nil && s.Open() {
		return nil, false // settled when a graph is whole
	}
	return b.table(union(s), func(taken sym.Taken) int64 { return number(s, taken) })
}

// table makes a factor of what f computes. Where some of the decisions do not exist
// f has no value; if it has one all the same, no factor says so.
func (b *builder) table(deps []*space.Decision, f func(sym.Taken) int64) (*factor, bool) {
	out, ok := tabulate(deps, f)
	if !ok || b.partial(deps, f) {
		return nil, false
	}
	return out, true
}

// partial reports whether f has a value where not all of the decisions exist.
func (c *counter) partial(deps []*space.Decision, f func(sym.Taken) int64) bool {
	at := make(map[*space.Decision]int64, len(deps))
	taken := func(d *space.Decision) int64 { return at[d] }
	var walk func(i int, some bool) bool
	walk = func(i int, some bool) bool {
		if i == len(deps) {
			return some && f(taken) != undefined
		}
		d := deps[i]
		there, away := true, !c.implies(nil, d)
		for _, e := range deps[:i] {
			there = there && (at[e] >= 0 || !c.implies(d, e))
			away = away && (at[e] < 0 || !c.implies(e, d))
		}
		for v := range values(d) {
			if at[d] = int64(v); there && walk(i+1, some) {
				return true
			}
		}
		at[d] = space.Inactive
		return away && walk(i+1, true)
	}
	return walk(0, false)
}

// implies reports whether d exists wherever e does, nil being everywhere, as far as
// their places in the tree show.
func (c *counter) implies(e, d *space.Decision) bool {
	if e == d || len(c.holders[d.ID]) == 0 {
		return true
	}
	if e == nil || len(c.holders[e.ID]) == 0 {
		return false
	}
	within := true
	for _, h := range c.holders[e.ID] {
		within = within && slices.Contains(c.holders[d.ID], h)
	}
	return within || c.implies(c.holders[e.ID][0].on, d)
}

// amount sets what an operation adds to the metric. An identity adds nothing.
func (in *instance) amount(t *term, n *lower.Node) bool {
	var cost *sym.Scalar
	switch in.metric {
	case "params":
		cost = n.Params
	case "macs":
		cost = n.MACs
	case "depth":
		if n.Op.Fold {
			return true
		}
		cost = sym.Int(1)
	}
	if cost == nil || in.outer {
		return true
	}
	if cost.Open() || n.Flags.Identity != nil && n.Flags.Identity.Open() {
		return false
	}
	f, ok := in.table(union(cost, n.Flags.Identity), func(taken sym.Taken) int64 {
		if number(n.Flags.Identity, taken) == 1 {
			return 0
		}
		return number(cost, taken)
	})
	if !ok {
		return false
	}
	if v, constant := f.constant(); constant && v == 0 {
		return true
	}
	if n.Flags.Collapses != nil && in.metric != "depth" {
		return false // whether it counts depends on how many of its operands are there
	}
	t.amount = f
	return true
}

// call puts a nested body in place. Where edges are counted it is one operation.
func (in *instance) call(n *lower.Node) *term {
	args := make([]*term, len(n.Args))
	for i, a := range n.Args {
		if args[i] = in.node(a.Node); a.Picked() || args[i] == nil {
			return in.fail()
		}
	}
	sparse := func(n *lower.Node) bool { return n.When != nil }
	if len(args) != len(n.Body.Inputs) || slices.ContainsFunc(n.Body.Inputs, sparse) {
		return in.fail()
	}
	sub := &instance{builder: in.builder, body: n.Body, inputs: args, memo: map[*lower.Node]*term{}}
	if !in.outer {
		return sub.node(n.Body.Output)
	}
	sub.inputs = make([]*term, len(args))
	for i, a := range args {
		sub.inputs[i] = a
		if a != in.absent {
			sub.inputs[i] = in.add(&term{kind: proxy, args: []arg{{term: a}}})
		}
	}
	in.calls++
	return sub.leaf(n.Body.Output, args, in.calls, n.Vertex != "")
}

// leaf is what a call of the body gives where its result is n: an operation around
// the body, or the operand itself where the body hands it on without any.
func (in *instance) leaf(n *lower.Node, args []*term, call int, vertex bool) *term {
	switch n.Kind {
	case lower.Select:
		if n.On.Kind == space.Subset {
			return in.fail()
		}
		cases := make([]*term, len(n.Cases))
		for i, c := range n.Cases {
			if c != nil {
				cases[i] = in.leaf(c, args, call, vertex)
			}
		}
		return in.choose(n.On, cases, false)
	case lower.Input:
		return args[slices.Index(in.body.Inputs, n)]
	case lower.Call:
		switch k, handsOn := passes(n.Body); {
		case handsOn && k < 0:
			return in.fail()
		case handsOn:
			return in.leaf(n.Args[k].Node, args, call, vertex)
		}
	}
	if t := in.alone(n, args, vertex); t != nil {
		return in.share(fmt.Sprintf("alone %d %s", call, in.key(t)), t)
	}
	r := in.node(n)
	if r == nil || r == in.absent {
		return in.absent
	}
	t := &term{kind: nested, inner: r, vertex: vertex}
	for _, x := range in.inputs {
		if x.kind == proxy {
			t.args = append(t.args, arg{term: x.args[0].term})
		}
	}
	if r.kind == proxy { // reads one operand, whatever it does with it
		t = &term{kind: op, args: r.args, vertex: vertex}
	}
	return in.share(fmt.Sprintf("call %d %d", call, r.id), t)
}

// alone is the only operation of a block, which is bound without a box around it;
// nil for other bodies.
func (in *instance) alone(n *lower.Node, args []*term, vertex bool) *term {
	if in.body.Kind != "block" || n.Kind != lower.Op || n.Flags.Absent != nil {
		return nil
	}
	t := &term{kind: op, vertex: vertex}
	for _, a := range n.Args {
		k := slices.Index(in.body.Inputs, a.Node)
		if k < 0 || a.If != nil || len(a.When) > 0 && !n.Op.Fold {
			return nil
		}
		if args[k] != in.absent {
			t.args = append(t.args, arg{args[k], a.When})
		}
	}
	if len(t.args) == 0 {
		return nil
	}
	return t
}

// passes reports whether a body may hand an input on without any operation, and
// which; -1 when a decision tells.
func passes(b *lower.Body) (k int, handsOn bool) {
	n := b.Output
	switch n.Kind {
	case lower.Input:
		return slices.Index(b.Inputs, n), true
	case lower.Call:
		k, handsOn := passes(n.Body)
		if !handsOn || k < 0 {
			return k, handsOn
		}
		return passes(&lower.Body{Inputs: b.Inputs, Output: n.Args[k].Node})
	case lower.Select:
		for _, c := range n.Cases {
			if c == nil {
				continue
			}
			if _, handsOn := passes(&lower.Body{Inputs: b.Inputs, Output: c}); handsOn {
				return -1, true
			}
		}
	}
	return 0, false
}
