package export

import (
	"fmt"
	"slices"
	"strings"
)

// join adds a diagram of a space to the panel that it shares with those before.
func (f *figure) join(p *panel, g *diagram) {
	if name, _, array := strings.Cut(g.name, "["); array && name == p.name && !slices.Contains(p.members, g.name) {
		p.members = append(p.members, g.name)
	}
	if g.choices == nil && !p.varied && p.body != g && p.model.key() != newModel(g, f.counted).key() {
		p.varied = true
		for i := range p.model.vertices {
			v := &p.model.vertices[i]
			v.label, v.below = f.plain(v.label), f.plain(v.below)
		}
		for i := range p.model.edges {
			p.model.edges[i].label = f.plain(p.model.edges[i].label)
		}
	}
}

// manyLists is how many lists of candidates one template may have before they are
// drawn as one.
const manyLists = 3

// unite makes one list of those of a template that offers other candidates at
// every use, as RobustDARTS S1 does; the edges tell by their colours which.
func (f *figure) unite() {
	lists := map[string][]*panel{}
	for _, p := range f.panels {
		if p.list != nil {
			lists[p.name] = append(lists[p.name], p)
		}
	}
	gone := map[*panel]*panel{}
	for _, same := range lists {
		if len(same) <= manyLists {
			continue
		}
		first := same[0]
		first.union = true
		for _, p := range same[1:] {
			gone[p] = first
			for _, c := range p.list {
				if !slices.ContainsFunc(first.list, func(x candidate) bool { return x.label == c.label }) {
					first.list = append(first.list, c)
				}
			}
		}
	}
	f.panels = slices.DeleteFunc(f.panels, func(p *panel) bool { return gone[p] != nil })
	for d, p := range f.ofBody {
		if gone[p] != nil {
			f.ofBody[d] = gone[p]
		}
	}
}

// annotate says beside the title of every panel what is decided there, and how
// often: a cell once, whoever uses it, a block wherever it is used.
func (f *figure) annotate() {
	for _, p := range f.panels {
		kind := p.body.kind
		switch {
		case p.union:
			p.note = "some of these at each edge"
		case p.list != nil && kind == "cell":
			p.note = fmt.Sprintf("1 of %d, once", len(p.list))
		case p.list != nil:
			p.note = fmt.Sprintf("1 of %d", len(p.list))
		case !open(p.body, map[*diagram]bool{}):
		case len(p.members) > 1:
			p.note = fmt.Sprintf("%d cells, each decided once", len(p.members))
		case kind == "cell":
			p.note = "decided once"
		case kind == "block":
			p.note = "decided at each use"
		}
		if p.members != nil {
			p.title = p.members[0]
		}
		if n := len(p.members); n > 1 {
			p.title += " … " + p.members[n-1]
		}
	}
}

// open reports whether anything is left to decide in a diagram.
func open(d *diagram, known map[*diagram]bool) bool {
	if known[d] {
		return false
	}
	known[d] = true
	if d.choices != nil {
		return true
	}
	for _, n := range d.nodes {
		if n.open != "" || n.picks != nil || n.times.least != n.times.most || n.inner != nil && open(n.inner, known) {
			return true
		}
	}
	return false
}
