package graph

import (
	"fmt"
	"slices"
)

// EditNested edits the graph of node r alone: the change is made to a copy, which
// other nodes that shared the graph do not get. Afterwards the graph must take what
// the node gives it and give what the node promises. (NASLib: update_edges with
// private_edge_data)
func (g *Graph) EditNested(r Ref, change func(*Graph) error) error {
	if err := g.isNested(r); err != nil {
		return err
	}
	return g.edit(func(h *Graph) error {
		c := h.Nodes[r].Body.Clone()
		h.Nodes[r].Body = c
		return change(c)
	})
}

// Open writes the graph nested in node r out in its place and returns where its
// output is. The names of its nodes are put behind that of r, with a dot. Later
// nodes move.
func (g *Graph) Open(r Ref) (Ref, error) {
	if err := g.isNested(r); err != nil {
		return 0, err
	}
	var out Ref
	err := g.edit(func(h *Graph) error {
		n := h.Nodes[r]
		place := func(t Ref) Ref {
			if i, ok := t.IsInput(); ok {
				return n.Inputs[i]
			}
			return r + t
		}
		inner := make([]*Node, len(n.Body.Nodes))
		for i, m := range n.Body.Nodes {
			c := *m
			c.Name = n.Name + "." + m.Name
			c.Inputs = make([]Ref, len(m.Inputs))
			for k, t := range m.Inputs {
				c.Inputs[k] = place(t)
			}
			inner[i] = &c
		}
		out = place(n.Body.Output)
		more := Ref(len(inner) - 1)
		h.renumber(func(t Ref) Ref {
			switch {
			case t == r:
				return out
			case t > r:
				return t + more
			}
			return t
		})
		h.Nodes = slices.Replace(h.Nodes, int(r), int(r)+1, inner...)
		return nil
	})
	return out, err
}

// Wrap puts nodes into a graph of their own, called name, which one node by the same
// name then holds, and returns where that is. What they read from outside become
// its inputs, in order; only one of them may be read from outside, and nothing
// outside may lie between them. Nodes move: first come those that read nothing of
// what is wrapped.
func (g *Graph) Wrap(name string, nodes ...Ref) (Ref, error) {
	inside := make([]bool, len(g.Nodes))
	for _, r := range nodes {
		if err := g.isNode(r); err != nil {
			return 0, err
		}
		inside[r] = true
	}
	w := wrapping{g: g, inside: inside, after: make([]bool, len(g.Nodes)), body: &Graph{Name: name, Kind: "block"}}
	if err := w.look(); err != nil {
		return 0, err
	}
	var at Ref
	err := g.edit(func(h *Graph) error { at = w.apply(h, name); return nil })
	return at, err
}

// wrapping is the work of Wrap.
type wrapping struct {
	g       *Graph
	inside  []bool
	after   []bool // outside, and reads what is wrapped
	body    *Graph
	reads   []Ref // what the inputs of body are outside
	output  Ref   // which node outside reads
	outputs int
}

// look finds the inputs and the output.
func (w *wrapping) look() error {
	leaves := func(r Ref) {
		if r >= 0 && w.inside[r] && (w.outputs == 0 || w.output != r) {
			w.output, w.outputs = r, w.outputs+1
		}
	}
	for i, n := range w.g.Nodes {
		for _, r := range n.Inputs {
			switch {
			case w.inside[i] && r >= 0 && w.after[r]:
				return fmt.Errorf("graph %s: %s lies between nodes that are to be wrapped", w.g.Name, w.g.Nodes[r].Name)
			case w.inside[i] && (r < 0 || !w.inside[r]):
				if !slices.Contains(w.reads, r) {
					w.reads = append(w.reads, r)
					w.body.Inputs = append(w.body.Inputs, Input{w.g.nameOf(r), w.g.Shape(r)})
				}
			case !w.inside[i] && r >= 0:
				w.after[i] = w.after[i] || w.inside[r] || w.after[r]
				leaves(r)
			}
		}
	}
	leaves(w.g.Output)
	if w.outputs != 1 {
		return fmt.Errorf("graph %s: of the nodes that are to be wrapped %d are read outside, not one", w.g.Name, w.outputs)
	}
	return nil
}

// nameOf is the name of a tensor.
func (g *Graph) nameOf(r Ref) string {
	if i, ok := r.IsInput(); ok {
		return g.Inputs[i].Name
	}
	return g.Nodes[r].Name
}

func (w *wrapping) apply(h *Graph, name string) Ref {
	place := make([]Ref, len(h.Nodes)) // outside, or inside the body
	var nodes []*Node
	for i, n := range h.Nodes {
		switch {
		case w.inside[i]:
			place[i] = Ref(len(w.body.Nodes))
			w.body.Nodes = append(w.body.Nodes, n)
		case !w.after[i]:
			place[i] = Ref(len(nodes))
			nodes = append(nodes, n)
		}
	}
	at := Ref(len(nodes))
	holder := &Node{Name: name, Op: name, Inputs: slices.Clone(w.reads), Body: w.body, Shape: h.Nodes[w.output].Shape}
	nodes = append(nodes, holder)
	for i, n := range h.Nodes {
		if w.after[i] {
			place[i] = Ref(len(nodes))
			nodes = append(nodes, n)
		}
	}
	for _, n := range w.body.Nodes {
		for k, r := range n.Inputs {
			if r >= 0 && w.inside[r] {
				n.Inputs[k] = place[r]
			} else {
				n.Inputs[k] = InputRef(slices.Index(w.reads, r))
			}
		}
	}
	w.body.Output = place[w.output]
	place[w.output] = at // for who reads it outside
	h.Nodes = nodes
	outside := func(r Ref) Ref {
		if r < 0 {
			return r
		}
		return place[r]
	}
	for _, n := range nodes {
		for k, r := range n.Inputs {
			n.Inputs[k] = outside(r)
		}
	}
	h.Output = outside(h.Output)
	return at
}

func (g *Graph) isNested(r Ref) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	if g.Nodes[r].Body == nil {
		return fmt.Errorf("graph %s: node %s holds no graph", g.Name, g.Nodes[r].Name)
	}
	return nil
}
