package plan

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// program is a computation as steps that read and write values. The passes replace
// steps by others that do more at a time; the order of the steps does not matter
// to them and is made at the end.
type program struct {
	values []*value
	steps  []*step
	wanted []*value
	of     map[*gorgonia.Node]*value

	operations int // steps before any pass
}

// value is a tensor: a leaf of the graph or a result of a step. As a map it is
// pixels of channels, as (B,F) rows of features.
type value struct {
	id               int
	node             *gorgonia.Node
	pixels, channels int
	leaf             bool
	wanted           bool
	from             *step // nil for leaves
	wide             *wide // the buffer whose channels it is some of; nil: it has memory of its own

	home *storage

	zero, needed bool // in the next run
}

// size is the number of elements.
func (v *value) size() int { return v.pixels * v.channels }

// wide is a buffer that several maps share, each some of its channels. In a run
// there is no room between those that are used.
type wide struct {
	members []*value
	over    *wide // the one whose memory it takes over, member by member
}

// step is one operation.
type step struct {
	kind
	skip  bool     // in the next run
	clear []*value // results that are zero in the next run and have to be there
}

// kind is what a step does: a primitive of the graph or one of the fused ones.
type kind interface {
	inputs() []*value
	outputs() []*value
	// zeros says which results will be zero because inputs or factors are.
	zeros(off func(factor) bool)
	// demand says which inputs are needed for the results that are and not zero.
	demand(off func(factor) bool)
	describe() string
}

// factor is one number of a value.
type factor struct {
	of    *value
	index int
}

func newProgram(wanted []*gorgonia.Node) (*program, error) {
	p := &program{of: map[*gorgonia.Node]*value{}}
	uses := map[*gorgonia.Node]int{}
	count(wanted, uses)
	for _, n := range wanted {
		v, err := p.add(n, uses)
		if err != nil {
			return nil, err
		}
		if !v.wanted {
			p.wanted = append(p.wanted, v)
		}
		v.wanted = true
	}
	p.operations = len(p.steps)
	return p, nil
}

// count counts how often every node is read, and wanted nodes once more.
func count(nodes []*gorgonia.Node, uses map[*gorgonia.Node]int) {
	for _, n := range nodes {
		uses[n]++
		if uses[n] == 1 {
			count(nodesBefore(n), uses)
		}
	}
}

// nodesBefore are the nodes that have to be computed before n.
func nodesBefore(n *gorgonia.Node) []*gorgonia.Node {
	if p, ok := n.Op().(*ops.Primitive); ok && p.Fixed() {
		return nil
	}
	return ops.Inputs(n)
}

// add makes the value of a node and the steps for it.
func (p *program) add(n *gorgonia.Node, uses map[*gorgonia.Node]int) (*value, error) {
	if v := p.of[n]; v != nil {
		return v, nil
	}
	v := p.value(n.Shape())
	v.node, v.leaf = n, n.Op() == nil
	p.of[n] = v
	if v.leaf {
		if n.Value() == nil {
			return nil, fmt.Errorf("no value for %s", n.Name())
		}
		return v, nil
	}
	nodes := nodesBefore(n)
	op, ok := n.Op().(*ops.Primitive)
	if !ok {
		if !isAddition(n) {
			return nil, fmt.Errorf("no way to run %v", n.Op())
		}
		nodes = terms(n, uses)
	}
	var in []*value
	for _, x := range nodes {
		i, err := p.add(x, uses)
		if err != nil {
			return nil, err
		}
		in = append(in, i)
	}
	if ok {
		p.do(&primitive{op: op, in: in, out: v})
		return v, nil
	}
	slices.SortStableFunc(in, func(a, b *value) int { return slices.Compare(a.place(), b.place()) })
	p.do(&addition{in: in, out: v})
	return v, nil
}

// place orders values: that of a primitive is its own, that of a sum that of its
// first term. Gorgonia adds up gradients in an order that changes from graph to
// graph, and with it the last bits.
func (v *value) place() []int {
	if v.from == nil {
		return nil
	}
	switch k := v.from.kind.(type) {
	case *primitive:
		of, part := k.op.Place()
		return []int{int(of), part}
	case *addition:
		return k.in[0].place()
	}
	return nil
}

// isAddition recognises the sums of gradients that Gorgonia makes.
func isAddition(n *gorgonia.Node) bool {
	op := n.Op()
	return op != nil && op.Arity() == 2 && op.String() == "+ false"
}

