package graph

import (
	"fmt"
	"iter"
	"slices"
)

// Editing. Every edit either leaves a valid graph or changes nothing and returns
// why.
//
// The unit is the node, an operation that reads tensors. Where NASLib keeps
// operations on the edges between numbered nodes, an edge with an operation is here
// a node between two others, and an edge without one is an operand. Nodes stay in
// topological order, so a node reads earlier ones only. A Ref is a place in that
// order: methods that move nodes say so and return where the new one is. Nodes
// themselves are never written to, since graphs may share them: an edit puts
// changed copies in their places.
//
// Shapes and costs are not computed here. They follow from the signatures of ops,
// which a graph does not hold, so a node that is put in brings its own, and an edit
// that would give a reader an operand of another shape is refused.
//
// An edit of a nested graph is an edit of all nodes that share it; EditNested edits
// the graph of one of them.

// Clone returns a deep copy, which shares nothing with g. Nodes that share a body
// share its copy. (NASLib: Graph.clone, copy)
func (g *Graph) Clone() *Graph { return clone(g, map[*Graph]*Graph{}) }

func clone(g *Graph, done map[*Graph]*Graph) *Graph {
	if c, ok := done[g]; ok {
		return c
	}
	c := &Graph{Name: g.Name, Kind: g.Kind, Inputs: slices.Clone(g.Inputs), Output: g.Output}
	done[g] = c
	c.Nodes = make([]*Node, len(g.Nodes))
	for i, n := range g.Nodes {
		m := *n
		m.Inputs = slices.Clone(n.Inputs)
		m.Attrs = slices.Clone(n.Attrs)
		m.Shape = slices.Clone(n.Shape)
		m.known = nil
		if n.Body != nil {
			m.Body = clone(n.Body, done)
		}
		c.Nodes[i] = &m
	}
	return c
}

// Walk yields every node instance with its path, a nested graph's node before
// what is inside it. A shared body is walked once per node that holds it.
// (NASLib: get_all_edge_data, modules)
func (g *Graph) Walk() iter.Seq2[string, *Node] {
	return func(yield func(string, *Node) bool) { walk(g, "", yield) }
}

func walk(g *Graph, prefix string, yield func(string, *Node) bool) bool {
	for _, n := range g.Nodes {
		path := prefix + n.Name
		if !yield(path, n) {
			return false
		}
		if n.Body != nil && !walk(n.Body, path+".", yield) {
			return false
		}
	}
	return true
}

// Find returns the Ref of the node called name.
func (g *Graph) Find(name string) (Ref, bool) {
	i := slices.IndexFunc(g.Nodes, func(n *Node) bool { return n.Name == name })
	return Ref(i), i >= 0
}

// AddNode appends a node and returns the Ref of its output, which nothing reads
// yet. (NASLib: add_node)
func (g *Graph) AddNode(n *Node) (Ref, error) {
	r := Ref(len(g.Nodes))
	return r, g.edit(func(h *Graph) error { h.Nodes = append(h.Nodes, n); return nil })
}

// RemoveNode takes node r out, and later nodes move down. Nothing may read it.
// (NASLib: remove_node)
func (g *Graph) RemoveNode(r Ref) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	if g.Output == r {
		return fmt.Errorf("graph %s: node %s is the output", g.Name, g.Nodes[r].Name)
	}
	if by := g.reader(r); by != nil {
		return fmt.Errorf("graph %s: node %s is read by %s", g.Name, g.Nodes[r].Name, by.Name)
	}
	return g.edit(func(h *Graph) error {
		h.Nodes = slices.Delete(h.Nodes, int(r), int(r)+1)
		h.renumber(func(t Ref) Ref {
			if t > r {
				t--
			}
			return t
		})
		return nil
	})
}

// Replace puts n in the place of node r, whose readers then read n. It must have
// the shape of the old node where that is read. (NASLib: EdgeData.set("op", …))
func (g *Graph) Replace(r Ref, n *Node) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	if by := g.reader(r); by != nil && n != nil && !n.Shape.Equal(g.Nodes[r].Shape) {
		return fmt.Errorf("graph %s: %s reads %v from node %s, not %v", g.Name, by.Name, g.Nodes[r].Shape, g.Nodes[r].Name, n.Shape)
	}
	return g.edit(func(h *Graph) error { h.Nodes[r] = n; return nil })
}

// SetOutput makes r the result of the graph. What it needs no longer stays, until
// Live leaves it out.
func (g *Graph) SetOutput(r Ref) error {
	return g.edit(func(h *Graph) error { h.Output = r; return nil })
}

