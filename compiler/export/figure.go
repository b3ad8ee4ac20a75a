package export

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figure is what a drawing shows.
type figure struct {
	title     string
	note      string // beside the title
	name      string
	space     bool // of a space, not of an architecture
	weighed   bool // of a supernet: a space with mixture weights
	given     []parameter
	skeleton  []level
	frames    []frame
	unchained map[*panel]bool // cells of several inputs, and whether those are not the last results
	sealed    int             // levels before this one fold no more
	arcs      [][2]int        // further connections between levels, by index
	panels    []*panel
	ofBody    map[*diagram]*panel
	closed    bool            // blocks stay closed in the skeleton
	counted   bool            // see newModel
	names     map[string]bool // of the templates
	looks     map[*diagram]string
}

// panel is a nested diagram drawn by itself: a cell, or a list of candidates.
// Diagrams that look alike, such as a cell at two widths, share one.
type panel struct {
	title string
	note  string // beside the title
	name  string // of the template
	model model
	list  []candidate // instead of a model
	body  *diagram
	index int

	number int // among the panels of one template, from 1; 0 when it is alone

	// Of a space only.
	members []string // the cells of an array: motif[0], motif[1]
	varied  bool     // strides differ from use to use
	union   bool     // of lists that differ from use to use
}

func newFigure(g *diagram, title string) *figure {
	f := &figure{title: title, name: g.name, ofBody: map[*diagram]*panel{}, counted: true,
		names: map[string]bool{}, looks: map[*diagram]string{}}
	return f
}

// compose decides what is shown of a diagram.
func (f *figure) compose(g *diagram) *figure {
	f.closed = unfolded(g, map[*diagram]int{}) > MaxNodes
	f.survey(g, map[*diagram]bool{})
	known := map[string]*panel{}
	stacked := isStack(g)
	if !stacked {
		f.panel(g, known)
	}
	f.collect(g, known, stacked, map[*diagram]bool{})
	if f.space {
		f.unite()
	}
	f.entitle()
	if f.space {
		f.annotate()
	}
	if stacked {
		in := g.inputs[0]
		f.skeleton = []level{{label: in.name, times: once, shape: in.shape}}
		f.stack(g, []int{0})
		f.nameInputs()
		f.frameUp()
		f.rows()
	}
	if f.space {
		f.limit()
	}
	return f
}

// survey notes the names of all templates, and decides whether vertices are
// counted from the input of their cell: only when every cell has a single one.
func (f *figure) survey(g *diagram, done map[*diagram]bool) {
	if done[g] {
		return
	}
	done[g] = true
	f.names[g.name] = true
	if len(g.inputs) > 1 && numbered(g) {
		f.counted = false
	}
	for _, d := range g.nested() {
		f.survey(d, done)
	}
}

// nested lists the diagrams inside a diagram, as often as they are used.
func (d *diagram) nested() []*diagram {
	var out []*diagram
	for _, n := range d.nodes {
		if n.inner != nil {
			out = append(out, n.inner)
		}
	}
	for _, c := range d.choices {
		if c.inner != nil {
			out = append(out, c.inner)
		}
	}
	return out
}

// template is the name of the template that a graph came from. Source declares a
// cell that differs from an earlier one as normal_2, which is still a normal.
func (f *figure) template(g *diagram) string {
	if f.space {
		name, _, _ := strings.Cut(g.name, "[")
		return name
	}
	at := strings.LastIndexByte(g.name, '_')
	if at < 0 || !f.names[g.name[:at]] {
		return g.name
	}
	if _, err := strconv.Atoi(g.name[at+1:]); err != nil {
		return g.name
	}
	return g.name[:at]
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
			if v.nested != nil && v.below == "" {
				p.model.vertices[i].label = f.named(v.label, v.nested)
			}
			if v.nested != nil && v.below != "" {
				p.model.vertices[i].below = f.named(v.below, v.nested)
			}
		}
		for i, e := range p.model.edges {
			if e.nested != nil {
				p.model.edges[i].label = f.named(e.label, e.nested)
			}
		}
		f.quiet(p)
		for i, v := range p.model.vertices {
			if first, second := lines(v.label); v.below == "" && v.nested == nil && second != "" {
				p.model.vertices[i].label, p.model.vertices[i].below = first, second
			}
		}
		for i, c := range p.list {
			if c.inner != nil && f.ofBody[c.inner] != nil && f.ofBody[c.inner].number > 0 {
				p.list[i].label = f.named(c.label, c.inner)
			}
		}
	}
}

