package lower

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
)

// step is one node of a rigid body: a body whose nodes are the same operations or
// calls, reading the same tensors, whatever is taken, but for what a block
// chooses. Bind goes through the steps instead of following the plan from its
// output.
type step struct {
	node *Node       // what the step is in the plan
	pick *Node       // the node, or for a block the output from which selections lead
	refs []graph.Ref // what it reads
}

// rigid returns the steps of a body, or nil when it is not rigid.
func (p *Plan) rigid(b *Body) []step {
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
	var steps []step
	for _, n := range b.Nodes {
		if !need[n.index] {
			continue
		}
		s := step{node: n, pick: n}
		switch {
		case n.Kind == Op:
		case n.Body.Kind == "block" && chooses(n.Body.Output, n.Body.Settler):
			s.pick = n.Body.Output
		case n.Body.steps == nil, n.Body.Kind == "block" && len(n.Body.steps) == 1:
			return nil
		}
		for _, a := range n.Args {
			s.refs = append(s.refs, place[a.Node.index])
		}
		place[n.index] = graph.Ref(len(steps))
		steps = append(steps, s)
	}
	return steps
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

// walk builds the graph of a rigid body.
func (f *frame) walk(steps []step) error {
	for i := range steps {
		s := &steps[i]
		n := s.node
		if n.Kind == Call && s.pick == n {
			g, err := f.body(n.Body)
			if err != nil {
				return err
			}
			f.addCall(n, s.refs, g, n.Name, n.Vertex)
			continue
		}
		pick, refs := s.pick, s.refs
		if pick != n {
			var err error
			if pick, err = f.follow(pick); err != nil {
				return err
			}
			i := pick.Args[0].Node.index
			refs = refs[i : i+1]
		}
		out, err := f.node(pick, refs, n.Name, n.Vertex)
		if err != nil {
			return err
		}
		f.add(out)
	}
	return nil
}
