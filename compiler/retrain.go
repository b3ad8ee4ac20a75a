package compiler

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// fit compiles the space of a search and the one in which its winner is trained
// again, and reports where the two do not decide the same.
func (s *Search) fit() diag.List {
	from, diags := s.module.Space(s.Space, s.Args)
	if from == nil || diags.HasErrors() {
		return nil // reported where the space is searched
	}
	to, diags := s.module.Space(s.Retrain.Space, s.Retrain.Args)
	if to == nil || diags.HasErrors() { // nil alone: reported where a name is not declared
		return diags
	}
	if difference := from.Lacks(to); difference != "" {
		d := diags.Add("E0557", s.Retrain.Span, "%s cannot hold what is found in %s: %s", to.Name, from.Name, difference)
		d.Help = "retrain in the same space with other arguments, or in one with the same names of decisions and alternatives"
	}
	return diags
}

// Lacks tells the first thing that every architecture of `to` decides and that
// some architecture of s does not, or that s decides in a way that `to` cannot; ""
// when the decisions of any architecture of s can be taken in `to`. Decisions
// are known by their address, alternatives by their label.
func (s *Space) Lacks(to *Space) string {
	known := map[string]*space.Decision{}
	for _, d := range s.Root.Decisions {
		known[d.Address] = d
	}
	c := comparison{from: s, seen: map[[2]*space.Decision]bool{}}
	return c.group(to.Root, known)
}

type comparison struct {
	from *Space
	seen map[[2]*space.Decision]bool
}

// group compares decisions of the target with those that s has taken where they
// are met.
func (c comparison) group(to *space.Group, known map[string]*space.Decision) string {
	for _, t := range to.Decisions {
		d, ok := known[t.Address]
		switch {
		case !ok:
			return fmt.Sprintf("%s decides no %s", c.from.Name, t.Address)
		case d.Kind == space.Subset != (t.Kind == space.Subset):
			return fmt.Sprintf("%s is %s, not %s", t.Address, d.Kind, t.Kind)
		case d.Min < t.Min || d.Max > t.Max:
			return fmt.Sprintf("%s takes %d to %d, not %d to %d", t.Address, d.Min, d.Max, t.Min, t.Max)
		case c.seen[[2]*space.Decision{d, t}]:
			continue
		}
		c.seen[[2]*space.Decision{d, t}] = true
		alternatives := map[string]*space.Alt{}
		for _, a := range t.Alts {
			alternatives[a.Label] = a
		}
		for _, a := range d.Alts {
			b, ok := alternatives[a.Label]
			if !ok {
				return fmt.Sprintf("%s has no alternative `%s` there", t.Address, a.Label)
			}
			if len(b.Sub.Decisions) == 0 {
				continue
			}
			below := make(map[string]*space.Decision, len(known)+len(a.Sub.Decisions))
			for address, d := range known {
				below[address] = d
			}
			for _, d := range a.Sub.Decisions {
				below[d.Address] = d
			}
			if difference := c.group(b.Sub, below); difference != "" {
				return difference
			}
		}
	}
	return ""
}

// Carry takes the decisions of an architecture of s in another space, by their
// addresses and the labels of the alternatives taken.
func (s *Space) Carry(g space.Genotype, to *Space) (space.Genotype, error) {
	known := map[string]*space.Decision{}
	for d := range s.Active(g) {
		known[d.Address] = d
	}
	labels := map[string]string{}
	var follow func(*space.Group)
	follow = func(group *space.Group) {
		for _, t := range group.Decisions {
			d, ok := known[t.Address]
			if !ok {
				continue // FromLabels says that it is missing
			}
			labels[t.Address] = d.LabelOf(g[d.ID])
			for i, a := range d.Alts {
				if taken := d.Kind != space.Subset && g[d.ID] == int64(i) || d.Kind == space.Subset && g[d.ID]>>i&1 == 1; !taken {
					continue
				}
				for _, b := range t.Alts {
					if b.Label == a.Label {
						follow(b.Sub)
					}
				}
			}
		}
	}
	follow(to.Root)
	out, err := to.FromLabels(labels)
	if err != nil {
		return nil, fmt.Errorf("the architecture does not fit into %s: %w", to.Name, err)
	}
	return out, nil
}
