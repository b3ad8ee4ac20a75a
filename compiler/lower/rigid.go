package lower

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// rigid is a body whose nodes are the same operations or calls, reading the same
// tensors, whatever is taken, but for what a block chooses. Bind goes through its
// steps instead of following the plan from its output.
type rigid struct {
	steps  []step
	calls  int // how many of them
	inputs *kept[[]graph.Input]
	extent extent // of the graphs of the body and of all that it calls
}

// step is one node of a rigid body.
type step struct {
	node *Node             // what the step is in the plan
	pick *Node             // the node, or for a block the output from which selections lead
	refs []graph.Ref       // what it reads
	made *kept[graph.Node] // of an operation, the finished nodes
}

// slabs are memory for graphs of rigid bodies.
type slabs struct {
	graphs []graph.Graph
	calls  []graph.Node
	nodes  []*graph.Node
}

// extent is how much of it graphs take.
type extent struct{ graphs, calls, nodes int }

// slabs returns the memory for a graph of r and those that it calls.
func (r *rigid) slabs() slabs {
	e := r.extent
	if e.graphs == 1 && e.nodes <= len(small{}.nodes) {
		s := new(small)
		return slabs{graphs: s.graph[:], nodes: s.nodes[:]}
	}
	return slabs{make([]graph.Graph, e.graphs), make([]graph.Node, e.calls), make([]*graph.Node, e.nodes)}
}

// rigid returns b as a rigid body, or nil when it is not one.
func (p *Plan) rigid(b *Body) *rigid {
	if b.sparse || b.Settler != nil || len(b.Nodes) == 0 || b.Output.Kind == Select || b.Output.Kind == Input {
		return nil
	}
	need := make([]bool, len(b.Inputs)+len(b.Nodes))
	need[b.Output.index] = true
	for _, n := range slices.Backward(b.Nodes) {
		if !need[n.index] {
			continue
		}
		for _, a := range n.Args {
			if a.Node.Kind == Select || a.Picked() {
				return nil
			}
			need[a.Node.index] = true
		}
	}
	place := make([]graph.Ref, len(need))
	for i := range b.Inputs {
		place[i] = graph.InputRef(i)
	}
	r := &rigid{}
	for _, n := range b.Nodes {
		if !need[n.index] {
			continue
		}
		s := step{node: n, pick: n}
		switch {
		case n.Kind == Op:
		case n.Body.Kind == "block" && chooses(n.Body.Output, n.Body.Settler):
			s.pick = n.Body.Output
		case n.Body.rigid == nil, n.Body.Kind == "block" && len(n.Body.rigid.steps) == 1:
			return nil
		}
		for _, a := range n.Args {
			s.refs = append(s.refs, place[a.Node.index])
		}
		place[n.index] = graph.Ref(len(r.steps))
		if s.calls() {
			r.calls++
		} else {
			on, known := s.pick.chosenBy(nil)
			s.made = keep[graph.Node](p, on, known)
		}
		r.steps = append(r.steps, s)
	}
	r.inputs = p.keepInputs(b)
	r.measure(&r.extent, map[*rigid]bool{})
	return r
}

// calls reports whether the step is a call.
func (s *step) calls() bool { return s.pick.Kind == Call }

// measure adds what the graph of r takes, and those of what it calls, once each.
func (r *rigid) measure(all *extent, done map[*rigid]bool) {
	if done[r] {
		return
	}
	done[r] = true
	all.graphs++
	all.nodes += len(r.steps)
	all.calls += r.calls
	for i := range r.steps {
		if s := &r.steps[i]; s.calls() {
			s.node.Body.rigid.measure(all, done)
		}
	}
}

// chooses reports whether all that n can be are operations on one input.
func chooses(n, settler *Node) bool {
	switch n.Kind {
	case Select:
		return !slices.ContainsFunc(n.Cases, func(c *Node) bool { return c == nil || !chooses(c, settler) })
	case Op:
		return settler == nil && len(n.Args) == 1 && !n.Args[0].Picked() && n.Args[0].Node.Kind == Input
	}
	return false
}

// chosenBy adds to on the decisions that tell which operation n is, and what
// dependsOn tells of that.
func (n *Node) chosenBy(on []*space.Decision) (all []*space.Decision, known bool) {
	if n.Kind == Op {
		return n.dependsOn(on)
	}
	on = with(on, n.On)
	for _, c := range n.Cases {
		if on, known = c.chosenBy(on); !known {
			return nil, false
		}
	}
	return on, true
}

// walk builds the graph of a rigid body, which is built once, in the first of memory
// that it takes.
func (b *binder) walk(body *Body, memory *slabs) (*graph.Graph, error) {
	if g := b.bodies[body.index]; g != nil {
		return g, nil
	}
	r := body.rigid
	g := &memory.graphs[0]
	nodes, calls := memory.nodes[:len(r.steps):len(r.steps)], memory.calls[:r.calls]
	memory.graphs, memory.nodes, memory.calls = memory.graphs[1:], memory.nodes[len(nodes):], memory.calls[r.calls:]
	var err error
	if g.Inputs, err = b.sharedInputs(body); err != nil {
		return nil, err
	}
	for i := range r.steps {
		s := &r.steps[i]
		if !s.calls() {
			if nodes[i], err = b.operation(s, len(r.steps)-i); err != nil {
				return nil, err
			}
			continue
		}
		inner, err := b.walk(s.node.Body, memory)
		if err != nil {
			return nil, err
		}
		n := &calls[0]
		calls = calls[1:]
		n.Name, n.Op, n.Inputs, n.Vertex = s.node.Name, s.node.Body.Name, s.refs, s.node.Vertex
		n.Body, n.Shape = inner, inner.Shape(inner.Output)
		nodes[i] = n
	}
	g.Name, g.Kind, g.Nodes, g.Output = body.Name, body.Kind, nodes, graph.Ref(len(nodes)-1)
	b.bodies[body.index] = g
	return g, nil
}

// keepInputs makes room for what the inputs of graphs of b can be.
func (p *Plan) keepInputs(b *Body) *kept[[]graph.Input] {
	var on []*space.Decision
	known := true
	for _, in := range b.Inputs {
		if on, known = in.dependsOn(on); !known {
			break
		}
	}
	return keep[[]graph.Input](p, on, known)
}

// sharedInputs are the inputs of the graph of a rigid body.
func (b *binder) sharedInputs(body *Body) ([]graph.Input, error) {
	at := slot(b, body.rigid.inputs)
	if at != nil {
		if known := at.Load(); known != nil {
			return *known, nil
		}
	}
	all, err := b.inputs(body, make([]graph.Input, 0, len(body.Inputs)))
	if err != nil {
		return nil, err
	}
	if at != nil {
		at.Store(&all)
	}
	return all, nil
}

// operation is the node of a step that is no call, when so many steps are left.
func (b *binder) operation(s *step, left int) (*graph.Node, error) {
	at := slot(b, s.made)
	if at != nil {
		if n := at.Load(); n != nil {
			return n, nil
		}
	}
	pick, refs := s.pick, s.refs
	if pick != s.node {
		var err error
		if pick, err = b.follow(pick); err != nil {
			return nil, err
		}
		i := pick.Args[0].Node.index
		refs = refs[i : i+1]
	}
	if at == nil {
		b.loose.binder, b.loose.nodes = b, left
		return b.loose.node(pick, refs, s.node.Name, s.node.Vertex)
	}
	n, err := b.evaluate(pick)
	if err != nil {
		return nil, err
	}
	put(n, pick, refs, s.node.Name, s.node.Vertex)
	n.Prepare()
	at.CompareAndSwap(nil, n)
	return n, nil
}
