package graph

import (
	"errors"
	"fmt"
)

// Validate tests what every graph must hold: nodes read only inputs and earlier
// nodes, names are unique within their graph, shapes are positive, costs are
// not negative, a nested graph takes and gives the shapes that its node reads
// and declares, and no graph contains itself.
func (g *Graph) Validate() error {
	return validate(g, map[*Graph]bool{})
}

// validate visits every graph once; done is false while its inside is visited.
func validate(g *Graph, done map[*Graph]bool) error {
	switch finished, seen := done[g]; {
	case g == nil:
		return errors.New("there is no graph")
	case finished:
		return nil
	case seen:
		return fmt.Errorf("graph %s contains itself", g.Name)
	}
	done[g] = false
	for i, in := range g.Inputs {
		if err := positive(in.Shape); err != nil {
			return fmt.Errorf("graph %s: input %d: %w", g.Name, i, err)
		}
	}
	names := make(map[string]bool, len(g.Nodes))
	for i, n := range g.Nodes {
		if n == nil {
			return fmt.Errorf("graph %s: node %d is missing", g.Name, i)
		}
		if names[n.Name] || n.Name == "" {
			return fmt.Errorf("graph %s: node %d needs a name of its own, not %q", g.Name, i, n.Name)
		}
		names[n.Name] = true
		if err := g.validateNode(i, n); err != nil {
			return fmt.Errorf("graph %s: node %s: %w", g.Name, n.Name, err)
		}
		if n.Body == nil {
			continue
		}
		if err := validate(n.Body, done); err != nil {
			return err
		}
		if err := g.fits(n); err != nil {
			return fmt.Errorf("graph %s: node %s: %w", g.Name, n.Name, err)
		}
	}
	if !g.has(g.Output, len(g.Nodes)) {
		return fmt.Errorf("graph %s: the output %d does not exist", g.Name, g.Output)
	}
	done[g] = true
	return nil
}

// has reports whether r is an input or one of the first n nodes.
func (g *Graph) has(r Ref, n int) bool {
	return int(r) < n && int(r) >= -len(g.Inputs)
}

func (g *Graph) validateNode(at int, n *Node) error {
	for _, r := range n.Inputs {
		if !g.has(r, at) {
			return fmt.Errorf("reads %d, which is no input and no earlier node", r)
		}
	}
	if err := positive(n.Shape); err != nil {
		return err
	}
	switch {
	case n.Params < 0 || n.MACs < 0:
		return fmt.Errorf("costs %d parameters and %d MACs", n.Params, n.MACs)
	case n.Op == "":
		return errors.New("has no operation")
	case n.Identity && (len(n.Inputs) != 1 || !g.Shape(n.Inputs[0]).Equal(n.Shape)):
		return errors.New("is called an identity but does not hand one input on")
	}
	if n.Collapses && (n.Sparse || len(n.Inputs) == 1) { // any one may be all that is left
		for _, r := range n.Inputs {
			if s := g.Shape(r); !s.Equal(n.Shape) {
				return fmt.Errorf("may collapse to any of its inputs, but has shape %v and one has %v", n.Shape, s)
			}
		}
	}
	return nil
}

// fits compares a node with the graph nested in it.
func (g *Graph) fits(n *Node) error {
	if len(n.Inputs) != len(n.Body.Inputs) {
		return fmt.Errorf("gives %d inputs to graph %s, which takes %d", len(n.Inputs), n.Body.Name, len(n.Body.Inputs))
	}
	for i, r := range n.Inputs {
		if have, want := g.Shape(r), n.Body.Inputs[i].Shape; !have.Equal(want) {
			return fmt.Errorf("gives %v to input %d of graph %s, which takes %v", have, i, n.Body.Name, want)
		}
	}
	if s := n.Body.Shape(n.Body.Output); !s.Equal(n.Shape) {
		return fmt.Errorf("has shape %v, but graph %s gives %v", n.Shape, n.Body.Name, s)
	}
	return nil
}

func positive(s Shape) error {
	if len(s) == 0 {
		return errors.New("has no shape")
	}
	for _, d := range s {
		if d < 1 {
			return fmt.Errorf("has shape %v", s)
		}
	}
	return nil
}