// terms are the addends of a sum whose partial sums nobody else reads.
func terms(n *gorgonia.Node, uses map[*gorgonia.Node]int) []*gorgonia.Node {
	var all []*gorgonia.Node
	for _, in := range nodesBefore(n) {
		if isAddition(in) && uses[in] == 1 {
			all = append(all, terms(in, uses)...)
		} else {
			all = append(all, in)
		}
	}
	return all
}

// value makes a new one.
func (p *program) value(shape tensor.Shape) *value {
	v := &value{id: len(p.values), pixels: 1, channels: shape.TotalSize()}
	switch len(shape) {
	case 4:
		v.channels = shape[1]
		v.pixels = shape[0] * shape[2] * shape[3]
	case 2:
		v.pixels, v.channels = shape[0], shape[1]
	}
	p.values = append(p.values, v)
	return v
}

// do adds a step.
func (p *program) do(k kind) *step {
	s := &step{kind: k}
	for _, v := range k.outputs() {
		v.from = s
	}
	p.steps = append(p.steps, s)
	return s
}

// drop takes steps out.
func (p *program) drop(dead map[*step]bool) {
	p.steps = slices.DeleteFunc(p.steps, func(s *step) bool { return dead[s] })
}

// readers lists the steps that read each value, once for every time.
func (p *program) readers() map[*value][]*step {
	r := map[*value][]*step{}
	for _, s := range p.steps {
		for _, v := range s.inputs() {
			r[v] = append(r[v], s)
		}
	}
	return r
}

// replace makes primitives and additions read another value in place of one.
func (p *program) replace(old, now *value) {
	by := map[*value]*value{old: now}
	for _, s := range p.steps {
		s.read(by)
	}
}

// read makes a primitive or an addition read other values in place of some.
func (s *step) read(now map[*value]*value) {
	var in []*value
	switch k := s.kind.(type) {
	case *primitive:
		in = k.in
	case *addition:
		in = k.in
	}
	for i, v := range in {
		if x := now[v]; x != nil {
			in[i] = x
		}
	}
}

// order sorts the steps so that each comes after those it needs, and as near to
// those that read its results as that allows: what is wanted last comes first, so
// that the gradients of weights follow those of the maps they are made from. Steps
// that nothing wanted needs are dropped.
func (p *program) order() {
	var sorted []*step
	seen := map[*step]bool{}
	var visit func(v *value)
	visit = func(v *value) {
		s := v.from
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for _, in := range s.inputs() {
			visit(in)
		}
		sorted = append(sorted, s)
	}
	if len(p.wanted) > 0 {
		visit(p.wanted[0])
	}
	for i := len(p.wanted) - 1; i > 0; i-- {
		visit(p.wanted[i])
	}
	p.steps = sorted
}

// primitive runs an operator of the graph.
type primitive struct {
	op  *ops.Primitive
	in  []*value
	out *value
}

func (k *primitive) inputs() []*value  { return k.in }
func (k *primitive) outputs() []*value { return []*value{k.out} }
func (k *primitive) describe() string  { return k.op.String() }

func (k *primitive) zeros(off func(factor) bool) {
	switch w := k.op.What().(type) {
	case ops.MixedGrad:
		k.out.zero = k.in[0].zero || off(factor{k.in[1], w.Term})
	default:
		i := k.op.Linear()
		k.out.zero = i >= 0 && i < len(k.in) && k.in[i].zero
	}
}

func (k *primitive) demand(off func(factor) bool) {
	terms := 0
	switch k.op.What().(type) {
	case ops.Mixed:
		terms = len(k.in) - 1
	case ops.MixedDots:
		terms = len(k.in) - 2
	}
	for i, v := range k.in {
		if i >= terms || !off(factor{k.in[terms], i}) {
			v.needed = true
		}
	}
}

// what is the description of the primitive that makes v, or nil.
func (v *value) what() any {
	if k := v.primitive(); k != nil {
		return k.op.What()
	}
	return nil
}

// primitive is the one that makes v, or nil.
func (v *value) primitive() *primitive {
	if v.from == nil {
		return nil
	}
	k, _ := v.from.kind.(*primitive)
	return k
}

// addition adds up gradients.
type addition struct {
	in  []*value
	out *value
}

func (k *addition) inputs() []*value  { return k.in }
func (k *addition) outputs() []*value { return []*value{k.out} }
func (k *addition) describe() string  { return "sum of gradients" }

func (k *addition) zeros(func(factor) bool) {
	k.out.zero = !slices.ContainsFunc(k.in, func(v *value) bool { return !v.zero })
}

func (k *addition) demand(func(factor) bool) {
	for _, v := range k.in {
		if !v.zero {
			v.needed = true
		}
	}
}
