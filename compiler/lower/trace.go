package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
)

// frame is the graph being built for one body.
type frame struct {
	*binder
	out      *graph.Graph
	live     []bool           // what the output needs, by index
	refs     []graph.Ref      // where it is, by index
	vertices map[*Node]string // vertex names that selections hand on
	dead     []bool           // absent, by index; nil unless something is settled

	nodes int // how many tensors are needed that are no inputs and not built

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

// small is the memory of a small graph in one piece.
type small struct {
	graph  [1]graph.Graph
	inputs [2]graph.Input
	nodes  [12]*graph.Node
}

// begin makes the graph of a body, for the nodes that are needed.
func (f *frame) begin(body *Body) error {
	if f.nodes <= len(small{}.nodes) && len(body.Inputs) <= len(small{}.inputs) {
		s := &small{}
		f.out = &s.graph[0]
		f.out.Inputs, f.out.Nodes = s.inputs[:0:len(body.Inputs)], s.nodes[:0:f.nodes]
	} else {
		f.out = &graph.Graph{Inputs: make([]graph.Input, 0, len(body.Inputs)), Nodes: make([]*graph.Node, 0, f.nodes)}
	}
	f.out.Name, f.out.Kind = body.Name, body.Kind
	var err error
	f.out.Inputs, err = f.inputs(body, f.out.Inputs)
	return err
}

// trace builds the graph of a body from its output.
func (f *frame) trace(body *Body) error {
	if err := f.prepare(body); err != nil {
		return err
	}
	if err := f.begin(body); err != nil {
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

// prepare finds what the output of a body needs, and settles what is left open.
func (f *frame) prepare(body *Body) error {
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
		return f.settle(body)
	}
	return nil
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
	f.nodes--
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
		f.nodeSlab = make([]graph.Node, min(f.nodes, nodeBlock))
	}
	n := &f.nodeSlab[0]
	f.nodeSlab = f.nodeSlab[1:]
	return n
}

// newInputs copies what a node reads.
func (f *frame) newInputs(refs []graph.Ref) []graph.Ref {
	if len(f.inputSlab) < len(refs) {
		f.inputSlab = make([]graph.Ref, max(len(refs), min(2*f.nodes, inputBlock)))
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
