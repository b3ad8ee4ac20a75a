// Package plan runs a Gorgonia graph of ops primitives again and again from
// memory that is laid out once.
//
// Gorgonia's own machines allocate registers and walk maps in every step. A
// [Plan] is made for the nodes somebody wants: it orders what they need, drops
// the rest (the gradient of the image, for one), joins the additions that
// differentiation leaves behind into one pass, lets a result take over memory
// that nobody reads again, and gives every other result the smallest buffer that
// is free at that point. Running it is a loop over function calls.
package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

// Plan computes some nodes of a graph. T is the element type of the graph.
type Plan[T kernel.Float] struct {
	steps  []*step[T]
	values map[*gorgonia.Node][]T
	memory int
}

// step is one operation.
type step[T kernel.Float] struct {
	node    *gorgonia.Node
	inputs  []*gorgonia.Node
	run     func(in [][]T, out []T)
	in      [][]T
	out     []T
	inPlace []int // inputs whose memory the result may take over
}

// New plans the computation of wanted. Leaves of the graph must be bound to
// values; a plan reads them wherever they are at that time, so that later
// changes are written into these values, not bound anew.
func New[T kernel.Float](ws *kernel.Workers, wanted ...*gorgonia.Node) (*Plan[T], error) {
	p := &Plan[T]{values: map[*gorgonia.Node][]T{}}
	uses := map[*gorgonia.Node]int{}
	count(wanted, uses)
	seen := map[*gorgonia.Node]bool{}
	for _, n := range wanted {
		if err := p.order(ws, n, uses, seen); err != nil {
			return nil, err
		}
	}
	p.place(wanted)
	return p, nil
}

// inputs are the nodes that have to be computed before n.
func inputs(n *gorgonia.Node) []*gorgonia.Node {
	if p, ok := n.Op().(*ops.Primitive); ok && p.Fixed() {
		return nil
	}
	return ops.Inputs(n)
}

// count counts how often every node is read, and wanted nodes once more.
func count(nodes []*gorgonia.Node, uses map[*gorgonia.Node]int) {
	for _, n := range nodes {
		uses[n]++
		if uses[n] == 1 {
			count(inputs(n), uses)
		}
	}
}

// order appends the steps for n, those of its inputs first.
func (p *Plan[T]) order(ws *kernel.Workers, n *gorgonia.Node, uses map[*gorgonia.Node]int, seen map[*gorgonia.Node]bool) error {
	if seen[n] {
		return nil
	}
	seen[n] = true
	if n.Op() == nil {
		v := n.Value()
		if v == nil {
			return fmt.Errorf("no value for %s", n.Name())
		}
		data, ok := v.Data().([]T)
		if !ok {
			return fmt.Errorf("%s holds %T", n.Name(), v.Data())
		}
		p.values[n] = data
		return nil
	}
	s := &step[T]{node: n, inputs: inputs(n)}
	switch op := n.Op().(type) {
	case *ops.Primitive:
		s.run = runner[T](op)
		if i := op.InPlace(); i >= 0 {
			s.inPlace = []int{i}
		}
	default:
		if !isAddition(n) {
			return fmt.Errorf("no way to run %v", op)
		}
		s.inputs = terms(n, uses)
		s.run = func(in [][]T, out []T) { kernel.Sum(ws, in, out) }
		s.inPlace = []int{0, 1}
	}
	for _, in := range s.inputs {
		if err := p.order(ws, in, uses, seen); err != nil {
			return err
		}
	}
	p.steps = append(p.steps, s)
	return nil
}

func runner[T kernel.Float](op *ops.Primitive) func([][]T, []T) {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(op.Run32).(func([][]T, []T))
	}
	return any(op.Run64).(func([][]T, []T))
}

// isAddition recognises the sums of gradients that Gorgonia makes.
func isAddition(n *gorgonia.Node) bool {
	op := n.Op()
	return op != nil && op.Arity() == 2 && op.String() == "+ false"
}

// terms are the addends of a sum whose partial sums nobody else reads.
func terms(n *gorgonia.Node, uses map[*gorgonia.Node]int) []*gorgonia.Node {
	var all []*gorgonia.Node
	for _, in := range inputs(n) {
		if isAddition(in) && uses[in] == 1 {
			all = append(all, terms(in, uses)...)
		} else {
			all = append(all, in)
		}
	}
	return all
}

// place gives every result its memory.
func (p *Plan[T]) place(wanted []*gorgonia.Node) {
	last := map[*gorgonia.Node]int{}
	for i, s := range p.steps {
		for _, in := range s.inputs {
			last[in] = i
		}
	}
	for _, n := range wanted {
		last[n] = len(p.steps)
	}
	computed := map[*gorgonia.Node]bool{}
	var free [][]T
	for i, s := range p.steps {
		size := s.node.Shape().TotalSize()
		for _, k := range s.inPlace {
			in := s.inputs[k]
			if computed[in] && last[in] == i && len(p.values[in]) == size && p.onlyOnce(s, in) {
				s.out = p.values[in]
				break
			}
		}
		if s.out == nil {
			s.out, free = take(free, size)
			if s.out == nil {
				s.out = make([]T, size)
				p.memory += size
			}
		}
		p.values[s.node] = s.out
		computed[s.node] = true
		for k, in := range s.inputs {
			v := p.values[in]
			s.in = append(s.in, v)
			if computed[in] && last[in] == i && &v[0] != &s.out[0] && !slices.Contains(s.inputs[:k], in) {
				free = append(free, v[:cap(v)])
			}
		}
	}
}

// onlyOnce reports whether a step reads in a single time.
func (p *Plan[T]) onlyOnce(s *step[T], in *gorgonia.Node) bool {
	n := 0
	for _, x := range s.inputs {
		if x == in {
			n++
		}
	}
	return n == 1
}

// take removes the smallest buffer of at least n numbers from free.
func take[T kernel.Float](free [][]T, n int) ([]T, [][]T) {
	best := -1
	for i, b := range free {
		if len(b) >= n && (best < 0 || len(b) < len(free[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil, free
	}
	b := free[best]
	return b[:n], slices.Delete(free, best, best+1)
}

// Run computes the wanted nodes. It returns early, with ctx's error, when ctx is
// cancelled.
func (p *Plan[T]) Run(ctx context.Context) error {
	for _, s := range p.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.run(s.in, s.out)
	}
	return nil
}

// Value is the memory of a leaf or a wanted node. It stays the same between runs.
func (p *Plan[T]) Value(n *gorgonia.Node) []T { return p.values[n] }

// Memory is the number of elements of all buffers.
func (p *Plan[T]) Memory() int { return p.memory }
