package graph

import (
	"fmt"
	"slices"
)

// Edge is one operand: node To reads tensor From as its operand At.
type Edge struct {
	Graph    *Graph
	From, To Ref
	At       int
}

// Connect adds from to the operands of node to, as the last, and returns the edge.
// The node must be a fold that has the shape of its operands whatever their number,
// as a sum: commutative, and of their shape. (NASLib: add_edge)
func (g *Graph) Connect(from, to Ref) (Edge, error) {
	if err := g.isFold(to); err != nil {
		return Edge{}, err
	}
	n := g.Nodes[to]
	if !g.has(from, int(to)) {
		return Edge{}, fmt.Errorf("graph %s: node %s can read inputs and earlier nodes, not %d", g.Name, n.Name, from)
	}
	if s := g.Shape(from); !s.Equal(n.Shape) {
		return Edge{}, fmt.Errorf("graph %s: node %s folds tensors of shape %v, not %v", g.Name, n.Name, n.Shape, s)
	}
	e := Edge{g, from, to, len(n.Inputs)}
	return e, g.edit(func(h *Graph) error {
		h.Nodes[to].read(from)
		return nil
	})
}

// read adds an operand to a fold, which is absent only for the lack of any.
func (n *Node) read(r Ref) {
	n.Absent = n.Absent && len(n.Inputs) > 0
	n.Inputs = append(n.Inputs, r)
}

// Disconnect takes operand at from node to, a fold as for Connect. A fold that has
// lost all operands is absent. (NASLib: remove_edge, EdgeData.delete)
func (g *Graph) Disconnect(to Ref, at int) error {
	if err := g.isFold(to); err != nil {
		return err
	}
	if err := g.isOperand(to, at); err != nil {
		return err
	}
	return g.edit(func(h *Graph) error {
		n := h.Nodes[to]
		n.Inputs = slices.Delete(n.Inputs, at, at+1)
		n.Absent = n.Absent || len(n.Inputs) == 0
		return nil
	})
}

// Redirect lets node to read from as its operand at, a tensor of the same shape as
// the one that it reads now.
func (g *Graph) Redirect(to Ref, at int, from Ref) error {
	if err := g.isOperand(to, at); err != nil {
		return err
	}
	n := g.Nodes[to]
	if !g.has(from, int(to)) {
		return fmt.Errorf("graph %s: node %s can read inputs and earlier nodes, not %d", g.Name, n.Name, from)
	}
	if old, s := g.Shape(n.Inputs[at]), g.Shape(from); !s.Equal(old) {
		return fmt.Errorf("graph %s: node %s reads %v, not %v", g.Name, n.Name, old, s)
	}
	return g.edit(func(h *Graph) error { h.Nodes[to].Inputs[at] = from; return nil })
}

// Insert puts an operation on an edge: n reads what node to reads as its operand
// at, and to reads n. The inputs of n are set, and it must keep the shape. Node to
// and later ones move up; n has the place that to had, which is returned.
// (NASLib: edges[a, b].set("op", …))
func (g *Graph) Insert(to Ref, at int, n *Node) (Ref, error) {
	if err := g.isOperand(to, at); err != nil {
		return 0, err
	}
	return to, g.edit(func(h *Graph) error { return h.insertOn(to, at, n) })
}

// insertOn is Insert in a graph whose nodes are its own.
func (g *Graph) insertOn(to Ref, at int, n *Node) error {
	from := g.Nodes[to].Inputs[at]
	if s := g.Shape(from); !s.Equal(n.Shape) {
		return fmt.Errorf("graph %s: node %s gives %v in the place of %v", g.Name, n.Name, n.Shape, s)
	}
	c := *n
	c.Inputs = []Ref{from}
	g.insert(to, &c)
	g.Nodes[to+1].Inputs[at] = to
	return nil
}

// edgesOf lists the operands of all nodes, in order.
func (g *Graph) edgesOf() []Edge {
	var all []Edge
	for i, n := range g.Nodes {
		for k, r := range n.Inputs {
			all = append(all, Edge{g, r, Ref(i), k})
		}
	}
	return all
}

// UpdateEdges puts operations on edges, in the graphs called scope or in all for
// the scope "": put is asked for each edge, with the numbers from before any was
// changed, and gives the operation, as for Insert, or nil to leave the edge as it
// is. It returns how many edges were changed; a shared graph counts once, and
// nothing is changed when one edge cannot be. (NASLib: update_edges)
func (g *Graph) UpdateEdges(scope string, put func(Edge) *Node) (int, error) {
	changed := 0
	err := g.everywhere(scope, func(h *Graph) error {
		all := h.edgesOf()
		nodes := make([]*Node, len(all))
		for i, e := range all {
			nodes[i] = put(e)
		}
		for i := len(all) - 1; i >= 0; i-- { // later nodes first: what moves was dealt with
			if nodes[i] == nil {
				continue
			}
			if err := h.insertOn(all[i].To, all[i].At, nodes[i]); err != nil {
				return err
			}
			changed++
			for k := i - 1; k >= 0 && all[k].To == all[i].To; k-- {
				all[k].To++ // the node that reads has moved behind the new one
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// Dense joins every vertex with every earlier one through an operation. Vertices
// are inputs and folds as for Connect, in order; on gives the operation from one to
// another, whose inputs are set, or nil for none. Nodes move up to make room; the
// new places of the vertices are returned. (NASLib: add_edges_densly)
func (g *Graph) Dense(vertices []Ref, on func(from, to Ref) *Node) ([]Ref, error) {
	last := Ref(-1)
	for _, v := range vertices {
		if _, input := v.IsInput(); input {
			if !g.has(v, 0) {
				return nil, fmt.Errorf("graph %s has no input %d", g.Name, v)
			}
			continue
		}
		if err := g.isFold(v); err != nil {
			return nil, err
		}
		if v <= last {
			return nil, fmt.Errorf("graph %s: the vertices are not in the order of the nodes", g.Name)
		}
		last = v
	}
	place := slices.Clone(vertices)
	err := g.edit(func(h *Graph) error {
		for t, to := range vertices {
			if to < 0 {
				continue
			}
			for f, from := range vertices[:t] {
				n := on(from, to)
				if n == nil {
					continue
				}
				c := *n
				c.Inputs = []Ref{place[f]}
				at := place[t]
				if s := h.Nodes[at].Shape; !c.Shape.Equal(s) {
					return fmt.Errorf("graph %s: node %s gives %v to a fold of %v", h.Name, c.Name, c.Shape, s)
				}
				h.insert(at, &c)
				for k := t; k < len(place); k++ {
					if place[k] >= at {
						place[k]++
					}
				}
				h.Nodes[place[t]].read(at)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return place, nil
}

func (g *Graph) isOperand(to Ref, at int) error {
	if err := g.isNode(to); err != nil {
		return err
	}
	if at < 0 || at >= len(g.Nodes[to].Inputs) {
		return fmt.Errorf("graph %s: node %s has no operand %d", g.Name, g.Nodes[to].Name, at)
	}
	return nil
}

// isFold tests what Connect asks of a node.
func (g *Graph) isFold(r Ref) error {
	if err := g.isNode(r); err != nil {
		return err
	}
	n := g.Nodes[r]
	fold := n.Body == nil && n.Fold && n.Commutative
	for _, in := range n.Inputs {
		fold = fold && g.Shape(in).Equal(n.Shape)
	}
	if !fold {
		return fmt.Errorf("graph %s: node %s takes a certain number of operands; replace it", g.Name, n.Name)
	}
	return nil
}
