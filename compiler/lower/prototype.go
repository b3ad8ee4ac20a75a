package lower

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// kept are finished things by what is taken of the decisions that they depend on.
// They are made when first asked for, and graphs of one plan share them.
type kept[T any] struct {
	on   []*space.Decision
	made []atomic.Pointer[T] // by what is taken, the last of on changing fastest
}

// prototypes are the graph nodes that a plan node can become, by what its shape,
// attributes, costs and algebra depend on, and by what it reads.
type prototypes = kept[variants]

// variants are nodes that differ in what they read, in the order of their making.
type variants []*graph.Node

// Most combinations of a node, and of all nodes of a plan, and most variants of a
// combination, that are kept.
const (
	maxPrototypes     = 512
	maxPlanPrototypes = 1 << 14
	maxVariants       = 4
)

// scalars yields everything symbolic about a node.
func (n *Node) scalars(yield func(*sym.Scalar) bool) {
	var room [20]*sym.Scalar
	all := append(room[:0], n.Params, n.MACs, n.Flags.Absent, n.Flags.Identity, n.Flags.Commutative, n.Flags.Sparse, n.Flags.Collapses)
	all = append(all, n.Shape...)
	for _, a := range n.Attrs {
		all = append(all, a.Value)
	}
	for _, s := range all {
		if s != nil && !yield(s) {
			return
		}
	}
}

// dependsOn adds to on the decisions that everything symbolic about n depends on. It
// is not known where there is an unknown.
func (n *Node) dependsOn(on []*space.Decision) (all []*space.Decision, known bool) {
	for s := range n.scalars {
		if s.Open() {
			return nil, false
		}
		on = with(on, s.Decisions()...)
	}
	return on, true
}

// with adds to a list the decisions that are not in it.
func with(on []*space.Decision, more ...*space.Decision) []*space.Decision {
	for _, d := range more {
		if !slices.Contains(on, d) {
			on = append(on, d)
		}
	}
	return on
}

// keep returns nil for a node that depends on an unknown, or on more than can be
// kept.
func keep[T any](p *Plan, on []*space.Decision, known bool) *kept[T] {
	size := 1
	for _, d := range on {
		if d.Kind == space.Subset || len(d.Alts) > maxPrototypes {
			return nil
		}
		if size *= len(d.Alts); size > maxPrototypes {
			return nil
		}
	}
	if !known {
		return nil
	}
	if p.prototypes += size; p.prototypes > maxPlanPrototypes {
		return nil
	}
	return &kept[T]{on, make([]atomic.Pointer[T], size)}
}

// keep gives n room for its prototypes.
func (n *Node) keep(p *Plan) {
	on, known := n.dependsOn(nil)
	n.prototypes = keep[variants](p, on, known)
}

// slot is the place of what is kept where the decisions are taken so, or nil where
// nothing is kept.
func slot[T any](b *binder, k *kept[T]) *atomic.Pointer[T] {
	if k == nil {
		return nil
	}
	i := 0
	for _, d := range k.on {
		v := b.value(d)
		if v < 0 {
			return nil
		}
		i = i*len(d.Alts) + int(v)
	}
	return &k.made[i]
}

// node is the graph node that n becomes, which reads refs. It must not be changed.
// The node keeps no hold of refs.
func (f *frame) node(n *Node, refs []graph.Ref, name, vertex string) (*graph.Node, error) {
	at := slot(f.binder, n.prototypes)
	var known *variants
	if at != nil {
		known = at.Load()
	}
	var m *graph.Node
	if known != nil {
		for _, m = range *known {
			if slices.Equal(m.Inputs, refs) && m.Name == name && m.Vertex == vertex {
				return m, nil
			}
		}
	}
	if m == nil || n.Op.Fold && len(m.Inputs) == 0 { // of nothing it is absent, and no model for others
		var err error
		if m, err = f.evaluate(n); err != nil {
			return nil, err
		}
	}
	var out *graph.Node
	keep := at != nil && (known == nil || len(*known) < maxVariants)
	if keep {
		out = new(graph.Node)
	} else {
		out = f.newNode()
	}
	*out = *m
	if !keep {
		put(out, n, f.newInputs(refs), name, vertex)
		return out, nil
	}
	put(out, n, slices.Clone(refs), name, vertex)
	out.Prepare()
	more := variants{out}
	if known != nil {
		more = append(slices.Clone(*known), out)
	}
	at.CompareAndSwap(known, &more)
	return out, nil
}

