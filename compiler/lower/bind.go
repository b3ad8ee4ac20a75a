package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// Bind builds the architecture of one genotype. It fails when the genotype is
// not of the plan's space, or when a shape or attribute has no meaning there.
func (p *Plan) Bind(g space.Genotype) (*graph.Graph, error) {
	if err := p.Space.Check(g); err != nil {
		return nil, err
	}
	return p.binder(g).body(p.Body)
}

func (p *Plan) binder(g space.Genotype) *binder {
	b := &binder{values: g, bodies: make([]*graph.Graph, p.bodies)}
	if p.unknowns > 0 {
		b.values = make([]int64, len(g)+p.unknowns)
		copy(b.values, g)
	}
	b.taken = func(d *space.Decision) int64 { return b.values[d.ID] }
	return b
}

// binder holds what is shared while one genotype is bound.
type binder struct {
	values []int64 // what is taken of each decision, then the unknowns
	taken  sym.Taken
	bodies []*graph.Graph // by index; nil until built
}

// frame is the graph being built for one body.
type frame struct {
	*binder
	out      *graph.Graph
	live     []bool           // what the output needs, by index
	refs     []graph.Ref      // where it is, by index
	vertices map[*Node]string // vertex names that selections hand on
	dead     []bool           // absent, by index; nil unless something is settled
}

// nowhere is the place of a tensor that has not been built.
const nowhere = graph.Ref(-1 << 31)

func (b *binder) body(body *Body) (*graph.Graph, error) {
	if g := b.bodies[body.index]; g != nil {
		return g, nil
	}
	n := len(body.Inputs) + len(body.Nodes)
	f := frame{
		binder: b,
		out:    &graph.Graph{Name: body.Name, Kind: body.Kind},
		live:   make([]bool, n),
		refs:   make([]graph.Ref, n),
	}
	for i := range f.refs {
		f.refs[i] = nowhere
	}
	for i, in := range body.Inputs {
		shape, err := b.shape(in)
		if err != nil {
			return nil, err
		}
		f.out.Inputs = append(f.out.Inputs, graph.Input{Name: in.Name, Shape: shape})
		f.refs[in.index] = graph.InputRef(i)
	}
	if err := f.need(body.Output); err != nil {
		return nil, err
	}
	if s := body.Settler; s != nil && f.live[s.index] {
		if err := f.settle(body); err != nil {
			return nil, err
		}
	}
	for _, n := range body.Nodes {
		if !f.live[n.index] {
			continue
		}
		build := f.op
		if n.Kind == Call {
			build = f.call
		}
		r, err := build(n)
		if err != nil {
			return nil, err
		}
		f.refs[n.index] = r
	}
	out, err := f.follow(body.Output)
	if err != nil {
		return nil, err
	}
	f.out.Output = f.refs[out.index]
	b.bodies[body.index] = f.out
	return f.out, nil
}

// follow follows selections to the node that the genotype takes.
func (f *frame) follow(n *Node) (*Node, error) {
	for n.Kind == Select {
		i := f.taken(n.On)
		if i < 0 || int(i) >= len(n.Cases) || n.Cases[i] == nil {
			return nil, fmt.Errorf("%s: decision %s is not taken here", n.Name, n.On.Address)
		}
		n = n.Cases[i]
	}
	return n, nil
}

// need marks what n depends on. A selection hands its vertex name on to the
// case that is taken.
func (f *frame) need(n *Node) error {
	vertex := ""
	if n.Kind == Select {
		vertex = n.Vertex
	}
	n, err := f.follow(n)
	if err != nil {
		return err
	}
	if vertex != "" && n.Vertex == "" && f.vertices[n] == "" {
		if f.vertices == nil {
			f.vertices = map[*Node]string{}
		}
		f.vertices[n] = vertex
	}
	if n.Kind == Input || f.live[n.index] {
		return nil
	}
	f.live[n.index] = true
	for _, a := range n.Args {
		if !f.present(a) {
			continue
		}
		t, err := f.follow(a.Node)
		if err != nil {
			return err
		}
		if f.leftOut(n, t) {
			continue
		}
		if err := f.need(a.Node); err != nil {
			return err
		}
	}
	return nil
}

