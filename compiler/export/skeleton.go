package export

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
)

// level is one box of the skeleton: a node or several equal ones in a row.
type level struct {
	label string
	times times
	shape string   // of the output
	panel *panel   // when it is a nested graph
	inner *diagram // when it is a choice
	open  string   // attributes to be decided
	row   []*panel // when it is a row of blocks of one template that differ
}

// frame goes around the levels of one block that is opened in place.
type frame struct {
	first, last int
	title       string
	repeats     bool
}

// isStack reports whether the skeleton can show a graph: one input, and every
// node reads the one before it, besides others. Anything else is drawn as a cell.
func isStack(g *diagram) bool {
	if len(g.inputs) != 1 || g.output != graph.Ref(len(g.nodes)-1) || g.choices != nil {
		return false
	}
	for i, n := range g.nodes {
		if n.picks != nil || !slices.Contains(n.inputs, graph.Ref(i-1)) {
			return false
		}
	}
	return true
}

// opens reports whether the skeleton shows the inside of a node in place: a
// block that is a stack without sums, such as a stage of a few cells. Where that
// would be too much to show, it stays closed.
func (f *figure) opens(n *node) bool {
	if f.closed || n.inner == nil || n.inner.kind != "block" || len(n.inner.nodes) == 0 || !isStack(n.inner) {
		return false
	}
	return !slices.ContainsFunc(n.inner.nodes, func(n *node) bool { return n.fold })
}

// stack adds the levels of a graph whose inputs come from the given levels, and
// returns the level of its output. Equal neighbours fold into one.
func (f *figure) stack(g *diagram, inputs []int) int {
	at := make([]int, len(g.nodes))
	for i, n := range g.nodes {
		sources := make([]int, len(n.inputs))
		for k, r := range n.inputs {
			if in, ok := r.IsInput(); ok {
				sources[k] = inputs[in]
			} else {
				sources[k] = at[r]
			}
		}
		if f.opens(n) {
			first := len(f.skeleton)
			if f.space {
				f.sealed = first
			}
			at[i] = f.stack(n.inner, sources)
			if f.space {
				f.frames = append(f.frames, frame{first, at[i], n.text(), n.times != once})
				f.sealed = len(f.skeleton)
			}
			continue
		}
		at[i] = f.level(n)
		f.follow(n, i)
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

// follow notes whether a cell reads the results before it in a chain, as cells of
// DARTS read the last two: their inputs then have the names of the literature,
// c_{k-2} and c_{k-1}.
func (f *figure) follow(n *node, i int) {
	p := f.ofBody[n.inner]
	if p == nil || len(n.inputs) < 2 {
		return
	}
	if f.unchained == nil {
		f.unchained = map[*panel]bool{}
	}
	for j, r := range n.inputs {
		want := graph.Ref(i - len(n.inputs) + j)
		if r != want && (j+1 == len(n.inputs) || r < want || r != n.inputs[j+1]) { // a short history repeats its first
			f.unchained[p] = true
		}
	}
	if _, ok := f.unchained[p]; !ok {
		f.unchained[p] = false
	}
}

// nameInputs gives the inputs of such cells their names.
func (f *figure) nameInputs() {
	for p, not := range f.unchained {
		for j := range p.body.inputs {
			if v := p.model.vertices; !not && j < len(v) && v[j].input {
				v[j].label = fmt.Sprintf("c_{k-%d}", len(p.body.inputs)-j)
			}
		}
	}
}

// level adds a node and returns its level.
func (f *figure) level(n *node) int {
	l := level{label: n.label, times: n.times, shape: n.shape, panel: f.ofBody[n.inner], open: n.open}
	if l.panel != nil {
		l.label = f.named(n.label, n.inner)
	}
	if l.inner = n.choice(); l.inner != nil {
		l.label = f.named(n.label, l.inner)
	}
	last := len(f.skeleton) - 1
	prev := f.skeleton[last]
	if t, ok := prev.times.plus(l.times); ok && last > 0 && last >= f.sealed && prev.panel == l.panel && (prev.inner == nil) == (l.inner == nil) && prev.label == l.label && prev.open == l.open && prev.shape == l.shape {
		f.skeleton[last].times = t
		return last
	}
	f.skeleton = append(f.skeleton, l)
	return last + 1
}

// frameUp keeps the frames that tell something: not one around the whole network,
// and none around single levels unless others of its template hold several.
func (f *figure) frameUp() {
	long := map[string]bool{}
	f.frames = slices.DeleteFunc(f.frames, func(x frame) bool {
		return !x.repeats && (x.last < x.first || x.first <= 1 && x.last == len(f.skeleton)-1)
	})
	for _, x := range f.frames {
		long[x.title] = long[x.title] || x.last > x.first || x.repeats
	}
	f.frames = slices.DeleteFunc(f.frames, func(x frame) bool { return !long[x.title] })
}

// longRow is how many neighbouring levels of one template make a row.
const longRow = 4

// rows joins long runs of blocks of one template that differ, as the layers of a
// transformer do, into one level each.
func (f *figure) rows() {
	if f.space {
		return
	}
	moved := make([]int, len(f.skeleton))
	var out []level
	for i := 0; i < len(f.skeleton); {
		n := f.run(i)
		if n < longRow {
			n = 1
		}
		l := f.skeleton[i]
		if n > 1 {
			l.label, l.times = l.panel.name, times{}
			for _, m := range f.skeleton[i : i+n] {
				l.times, _ = l.times.plus(m.times)
				l.row = append(l.row, slices.Repeat([]*panel{m.panel}, m.times.most)...)
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
		if l.panel == nil || l.panel.name != first.panel.name || l.shape != first.shape || tied {
			break
		}
		n++
	}
	return n
}

// text of a level: "normal ×5".
func (l level) text() string {
	if t := l.times.String(); t != "" {
		return l.label + " " + t
	}
	return l.label
}
