package export

import (
	"fmt"
	"slices"

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
	closed   bool // blocks stay closed in the skeleton
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
	known := map[string]*panel{}
	stacked := isStack(g)
	f.closed = unfolded(g, map[*graph.Graph]int{}) > MaxNodes
	if !stacked {
		f.panel(g, g.Name, known)
	}
	f.collect(g, "", known, stacked)
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
	if stacked {
		in := g.Inputs[0]
		f.skeleton = []level{{label: in.Name, times: 1, shape: in.Shape}}
		f.stack(g, []int{0})
	}
	return f
}

// isStack reports whether the skeleton can show a graph: one input, and every
// node reads the one before it, besides others. Anything else is drawn as a cell.
func isStack(g *graph.Graph) bool {
	if len(g.Inputs) != 1 || g.Output != graph.Ref(len(g.Nodes)-1) {
		return false
	}
	for i, n := range g.Nodes {
		if !slices.Contains(n.Inputs, graph.Ref(i-1)) {
			return false
		}
	}
	return true
}

// opens reports whether the skeleton shows the inside of a node in place: a
// block that is a stack itself, such as a stage of a few cells.
// Where that would be too much to show, it stays closed.
func (f *figure) opens(n *graph.Node) bool {
	return !f.closed && n.Body != nil && n.Body.Kind == "block" && len(n.Body.Nodes) > 0 && isStack(n.Body)
}

// unfolded is the number of nodes with all nested graphs opened, or some number
// above MaxNodes.
func unfolded(g *graph.Graph, known map[*graph.Graph]int) int {
	if n, ok := known[g]; ok {
		return n
	}
	total := 0
	for _, n := range g.Nodes {
		total++
		if n.Body != nil {
			total = min(total+unfolded(n.Body, known), MaxNodes+1)
		}
	}
	known[g] = total
	return total
}

// collect makes a panel of every nested graph that looks different.
func (f *figure) collect(g *graph.Graph, prefix string, known map[string]*panel, stacked bool) {
	for _, n := range g.Nodes {
		if n.Body == nil || f.ofBody[n.Body] != nil {
			continue
		}
		open := stacked && f.opens(n)
		if !open {
			f.panel(n.Body, prefix+n.Name, known)
		}
		f.collect(n.Body, prefix+n.Name+".", known, open)
	}
}

func (f *figure) panel(g *graph.Graph, path string, known map[string]*panel) {
	m := newModel(g)
	key := g.Name + " " + m.key()
	p, ok := known[key]
	if !ok {
		p = &panel{name: g.Name, path: path, model: m, body: g}
		known[key] = p
		f.panels = append(f.panels, p)
	}
	f.ofBody[g] = p
}

// stack adds the levels of a graph whose inputs come from the given levels, and
// returns the level of its output. Equal neighbours fold into one.
func (f *figure) stack(g *graph.Graph, inputs []int) int {
	at := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		sources := make([]int, len(n.Inputs))
		for k, r := range n.Inputs {
			if in, ok := r.IsInput(); ok {
				sources[k] = inputs[in]
			} else {
				sources[k] = at[r]
			}
		}
		if f.opens(n) {
			at[i] = f.stack(n.Body, sources)
			continue
		}
		at[i] = f.level(n)
		for _, from := range sources {
			arc := [2]int{from, at[i]}
			if at[i]-from > 1 && !slices.Contains(f.arcs, arc) {
				f.arcs = append(f.arcs, arc)
			}
		}
	}
	if len(at) == 0 {
		return inputs[0]
	}
	return at[len(at)-1]
}

// level adds a node and returns its level.
func (f *figure) level(n *graph.Node) int {
	l := level{label: Short(n), times: 1, shape: n.Shape, panel: f.ofBody[n.Body]}
	if l.panel != nil {
		l.label = l.panel.title
	}
	last := len(f.skeleton) - 1
	prev := f.skeleton[last]
	if last > 0 && prev.panel == l.panel && prev.label == l.label && prev.shape.Equal(l.shape) {
		f.skeleton[last].times++
		return last
	}
	f.skeleton = append(f.skeleton, l)
	return last + 1
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
