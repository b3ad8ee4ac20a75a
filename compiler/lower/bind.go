package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// Bind builds the architecture of one genotype. It fails when the genotype is
// not of the plan's space, or when a shape or attribute has no meaning there.
//
// The graph may be edited with its methods. Its nodes are only to be read: graphs
// of one plan share those that are the same in both. A Clone shares nothing.
func (p *Plan) Bind(g space.Genotype) (*graph.Graph, error) {
	if err := p.Space.Check(g); err != nil {
		return nil, err
	}
	b := p.binder(g)
	defer b.done()
	return b.body(p.Body)
}

// binder holds what is shared while one genotype is bound.
type binder struct {
	plan   *Plan
	values []int64 // what is taken of each decision, then the unknowns
	taken  sym.Taken
	bodies []*graph.Graph // by index; nil until built

	room  []int64 // for values, when there are unknowns
	flags []bool  // for frames
	refs  []graph.Ref

	operands []graph.Ref // of the node that is being built
	frames   []*frame    // used again
	depth    int         // how many of them are in use
}

// binder returns a binder of the plan, used ones first.
func (p *Plan) binder(g space.Genotype) *binder {
	b, ok := p.idle.Get().(*binder)
	if !ok {
		b = &binder{plan: p, bodies: make([]*graph.Graph, p.bodies)}
		b.taken = b.value
	}
	b.values = g
	if p.unknowns > 0 {
		b.values = append(b.room[:0], g...)
		for range p.unknowns {
			b.values = append(b.values, 0)
		}
		b.room = b.values
	}
	return b
}

// value is what is taken of a decision.
func (b *binder) value(d *space.Decision) int64 {
	if len(b.plan.answers) > 0 {
		if all, ok := b.plan.answers[d]; ok {
			return answered(all, b.values)
		}
	}
	return b.values[d.ID]
}

// done gives the binder back. What it built stays.
func (b *binder) done() {
	b.values = nil
	clear(b.bodies)
	for _, f := range b.frames {
		*f = frame{}
	}
	b.depth = 0
	b.flags, b.refs = b.flags[:0], b.refs[:0]
	b.plan.idle.Put(b)
}

// frame is the graph being built for one body.
type frame struct {
	*binder
	out      *graph.Graph
	live     []bool           // what the output needs, by index
	refs     []graph.Ref      // where it is, by index
	vertices map[*Node]string // vertex names that selections hand on
	dead     []bool           // absent, by index; nil unless something is settled

	nodes int // how many tensors are needed that are no inputs

	// Memory for nodes that are not shared, and for what they read.
	nodeSlab  []graph.Node
	inputSlab []graph.Ref
}

// nowhere is the place of a tensor that has not been built.
const nowhere = graph.Ref(-1 << 31)

// zeros takes n zeros from the memory of the frames.
func zeros[T any](from *[]T, n int) []T {
	all := append(*from, make([]T, n)...)
	*from = all
	return all[len(all)-n:]
}

func (b *binder) body(body *Body) (*graph.Graph, error) {
	if g := b.bodies[body.index]; g != nil {
		return g, nil
	}
	if b.depth == len(b.frames) {
		b.frames = append(b.frames, new(frame))
	}
	f := b.frames[b.depth]
	*f = frame{binder: b}
	b.depth++
	var err error
	if body.steps != nil {
		if err = f.begin(body, len(body.steps)); err == nil {
			err = f.walk(body.steps)
			f.out.Output = graph.Ref(len(f.out.Nodes) - 1)
		}
	} else {
		err = f.trace(body)
	}
	if err != nil {
		return nil, err
	}
	b.depth--
	b.bodies[body.index] = f.out
	return f.out, nil
}

// small is the memory of a small graph in one piece.
type small struct {
	graph  graph.Graph
	inputs [2]graph.Input
	nodes  [12]*graph.Node
}

// begin makes the graph of a body, for so many nodes at most.
func (f *frame) begin(body *Body, nodes int) error {
	if nodes <= len(small{}.nodes) && len(body.Inputs) <= len(small{}.inputs) {
		s := &small{}
		f.out = &s.graph
		f.out.Inputs, f.out.Nodes = s.inputs[:0:len(body.Inputs)], s.nodes[:0:nodes]
	} else {
		f.out = &graph.Graph{Inputs: make([]graph.Input, 0, len(body.Inputs)), Nodes: make([]*graph.Node, 0, nodes)}
	}
	f.nodes = nodes
	f.out.Name, f.out.Kind = body.Name, body.Kind
	for _, in := range body.Inputs {
		if !f.there(in.When) {
			continue
		}
		shape, err := f.inputShape(in)
		if err != nil {
			return err
		}
		f.out.Inputs = append(f.out.Inputs, graph.Input{Name: in.Name, Shape: shape})
	}
	return nil
}

// trace builds the graph of a body from its output.
func (f *frame) trace(body *Body) error {
	n := len(body.Inputs) + len(body.Nodes)
	f.live, f.refs = zeros(&f.flags, n), zeros(&f.binder.refs, n)
	for i := range f.refs {
		f.refs[i] = nowhere
	}
	given := 0
	for _, in := range body.Inputs {
		if f.there(in.When) {
			f.refs[in.index] = graph.InputRef(given)
			given++
		}
	}
	if err := f.need(body.Output); err != nil {
		return err
	}
	if s := body.Settler; s != nil && f.live[s.index] {
		if err := f.settle(body); err != nil {
			return err
		}
	}
	if err := f.begin(body, f.nodes); err != nil {
		return err
	}
	for _, n := range body.Nodes {
		if !f.live[n.index] {
			continue
		}
		refs, err := f.args(n)
		if err != nil {
			return err
		}
		if f.refs[n.index], err = f.build(n, refs, n.Name, f.vertex(n)); err != nil {
			return err
		}
	}
	out, err := f.follow(body.Output)
	if err != nil {
		return err
	}
	f.out.Output = f.refs[out.index]
	return nil
}

