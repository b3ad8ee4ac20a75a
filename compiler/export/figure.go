package export

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
)

// figure is what a drawing shows.
type figure struct {
	title    string
	name     string
	skeleton []level
	arcs     [][2]int // further connections between levels, by index
	panels   []*panel
	ofBody   map[*graph.Graph]*panel
}

// level is one box of the skeleton: a node or several equal ones in a row.
type level struct {
	label string
	times int
	shape graph.Shape // of the output
	panel *panel      // when it is a nested graph
}

// panel is a nested graph drawn by itself. Graphs that look alike, such as a
// cell at two widths, share one.
type panel struct {
	title string
	name  string // of the template
	path  string // where it first occurs
	model model
	body  *graph.Graph
	index int
}

func newFigure(g *graph.Graph, title string) *figure {
	f := &figure{title: title, name: g.Name, ofBody: map[*graph.Graph]*panel{}}
	f.collect(g, "", map[string]*panel{})
	same := map[string]int{}
	for _, p := range f.panels {
		same[p.name]++
	}
	for i, p := range f.panels {
		p.index = i
		p.title = p.name
		if same[p.name] > 1 {
			p.title = p.path
		}
	}
	f.stack(g)
	return f
}

// collect makes a panel of every nested graph that looks different.
func (f *figure) collect(g *graph.Graph, prefix string, known map[string]*panel) {
	for _, n := range g.Nodes {
		if n.Body == nil || f.ofBody[n.Body] != nil {
			continue
		}
		m := newModel(n.Body)
		key := n.Body.Name + " " + m.key()
		p, ok := known[key]
		if !ok {
			p = &panel{name: n.Body.Name, path: prefix + n.Name, model: m, body: n.Body}
			known[key] = p
			f.panels = append(f.panels, p)
		}
		f.ofBody[n.Body] = p
		f.collect(n.Body, prefix+n.Name+".", known)
	}
}

// stack makes the skeleton of the outermost graph: equal neighbours fold into
// one level.
func (f *figure) stack(g *graph.Graph) {
	at := make([]int, len(g.Nodes)) // the level of each node
	inputs := make([]int, len(g.Inputs))
	for k, in := range g.Inputs {
		inputs[k] = len(f.skeleton)
		f.skeleton = append(f.skeleton, level{label: in.Name, times: 1, shape: in.Shape})
	}
	arcs := map[[2]int]bool{}
	for i, n := range g.Nodes {
		l := level{label: Short(n), times: 1, shape: n.Shape, panel: f.ofBody[n.Body]}
		if l.panel != nil {
			l.label = l.panel.title
		}
		last := len(f.skeleton) - 1
		prev := f.skeleton[last]
		if prev.panel == l.panel && prev.label == l.label && prev.shape.Equal(l.shape) && last >= len(g.Inputs) {
			f.skeleton[last].times++
			at[i] = last
		} else {
			f.skeleton = append(f.skeleton, l)
			at[i] = last + 1
		}
		for _, r := range n.Inputs {
			from := 0
			if k, ok := r.IsInput(); ok {
				from = inputs[k]
			} else {
				from = at[r]
			}
			arc := [2]int{from, at[i]}
			if at[i]-from > 1 && !arcs[arc] {
				arcs[arc] = true
				f.arcs = append(f.arcs, arc)
			}
		}
	}
}

// bodies lists the graphs that have panels.
func (f *figure) bodies() []*graph.Graph {
	out := make([]*graph.Graph, len(f.panels))
	for i, p := range f.panels {
		out[i] = p.body
	}
	return out
}

// text of a level: "normal ×5".
func (l level) text() string {
	if l.times > 1 {
		return fmt.Sprintf("%s ×%d", l.label, l.times)
	}
	return l.label
}

// size writes a shape as figures do: 16×32×32.
func size(s graph.Shape) string {
	text := ""
	for i, d := range s {
		if i > 0 {
			text += "×"
		}
		text += fmt.Sprint(d)
	}
	return text
}