// put gives a node that n has become its place.
func put(out *graph.Node, n *Node, refs []graph.Ref, name, vertex string) {
	out.Name, out.Vertex, out.Inputs = name, vertex, refs
	if n.Op.Fold && len(refs) == 0 {
		out.Absent = true // of nothing there is nothing to fold
	}
}

// evaluate computes everything symbolic about a node.
func (b *binder) evaluate(n *Node) (*graph.Node, error) {
	out := &graph.Node{Name: n.Name, Vertex: n.Vertex}
	var err error
	if out.Shape, err = b.shape(n); err != nil {
		return nil, err
	}
	if n.Kind != Op {
		return out, nil
	}
	out.Op, out.Module, out.Fold = n.Op.Name, n.Op.Module, n.Op.Fold
	if len(n.Attrs) > 0 {
		out.Attrs = make([]graph.Attr, len(n.Attrs))
	}
	for i, a := range n.Attrs {
		v, err := a.Value.Eval(b.taken)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", n.Name, a.Name, err)
		}
		out.Attrs[i] = graph.Attr{Name: a.Name, Value: v, Default: a.Default, Open: a.Value.Open()}
	}
	if out.Params, err = b.cost(n, "params", n.Params); err != nil {
		return nil, err
	}
	if out.MACs, err = b.cost(n, "macs", n.MACs); err != nil {
		return nil, err
	}
	for _, flag := range []struct {
		s  *sym.Scalar
		to *bool
	}{
		{n.Flags.Absent, &out.Absent}, {n.Flags.Identity, &out.Identity}, {n.Flags.Commutative, &out.Commutative},
		{n.Flags.Sparse, &out.Sparse}, {n.Flags.Collapses, &out.Collapses},
	} {
		if flag.s == nil {
			continue
		}
		v, err := flag.s.Eval(b.taken)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		*flag.to = v == true
	}
	return out, nil
}

func (b *binder) cost(n *Node, what string, s *sym.Scalar) (int64, error) {
	if s == nil {
		return 0, nil
	}
	v, err := s.Eval(b.taken)
	if err != nil {
		return 0, fmt.Errorf("%s: %s: %w", n.Name, what, err)
	}
	c, ok := v.(int64)
	if !ok || c < 0 {
		return 0, fmt.Errorf("%s: %s is %v, not a whole number", n.Name, what, v)
	}
	return c, nil
}

func (b *binder) shape(n *Node) (graph.Shape, error) {
	shape := make(graph.Shape, len(n.Shape))
	for i := range shape {
		d, err := b.extent(n, i)
		if err != nil {
			return nil, err
		}
		shape[i] = d
	}
	return shape, nil
}

// inputShape is the shape of an input of a body.
func (b *binder) inputShape(in *Node) (graph.Shape, error) {
	at := slot(b, in.prototypes)
	if at == nil {
		return b.shape(in)
	}
	if known := at.Load(); known != nil {
		return (*known)[0].Shape, nil
	}
	m, err := b.evaluate(in)
	if err != nil {
		return nil, err
	}
	at.Store(&variants{m})
	return m.Shape, nil
}

// extent is dimension i of the shape of n.
func (b *binder) extent(n *Node, i int) (int, error) {
	v, err := n.Shape[i].Eval(b.taken)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", n.Name, err)
	}
	d, ok := v.(int64)
	if !ok || d < 1 || d > MaxDim {
		return 0, fmt.Errorf("%s: dimension %d of its shape is %v", n.Name, i, v)
	}
	return int(d), nil
}

// MaxDim is the largest extent of a tensor's dimension.
const MaxDim = 1 << 30
