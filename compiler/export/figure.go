package export

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	closed   bool            // blocks stay closed in the skeleton
	counted  bool            // see newModel
	names    map[string]bool // of the templates
	looks    map[*graph.Graph]string
}

// level is one box of the skeleton: a node or several equal ones in a row.
type level struct {
	label string
	times int
	shape graph.Shape // of the output
	panel *panel      // when it is a nested graph
	row   []*panel    // when it is a row of blocks of one template that differ
}

// panel is a nested graph drawn by itself. Graphs that look alike, such as a
// cell at two widths, share one.
type panel struct {
	title string
	name  string // of the template
	model model
	body  *graph.Graph
	index int

	number int // among the panels of one template, from 1; 0 when it is alone
}

func newFigure(g *graph.Graph, title string) *figure {
	f := &figure{title: title, name: g.Name, ofBody: map[*graph.Graph]*panel{}, counted: true,
		names: map[string]bool{}, looks: map[*graph.Graph]string{}}
	f.closed = unfolded(g, map[*graph.Graph]int{}) > MaxNodes
	f.survey(g, map[*graph.Graph]bool{})
	known := map[string]*panel{}
	stacked := isStack(g)
	if !stacked {
		f.panel(g, known)
	}
	f.collect(g, known, stacked)
	f.entitle()
	if stacked {
		in := g.Inputs[0]
		f.skeleton = []level{{label: in.Name, times: 1, shape: in.Shape}}
		f.stack(g, []int{0})
		f.rows()
	}
	return f
}

// survey notes the names of all templates, and decides whether vertices are
// counted from the input of their cell: only when every cell has a single one.
func (f *figure) survey(g *graph.Graph, done map[*graph.Graph]bool) {
	if done[g] {
		return
	}
	done[g] = true
	f.names[g.Name] = true
	if len(g.Inputs) > 1 && numbered(g) {
		f.counted = false
	}
	for _, n := range g.Nodes {
		if n.Body != nil {
			f.survey(n.Body, done)
		}
	}
}

// template is the name of the template that a graph came from. Source declares a
// cell that differs from an earlier one as normal_2, which is still a normal.
func (f *figure) template(g *graph.Graph) string {
	at := strings.LastIndexByte(g.Name, '_')
	if at < 0 || !f.names[g.Name[:at]] {
		return g.Name
	}
	if _, err := strconv.Atoi(g.Name[at+1:]); err != nil {
		return g.Name
	}
	return g.Name[:at]
}

// entitle names the panels, and what stands for them in other panels: by their
// template, with a number where several of one template differ.
func (f *figure) entitle() {
	same := map[string]int{}
	for _, p := range f.panels {
		same[p.name]++
	}
	number := map[string]int{}
	for i, p := range f.panels {
		p.index, p.title = i, p.name
		if same[p.name] > 1 {
			number[p.name]++
			p.number = number[p.name]
			p.title = fmt.Sprintf("%s %d", p.name, p.number)
		}
	}
	for _, p := range f.panels {
		for i, v := range p.model.vertices {
			if v.nested != nil {
				p.model.vertices[i].label = f.ofBody[v.nested].title
			}
		}
		for i, e := range p.model.edges {
			if e.nested != nil {
				p.model.edges[i].label = f.ofBody[e.nested].title
			}
		}
	}
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
// block that is a stack without sums, such as a stage of a few cells. Where that
// would be too much to show, it stays closed.
func (f *figure) opens(n *graph.Node) bool {
	if f.closed || n.Body == nil || n.Body.Kind != "block" || len(n.Body.Nodes) == 0 || !isStack(n.Body) {
		return false
	}
	return !slices.ContainsFunc(n.Body.Nodes, func(n *graph.Node) bool { return n.Fold })
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
func (f *figure) collect(g *graph.Graph, known map[string]*panel, stacked bool) {
	for _, n := range g.Nodes {
		if n.Body == nil || f.ofBody[n.Body] != nil {
			continue
		}
		open := stacked && f.opens(n)
		if !open {
			f.panel(n.Body, known)
		}
		f.collect(n.Body, known, open)
	}
}

func (f *figure) panel(g *graph.Graph, known map[string]*panel) {
	key := f.look(g)
	p, ok := known[key]
	if !ok {
		p = &panel{name: f.template(g), model: newModel(g, f.counted), body: g}
		known[key] = p
		f.panels = append(f.panels, p)
	}
	f.ofBody[g] = p
}

// look tells graphs apart that are drawn in different ways, or whose parts are.
func (f *figure) look(g *graph.Graph) string {
	if key, ok := f.looks[g]; ok {
		return key
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %s", f.template(g), newModel(g, f.counted).key())
	for _, n := range g.Nodes {
		if n.Body != nil {
			fmt.Fprintf(h, " %x", f.look(n.Body))
		}
	}
	f.looks[g] = string(h.Sum(nil))
	return f.looks[g]
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

// longRow is how many neighbouring levels of one template make a row.
const longRow = 4

// rows joins long runs of blocks of one template that differ, as the layers of a
// transformer do, into one level each.
func (f *figure) rows() {
	moved := make([]int, len(f.skeleton))
	var out []level
	for i := 0; i < len(f.skeleton); {
		n := f.run(i)
		if n < longRow {
			n = 1
		}
		l := f.skeleton[i]
		if n > 1 {
			l.label, l.times = l.panel.name, 0
			for _, m := range f.skeleton[i : i+n] {
				l.times += m.times
				l.row = append(l.row, slices.Repeat([]*panel{m.panel}, m.times)...)
			}
		}
		for k := range n {
			moved[i+k] = len(out)
		}
		out = append(out, l)
		i += n
	}
	f.skeleton = out
	for i, a := range f.arcs {
		f.arcs[i] = [2]int{moved[a[0]], moved[a[1]]}
	}
}

// run is the number of levels from i on that can be one row: of one template and
// shape, and with no further connection between or out of them.
func (f *figure) run(i int) int {
	first := f.skeleton[i]
	if first.panel == nil {
		return 1
	}
	n := 1
	for i+n < len(f.skeleton) {
		l := f.skeleton[i+n]
		tied := slices.ContainsFunc(f.arcs, func(a [2]int) bool { return a[1] == i+n || a[0] == i+n-1 })
		if l.panel == nil || l.panel.name != first.panel.name || !l.shape.Equal(first.shape) || tied {
			break
		}
		n++
	}
	return n
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

// size writes a shape as figures do: 16×32×32; 16×100 for a sequence.
func size(s graph.Shape) string {
	if isSequence(s) {
		s = s[:2]
	}
	text := ""
	for i, d := range s {
		if i > 0 {
			text += "×"
		}
		text += fmt.Sprint(d)
	}
	return text
}
