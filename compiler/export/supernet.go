package export

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// Weights are the mixture weights of a supernet: those of the decision at an address,
// beside the labels of its options. A decision without any has no options.
type Weights func(address string) (options []string, weights []float64)

// DrawSupernet draws a plan as DrawSpace does, with mixture weights: an edge is as wide
// as it weighs, and parted among its candidates as their weights are; so are the dots
// of candidates in boxes. The strongest candidate of an edge is written on it.
func DrawSupernet(p *lower.Plan, w Weights, o Options) ([]byte, error) {
	return drawPlan(p, w, o.Note, o)
}

// of are the weights of the alternatives of a decision; nil where it has none.
func (w Weights) of(on *space.Decision) []float64 {
	if w == nil {
		return nil
	}
	options, weights := w(on.Address)
	if len(options) == 0 {
		return nil
	}
	out := make([]float64, len(on.Alts))
	next := 0 // options are in the order of alternatives, with others between them
	for i, a := range on.Alts {
		if k := slices.Index(options[next:], a.Label); k >= 0 {
			next += k
			if !math.IsNaN(weights[next]) {
				out[i] = weights[next]
			}
			next++
		}
	}
	return out
}

// weigh gives candidates the weights of the decision among them.
func (p *planner) weigh(d *diagram, on *space.Decision) {
	if weights := p.weights.of(on); weights != nil {
		d.weighed = true
		for i := range d.choices {
			d.choices[i].weight = weights[i]
		}
	}
}

// kept is the weight of an operand: that of the decision which picks it, and that which
// a relaxation may give the terms of a sum; 1 where there is none.
func (s *sketch) kept(n *lower.Node, i int) float64 {
	if s.weights == nil {
		return 1
	}
	kept := 1.0
	for _, item := range n.Args[i].When {
		if weights := s.weights.of(item.On); weights != nil {
			kept *= weights[item.Index]
		}
	}
	address := n.Name + ".edges"
	if s.body.Kind != "space" {
		address = s.body.Name + "." + address
	}
	if options, weights := s.weights(address); len(options) == len(n.Args) && !math.IsNaN(weights[i]) {
		kept *= weights[i]
	}
	return kept
}

// weights writes what is weighed in a diagram, to tell it from one that looks alike
// otherwise.
func (d *diagram) weights(w io.Writer) {
	for _, n := range d.nodes {
		fmt.Fprint(w, n.kept)
		if c := n.choice(); c != nil {
			for _, x := range c.choices {
				fmt.Fprint(w, x.weight, ",")
			}
		}
	}
}

// strongest is the candidate with the largest weight; nil where none has any.
func (e edge) strongest() *candidate {
	if e.nested == nil || !e.nested.weighed {
		return nil
	}
	best := &e.nested.choices[0]
	for i := range e.nested.choices {
		if c := &e.nested.choices[i]; c.weight > best.weight {
			best = c
		}
	}
	return best
}

// heft is the width of an edge without candidates.
func heft(kept float64) float64 { return 0.4 + 3*min(max(kept, 0), 1) }

// hairline is the width of an edge that weighs nothing.
const hairline = 0.8

// ribbon draws an edge of a supernet.
func (c *composer) ribbon(stops []point, all []candidate, kept float64) {
	sum := 0.0
	for _, x := range all {
		sum += max(x.weight, 0)
	}
	whole := max(bundle*min(kept, 1), hairline) / max(sum, 1)
	last := len(stops) - 1
	tip := stops[last]
	from := -whole * sum / 2
	for _, x := range all {
		width := whole * max(x.weight, 0)
		off := from + width/2
		from += width
		if width < 0.05 { // less than print shows
			continue
		}
		moved := slices.Clone(stops)
		for i := range moved {
			moved[i].y += off
		}
		moved[0].y, moved[last].y = stops[0].y+0.35*off, tip.y+0.35*off
		moved[last].x -= 4
		colour := c.inkOf(x.label, x.absent, x.inner)
		if x.absent {
			colour = lighter(colour)
		}
		c.out.add(shape{path: smooth(moved), stroke: colour, width: width})
	}
	c.out.head(tip, point{tip.x - 1, tip.y}, black)
}