// follow follows selections to the node that the genotype takes.
func (b *binder) follow(n *Node) (*Node, error) {
	for n.Kind == Select {
		i := b.value(n.On)
		if n.On.Kind == space.Subset && i >= 0 {
			i = i >> uint(n.Item) & 1
		}
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
	f.nodes++
	for _, a := range n.Args {
		if !f.present(a) {
			continue
		}
		if f.dead != nil {
			t, err := f.follow(a.Node)
			if err != nil {
				return err
			}
			if f.leftOut(n, t) {
				continue
			}
		}
		if err := f.need(a.Node); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) present(a Arg) bool {
	for _, w := range a.When {
		if v := b.value(w.On); v < 0 || v>>uint(w.Index)&1 == 0 {
			return false
		}
	}
	return b.there(a.If)
}

func (b *binder) there(when *sym.Scalar) bool {
	if when == nil {
		return true
	}
	v, err := when.Eval(b.taken)
	return err == nil && v == true
}

func (f *frame) vertex(n *Node) string {
	if n.Vertex != "" || f.vertices == nil {
		return n.Vertex
	}
	return f.vertices[n]
}

// args returns the operands that are present, until it is called again.
func (f *frame) args(n *Node) ([]graph.Ref, error) {
	refs := f.operands[:0]
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
	f.operands = refs
	return refs, nil
}

// build puts n in place, reading refs, and returns where. It may write to refs. A call of a body that
// hands its input on is that input, and a block of one node is that node: a block
// that only chooses an op or a cell leaves no box around it.
func (f *frame) build(n *Node, refs []graph.Ref, name, vertex string) (graph.Ref, error) {
	if n.Kind != Call {
		out, err := f.node(n, refs, name, vertex)
		if err != nil {
			return 0, err
		}
		return f.add(out), nil
	}
	if only, err := f.only(n.Body); err != nil {
		return 0, err
	} else if only != nil && only.Kind == Input {
		return refs[only.index], nil
	} else if only != nil {
		return f.build(only, f.through(only, refs), name, vertex)
	}
	inputs := f.newInputs(refs)
	g, err := f.body(n.Body)
	if err != nil {
		return 0, err
	}
	if i, ok := g.Output.IsInput(); ok && len(g.Nodes) == 0 {
		return inputs[i], nil
	}
	if g.Kind == "block" && len(g.Nodes) == 1 {
		out := f.newNode()
		*out = *g.Nodes[0]
		inner := make([]graph.Ref, len(out.Inputs))
		for k, r := range out.Inputs {
			i, _ := r.IsInput()
			inner[k] = inputs[i]
		}
		out.Name, out.Vertex, out.Inputs = name, vertex, inner
		return f.add(out), nil
	}
	return f.addCall(n, inputs, g, name, vertex), nil
}

// addCall appends a nested graph, which reads inputs.
func (f *frame) addCall(n *Node, inputs []graph.Ref, g *graph.Graph, name, vertex string) graph.Ref {
	out := f.newNode()
	out.Name, out.Op, out.Inputs, out.Body, out.Vertex = name, n.Body.Name, inputs, g, vertex
	out.Shape = g.Shape(g.Output)
	return f.add(out)
}

// add appends a node and returns its Ref.
func (f *frame) add(n *graph.Node) graph.Ref {
	f.out.Nodes = append(f.out.Nodes, n)
	return graph.Ref(len(f.out.Nodes) - 1)
}

// Nodes and operands of their own are taken from blocks of so many at most.
const (
	nodeBlock  = 16
	inputBlock = 64
)

// newNode makes a node of the graph's own.
func (f *frame) newNode() *graph.Node {
	if len(f.nodeSlab) == 0 {
		f.nodeSlab = make([]graph.Node, min(f.nodes-len(f.out.Nodes), nodeBlock))
	}
	n := &f.nodeSlab[0]
	f.nodeSlab = f.nodeSlab[1:]
	return n
}

// newInputs copies what a node reads.
func (f *frame) newInputs(refs []graph.Ref) []graph.Ref {
	if len(f.inputSlab) < len(refs) {
		f.inputSlab = make([]graph.Ref, max(len(refs), min(2*(f.nodes-len(f.out.Nodes)), inputBlock)))
	}
	out := f.inputSlab[:len(refs):len(refs)]
	copy(out, refs)
	f.inputSlab = f.inputSlab[len(refs):]
	return out
}

// only is the one tensor that a body comes down to: an input, or for a block an
// operation or call on inputs. It is nil when there is more to the body.
func (b *binder) only(body *Body) (*Node, error) {
	out, err := b.follow(body.Output)
	switch {
	case err != nil:
		return nil, err
	case body.Settler != nil || body.sparse:
		return nil, nil
	case out.Kind == Input:
		return out, nil
	case body.Kind != "block":
		return nil, nil
	}
	for _, a := range out.Args {
		if !b.present(a) {
			continue
		}
		t, err := b.follow(a.Node)
		if err != nil {
			return nil, err
		}
		if t.Kind != Input {
			return nil, nil
		}
	}
	return out, nil
}

// through gives what n reads, inputs of a body that is called with refs. It may
// write to refs.
func (b *binder) through(n *Node, refs []graph.Ref) []graph.Ref {
	inner := refs[:0]
	if len(n.Args) > 1 {
		inner = make([]graph.Ref, 0, len(n.Args))
	}
	for _, a := range n.Args {
		if b.present(a) {
			t, _ := b.follow(a.Node)
			inner = append(inner, refs[t.index])
		}
	}
	return inner
}