// quietEdges is how many edges with the same candidates a cell may have before it
// goes without their name; the list of candidates and its colours tell.
const quietEdges = 6

// quiet leaves out the names of candidates that would only crowd a cell: all but
// their strides.
func (f *figure) quiet(p *panel) {
	names, n := map[*panel]bool{}, 0
	for _, e := range p.model.edges {
		if e.nested != nil && e.nested.choices != nil {
			names[f.ofBody[e.nested]] = true
			n++
		}
	}
	for i, e := range p.model.edges {
		if e.nested == nil || e.nested.choices == nil {
			continue
		}
		q := f.ofBody[e.nested]
		if q != nil && (q.union || len(names) == 1 && n > quietEdges) {
			p.model.edges[i].short = strings.TrimSpace(e.nested.stride)
			p.model.edges[i].quiet = true
		}
	}
}

// named puts the title of its panel in place of the template's name in a label.
func (f *figure) named(label string, d *diagram) string {
	p := f.ofBody[d]
	if p == nil || p.members != nil {
		return label
	}
	if p.union {
		return d.inline()
	}
	if rest, ok := strings.CutPrefix(label, d.name); ok {
		return p.title + rest
	}
	return label
}

// unfolded is the number of nodes with all nested graphs opened, or some number
// above MaxNodes.
func unfolded(g *diagram, known map[*diagram]int) int {
	if n, ok := known[g]; ok {
		return n
	}
	known[g] = 0 // a template of a space may hold itself
	total := len(g.nodes)
	for _, d := range g.nested() {
		total = min(total+unfolded(d, known), MaxNodes+1)
	}
	known[g] = total
	return total
}

// collect makes a panel of every nested graph that looks different.
func (f *figure) collect(g *diagram, known map[string]*panel, stacked bool, done map[*diagram]bool) {
	if done[g] {
		return
	}
	done[g] = true
	opened := map[*diagram]bool{}
	if stacked {
		for _, n := range g.nodes {
			if f.opens(n) {
				opened[n.inner] = true
			}
		}
	}
	for _, d := range g.nested() {
		if !opened[d] && f.ofBody[d] == nil && !d.told() {
			f.panel(d, known)
		}
		f.collect(d, known, opened[d], done)
	}
}

// told reports whether a diagram needs no panel: what stands in its place says
// it all.
func (d *diagram) told() bool { return d.kind == "group" || d.kind == "choice" && d.name == "" }

func (f *figure) panel(g *diagram, known map[string]*panel) {
	key := f.look(g)
	p, ok := known[key]
	if !ok {
		p = &panel{name: f.template(g), list: slices.Clone(g.choices), body: g}
		if g.choices == nil {
			p.model = newModel(g, f.counted)
		}
		known[key] = p
		f.panels = append(f.panels, p)
	}
	f.ofBody[g] = p
	if f.space {
		f.join(p, g)
	}
}

// look tells diagrams apart that are drawn in different ways, or whose parts are.
// In a space, strides do not count: a cell that is used with and without one is
// still one cell.
func (f *figure) look(g *diagram) string {
	if key, ok := f.looks[g]; ok {
		return key
	}
	f.looks[g] = "inside " + g.name // a template of a space may hold itself
	h := sha256.New()
	fmt.Fprintf(h, "%q ", f.template(g))
	if g.choices == nil {
		fmt.Fprint(h, f.plain(newModel(g, f.counted).key()))
	}
	for _, c := range g.choices {
		if c.inner != nil {
			c.label = ""
		}
		fmt.Fprintf(h, "%q%v;", c.label, c.absent)
	}
	for _, d := range g.nested() {
		fmt.Fprintf(h, " %x", f.look(d))
	}
	if f.weighed {
		g.weights(h)
	}
	f.looks[g] = string(h.Sum(nil))
	return f.looks[g]
}

var strides = regexp.MustCompile(` /\d+`)

// plain leaves strides out of what is drawn of a space.
func (f *figure) plain(text string) string {
	if !f.space {
		return text
	}
	return strides.ReplaceAllString(text, "")
}
