package graph

import (
	"fmt"
	"iter"
	"slices"
)

// Every edit either leaves a valid graph or changes nothing and returns why.
// An edit of a nested graph is an edit of all nodes that share it; to edit one
// of them alone, give it a Clone first.

// Clone returns a deep copy. Nodes that share a body share its copy.
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

// AddNode appends a node and returns the Ref of its output, which nothing reads
// yet.
func (g *Graph) AddNode(n *Node) (Ref, error) {
	r := Ref(len(g.Nodes))
	return r, g.edit(func(h *Graph) { h.Nodes = append(h.Nodes, n) })
}

// RemoveNode takes node r out. Nothing may read it.
func (g *Graph) RemoveNode(r Ref) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	for _, n := range g.Nodes {
		if slices.Contains(n.Inputs, r) {
			return fmt.Errorf("graph %s: node %s is read by %s", g.Name, g.Nodes[r].Name, n.Name)
		}
	}
	if g.Output == r {
		return fmt.Errorf("graph %s: node %s is the output", g.Name, g.Nodes[r].Name)
	}
	return g.edit(func(h *Graph) {
		h.Nodes = slices.Delete(h.Nodes, int(r), int(r)+1)
		for i, n := range h.Nodes[r:] {
			m := *n
			m.Inputs = slices.Clone(n.Inputs)
			for k, in := range m.Inputs {
				if in > r {
					m.Inputs[k]--
				}
			}
			h.Nodes[int(r)+i] = &m
		}
		if h.Output > r {
			h.Output--
		}
	})
}

// Replace puts n in the place of node r, whose readers then read n.
func (g *Graph) Replace(r Ref, n *Node) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	return g.edit(func(h *Graph) { h.Nodes[r] = n })
}

func (g *Graph) isNode(r Ref) error {
	if r < 0 || int(r) >= len(g.Nodes) {
		return fmt.Errorf("graph %s has no node %d", g.Name, r)
	}
	return nil
}

// edit applies a change of the node list and output, or undoes it when the
// graph is then invalid. The change must not write to nodes.
func (g *Graph) edit(change func(*Graph)) error {
	h := *g
	h.Nodes = slices.Clone(g.Nodes)
	change(&h)
	if err := h.Validate(); err != nil {
		return err
	}
	*g = h
	return nil
}

// UpdateWhere calls update for every node that where accepts in the graphs
// called scope ("normal"), or in all for the scope "", and returns how many
// that were; a shared graph counts once. It changes nothing when update fails
// or leaves an invalid graph.
func (g *Graph) UpdateWhere(scope string, where func(*Node) bool, update func(*Node) error) (int, error) {
	c := g.Clone()
	n := 0
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
			if (scope == "" || scope == h.Name) && where(node) {
				if err := update(node); err != nil {
					return fmt.Errorf("graph %s: node %s: %w", h.Name, node.Name, err)
				}
				n++
			}
		}
		return nil
	}
	if err := visit(c); err != nil {
		return 0, err
	}
	if err := c.Validate(); err != nil {
		return 0, err
	}
	*g = *c
	return n, nil
}