func (f *frame) present(a Arg) bool {
	for _, w := range a.When {
		if f.taken(w.On)>>uint(w.Index)&1 == 0 {
			return false
		}
	}
	return true
}

func (f *frame) vertex(n *Node) string {
	if n.Vertex != "" {
		return n.Vertex
	}
	return f.vertices[n]
}

// add appends a node and returns its Ref.
func (f *frame) add(n *graph.Node) graph.Ref {
	f.out.Nodes = append(f.out.Nodes, n)
	return graph.Ref(len(f.out.Nodes) - 1)
}

// args returns the operands that are present.
func (f *frame) args(n *Node) ([]graph.Ref, error) {
	refs := make([]graph.Ref, 0, len(n.Args))
	for _, a := range n.Args {
		if !f.present(a) {
			continue
		}
		t, err := f.follow(a.Node)
		if err != nil {
			return nil, err
		}
		if f.leftOut(n, t) {
			continue
		}
		r := f.refs[t.index]
		if r == nowhere {
			return nil, fmt.Errorf("%s: %s is a tensor of another body", n.Name, t.Name)
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// call puts a nested graph in place. A body of one node is that node: a block that
// only chooses an op or a cell leaves no box around it.
func (f *frame) call(n *Node) (graph.Ref, error) {
	refs, err := f.args(n)
	if err != nil {
		return 0, err
	}
	g, err := f.body(n.Body)
	if err != nil {
		return 0, err
	}
	if i, ok := g.Output.IsInput(); ok && len(g.Nodes) == 0 {
		return refs[i], nil
	}
	if g.Kind == "block" && len(g.Nodes) == 1 {
		only := *g.Nodes[0]
		only.Name, only.Vertex = n.Name, f.vertex(n)
		only.Inputs = make([]graph.Ref, len(g.Nodes[0].Inputs))
		for k, r := range g.Nodes[0].Inputs {
			i, _ := r.IsInput()
			only.Inputs[k] = refs[i]
		}
		return f.add(&only), nil
	}
	return f.add(&graph.Node{
		Name: n.Name, Op: n.Body.Name, Inputs: refs, Body: g, Shape: g.Shape(g.Output), Vertex: f.vertex(n),
	}), nil
}

func (f *frame) op(n *Node) (graph.Ref, error) {
	refs, err := f.args(n)
	if err != nil {
		return 0, err
	}
	out := &graph.Node{
		Name: n.Name, Op: n.Op.Name, Module: n.Op.Module, Inputs: refs, Fold: n.Op.Fold, Vertex: f.vertex(n),
	}
	if out.Shape, err = f.shape(n); err != nil {
		return 0, err
	}
	if n.Op.Fold && len(refs) == 0 {
		out.Absent = true // of nothing there is nothing to fold
	}
	if len(n.Attrs) > 0 {
		out.Attrs = make([]graph.Attr, len(n.Attrs))
	}
	for i, a := range n.Attrs {
		v, err := a.Value.Eval(f.taken)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", n.Name, a.Name, err)
		}
		out.Attrs[i] = graph.Attr{Name: a.Name, Value: v, Default: a.Default, Open: a.Value.Open()}
	}
	if out.Params, err = f.cost(n, "params", n.Params); err != nil {
		return 0, err
	}
	if out.MACs, err = f.cost(n, "macs", n.MACs); err != nil {
		return 0, err
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
		v, err := flag.s.Eval(f.taken)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", n.Name, err)
		}
		*flag.to = *flag.to || v == true
	}
	return f.add(out), nil
}

func (f *frame) cost(n *Node, what string, s *sym.Scalar) (int64, error) {
	if s == nil {
		return 0, nil
	}
	v, err := s.Eval(f.taken)
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