// AddInput appends an entry and returns its Ref. The nodes that hold g, if it is
// nested, must then read one tensor more: see EditNested.
// (NASLib: num_input_nodes, set_input)
func (g *Graph) AddInput(in Input) (Ref, error) {
	r := InputRef(len(g.Inputs))
	return r, g.edit(func(h *Graph) error { h.Inputs = append(h.Inputs, in); return nil })
}

// RemoveInput takes entry i out, and later entries move down. Nothing may read it.
func (g *Graph) RemoveInput(i int) error {
	if i < 0 || i >= len(g.Inputs) {
		return fmt.Errorf("graph %s has no input %d", g.Name, i)
	}
	r := InputRef(i)
	if by := g.reader(r); by != nil {
		return fmt.Errorf("graph %s: input %s is read by %s", g.Name, g.Inputs[i].Name, by.Name)
	}
	if g.Output == r {
		return fmt.Errorf("graph %s: input %s is the output", g.Name, g.Inputs[i].Name)
	}
	return g.edit(func(h *Graph) error {
		h.Inputs = slices.Delete(h.Inputs, i, i+1)
		h.renumber(func(t Ref) Ref {
			if t < r {
				t++
			}
			return t
		})
		return nil
	})
}

// UpdateWhere calls update for every node that where accepts in the graphs
// called scope ("normal"), or in all for the scope "", and returns how many
// that were; a shared graph counts once. The node is a copy that update may
// change. It changes nothing when update fails or leaves an invalid graph.
// (NASLib: update_nodes, and update_edges for the operations on edges)
func (g *Graph) UpdateWhere(scope string, where func(*Node) bool, update func(*Node) error) (int, error) {
	n := 0
	err := g.everywhere(scope, func(h *Graph) error {
		for _, node := range h.Nodes {
			if !where(node) {
				continue
			}
			if err := update(node); err != nil {
				return fmt.Errorf("graph %s: node %s: %w", h.Name, node.Name, err)
			}
			n++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// everywhere changes a copy of every graph called scope, inner ones first.
func (g *Graph) everywhere(scope string, change func(*Graph) error) error {
	c := g.Clone()
	done := map[*Graph]bool{}
	var visit func(h *Graph) error
	visit = func(h *Graph) error {
		if done[h] {
			return nil
		}
		done[h] = true
		for _, node := range h.Nodes {
			if node.Body != nil {
				if err := visit(node.Body); err != nil {
					return err
				}
			}
		}
		if scope != "" && scope != h.Name {
			return nil
		}
		return change(h)
	}
	if err := visit(c); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	*g = *c
	return nil
}

// edit applies a change to g, or leaves it alone when the change fails or the
// graph is then invalid. The change may write to the nodes that it is given, which
// are copies, but not into their attributes and shapes.
func (g *Graph) edit(change func(*Graph) error) error {
	h := *g
	h.Inputs = slices.Clone(g.Inputs)
	h.Nodes = make([]*Node, len(g.Nodes))
	for i, n := range g.Nodes {
		if n == nil {
			return fmt.Errorf("graph %s: node %d is missing", g.Name, i)
		}
		m := *n
		m.Inputs = slices.Clone(n.Inputs)
		h.Nodes[i] = &m
	}
	if err := change(&h); err != nil {
		return err
	}
	if err := h.Validate(); err != nil {
		return err
	}
	*g = h
	return nil
}

// renumber moves all references of h, whose nodes are its own.
func (g *Graph) renumber(move func(Ref) Ref) {
	for _, n := range g.Nodes {
		for k, r := range n.Inputs {
			n.Inputs[k] = move(r)
		}
	}
	g.Output = move(g.Output)
}

// insert puts n before node at, whose nodes are its own; n reads by the numbers
// from before, which for nodes before at are the numbers from after as well.
func (g *Graph) insert(at Ref, n *Node) {
	g.renumber(func(t Ref) Ref {
		if t >= at {
			t++
		}
		return t
	})
	g.Nodes = slices.Insert(g.Nodes, int(at), n)
}

// reader is a node that reads r, or nil.
func (g *Graph) reader(r Ref) *Node {
	for _, n := range g.Nodes {
		if slices.Contains(n.Inputs, r) {
			return n
		}
	}
	return nil
}

func (g *Graph) isNode(r Ref) error {
	if r < 0 || int(r) >= len(g.Nodes) {
		return fmt.Errorf("graph %s has no node %d", g.Name, r)
	}
	return nil
}
