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
	b := binder{
		taken:  func(d *space.Decision) int64 { return g[d.ID] },
		bodies: map[*Body]*graph.Graph{},
	}
	return b.body(p.Body)
}

// binder holds what is shared while one genotype is bound.
type binder struct {
	taken  sym.Taken
	bodies map[*Body]*graph.Graph
}

// frame is the graph being built for one body.
type frame struct {
	*binder
	out  *graph.Graph
	refs map[*Node]graph.Ref
}

func (b *binder) body(body *Body) (*graph.Graph, error) {
	if g, ok := b.bodies[body]; ok {
		return g, nil
	}
	f := frame{
		binder: b,
		out:    &graph.Graph{Name: body.Name, Kind: body.Kind},
		refs:   make(map[*Node]graph.Ref, 16),
	}
	for i, in := range body.Inputs {
		shape, err := b.shape(in)
		if err != nil {
			return nil, err
		}
		f.out.Inputs = append(f.out.Inputs, graph.Input{Name: in.Name, Shape: shape})
		f.refs[in] = graph.InputRef(i)
	}
	out, err := f.ref(body.Output, "")
	if err != nil {
		return nil, err
	}
	f.out.Output = out
	b.bodies[body] = f.out
	return f.out, nil
}

// ref returns where the tensor of n is, building it first if need be. A
// selection hands its name and vertex on to the case that is taken.
func (f *frame) ref(n *Node, vertex string) (graph.Ref, error) {
	if r, ok := f.refs[n]; ok {
		f.markVertex(r, vertex)
		return r, nil
	}
	if vertex == "" {
		vertex = n.Vertex
	}
	var r graph.Ref
	var err error
	switch n.Kind {
	case Select:
		i := f.taken(n.On)
		if i < 0 || int(i) >= len(n.Cases) || n.Cases[i] == nil {
			return 0, fmt.Errorf("%s: decision %s is not taken here", n.Name, n.On.Address)
		}
		r, err = f.ref(n.Cases[i], vertex)
	case Call:
		r, err = f.call(n, vertex)
	case Op:
		r, err = f.op(n, vertex)
	default:
		return 0, fmt.Errorf("%s: a tensor of another body", n.Name)
	}
	if err != nil {
		return 0, err
	}
	f.refs[n] = r
	return r, nil
}

func (f *frame) markVertex(r graph.Ref, vertex string) {
	if vertex == "" || r < 0 || f.out.Nodes[r].Vertex != "" {
		return
	}
	f.out.Nodes[r].Vertex = vertex
}

// add appends a node and returns its Ref.
func (f *frame) add(n *graph.Node) graph.Ref {
	f.out.Nodes = append(f.out.Nodes, n)
	return graph.Ref(len(f.out.Nodes) - 1)
}

// args returns the operands that are present.
func (f *frame) args(n *Node) ([]graph.Ref, error) {
	refs := make([]graph.Ref, 0, len(n.Args))
next:
	for _, a := range n.Args {
		for _, w := range a.When {
			if f.taken(w.On)>>uint(w.Index)&1 == 0 {
				continue next
			}
		}
		r, err := f.ref(a.Node, "")
		if err != nil {
			return nil, err
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// call puts a nested graph in place. A body of one operation is that operation:
// a block that only chooses an op leaves no box around it.
func (f *frame) call(n *Node, vertex string) (graph.Ref, error) {
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
	if g.Kind == "block" && len(g.Nodes) == 1 && g.Nodes[0].Body == nil {
		only := *g.Nodes[0]
		only.Name, only.Vertex = n.Name, vertex
		only.Inputs = make([]graph.Ref, len(g.Nodes[0].Inputs))
		for k, r := range g.Nodes[0].Inputs {
			i, _ := r.IsInput()
			only.Inputs[k] = refs[i]
		}
		return f.add(&only), nil
	}
	return f.add(&graph.Node{
		Name: n.Name, Op: n.Body.Name, Inputs: refs, Body: g, Shape: g.Shape(g.Output), Vertex: vertex,
	}), nil
}

func (f *frame) op(n *Node, vertex string) (graph.Ref, error) {
	refs, err := f.args(n)
	if err != nil {
		return 0, err
	}
	out := &graph.Node{
		Name: n.Name, Op: n.Op.Name, Module: n.Op.Module, Inputs: refs, Vertex: vertex,
	}
	if out.Shape, err = f.shape(n); err != nil {
		return 0, err
	}
	if len(n.Attrs) > 0 {
		out.Attrs = make([]graph.Attr, len(n.Attrs))
	}
	for i, a := range n.Attrs {
		v, err := a.Value.Eval(f.taken)
		if err != nil {
			return 0, fmt.Errorf("%s.%s: %w", n.Name, a.Name, err)
		}
		out.Attrs[i] = graph.Attr{Name: a.Name, Value: v, Default: a.Default}
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
	}{{n.Flags.Absent, &out.Absent}, {n.Flags.Identity, &out.Identity}, {n.Flags.Commutative, &out.Commutative}} {
		if flag.s == nil {
			continue
		}
		v, err := flag.s.Eval(f.taken)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", n.Name, err)
		}
		*flag.to = v == true
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
	for i, s := range n.Shape {
		v, err := s.Eval(b.taken)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		d, ok := v.(int64)
		if !ok || d < 1 || d > MaxDim {
			return nil, fmt.Errorf("%s: dimension %d of its shape is %v", n.Name, i, v)
		}
		shape[i] = int(d)
	}
	return shape, nil
}

// MaxDim is the largest extent of a tensor's dimension.
const MaxDim = 1 << 30
