package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// model is a graph as it is drawn: vertices, and operations on edges.
type model struct {
	vertices []vertex
	edges    []edge
}

type vertex struct {
	label  string
	below  string // a second, smaller line
	round  bool   // a numbered circle; otherwise a box
	input  bool
	output bool
	nested *diagram
	open   string // attributes to be decided
	pick   string // "2 of 3": how many of the edges are kept
}

type edge struct {
	from, to int
	label    string // empty: a plain arrow
	absent   bool
	maybe    bool    // a candidate: it may be left out
	kept     float64 // its mixture weight; 1 where it has none
	open     string  // attributes to be decided
	nested   *diagram

	quiet bool // in a picture only short stands on the edge
	short string
}

// modeller decides what becomes of every node. An operation with one input that
// is read by one fold or vertex alone goes on an edge; a sum that only feeds
// another sum, or the operation of a `node` statement, is part of that vertex; an
// operation that alone reads an input is part of the input. All else is a vertex.
type modeller struct {
	g       *diagram
	counted bool    // the only input is vertex 0
	folds   bool    // vertices are sums, and operations stand on edges
	readers [][]int // of every node
	onEdge  []bool
	vertex  []int // of every node, -1 while not yet or on an edge
	input   []int
	model   model
}

// newModel models a diagram. Where inputs are counted, vertices that are numbered
// go on from the one input; elsewhere they start from 0 beside named inputs.
func newModel(g *diagram, counted bool) model {
	m := modeller{g: g, counted: counted && numbered(g), folds: numbered(g), readers: make([][]int, len(g.nodes)), onEdge: make([]bool, len(g.nodes)),
		vertex: make([]int, len(g.nodes)), input: make([]int, len(g.inputs))}
	inputReaders := make([][]int, len(g.inputs))
	for i, n := range g.nodes {
		for _, r := range n.inputs {
			if k, ok := r.IsInput(); ok {
				inputReaders[k] = append(inputReaders[k], i)
			} else {
				m.readers[r] = append(m.readers[r], i)
			}
		}
		m.vertex[i] = -1
	}
	for i := len(g.nodes) - 1; i >= 0; i-- {
		m.onEdge[i] = m.belongsOnEdge(i)
	}
	m.inputs(inputReaders)
	m.nodes()
	return m.model
}

func (m *modeller) belongsOnEdge(i int) bool {
	n := m.g.nodes[i]
	if len(n.inputs) != 1 || n.picks != nil || n.vertex || n.fold || len(m.readers[i]) != 1 || m.g.output == graph.Ref(i) {
		return false
	}
	reader := m.g.nodes[m.readers[i][0]]
	return reader.fold || reader.vertex || len(reader.inputs) > 1
}

func (m *modeller) inputs(readers [][]int) {
	for k, in := range m.g.inputs {
		v := vertex{label: in.name, input: true, output: m.g.output == graph.InputRef(k)}
		if m.counted {
			v.label, v.round = "0", true
		}
		if len(readers[k]) == 1 && !v.output {
			i := readers[k][0]
			n := m.g.nodes[i]
			if !m.onEdge[i] && n.inner == nil && n.open == "" && len(n.inputs) == 1 && !n.fold && len(m.readers[i]) > 1 {
				v.below = n.label
				v.output = m.g.output == graph.Ref(i)
				m.vertex[i] = len(m.model.vertices)
			}
		}
		m.input[k] = len(m.model.vertices)
		m.model.vertices = append(m.model.vertices, v)
	}
}

// numbered reports whether a diagram has vertices that are drawn as numbers: sums
// that a `node` statement names.
func numbered(g *diagram) bool {
	for _, n := range g.nodes {
		if n.vertex && n.fold {
			return true
		}
	}
	return false
}

func (m *modeller) nodes() {
	number := 0
	if m.counted {
		number = 1
	}
	for i, n := range m.g.nodes {
		if m.onEdge[i] || m.vertex[i] >= 0 || m.absorbed(i) {
			continue
		}
		v := vertex{label: n.phrase(), output: m.g.output == graph.Ref(i), nested: n.inner, open: n.open}
		onto := edge{to: len(m.model.vertices)}
		if n.vertex {
			if m.folds && !n.fold && len(n.inputs) == 1 && !m.feedsAlone(n.inputs[0]) {
				// Beside sums, a vertex that is one operation has it on its edge.
				onto.label, onto.absent, onto.nested, onto.open = n.text(), n.absent, n.inner, n.open
				v.nested, v.open = nil, ""
			}
			if n.fold || onto.label != "" {
				v.label, v.round = fmt.Sprint(number), true
			}
			number++
			if !v.round && n.name != "" {
				v.label, v.below = n.name, v.label
			}
		} else if n.op == "sum" && n.fold {
			v.label, v.round = "+", true
		}
		m.model.vertices = append(m.model.vertices, v)
		m.vertex[i] = onto.to
		var picks []string
		for _, s := range m.sources(n) {
			if s.pick != "" && !slices.Contains(picks, s.pick) {
				picks = append(picks, s.pick)
			}
			e := onto
			e.maybe, e.kept = s.pick != "", s.kept
			m.connect(s.from, e)
		}
		m.model.vertices[onto.to].pick = strings.Join(picks, " + ")
	}
}

// text is what stands for the node: its operation, what is open of it, and how
// often.
func (n *node) text() string {
	text := n.label
	if n.open != "" {
		text += ", " + n.open
	}
	if t := n.times.String(); t != "" {
		text += " " + t
	}
	return text
}

// phrase is text without what is open.
func (n *node) phrase() string {
	if t := n.times.String(); t != "" {
		return n.label + " " + t
	}
	return n.label
}

// source is an operand, with the pick that may leave it out.
type source struct {
	from graph.Ref
	pick string
	kept float64 // mixture weight, or 1
}

// sources are the operands of a node and of the sums that it absorbs.
func (m *modeller) sources(n *node) []source {
	var out []source
	for k, r := range n.inputs {
		if r >= 0 && m.absorbed(int(r)) && n.picks == nil {
			out = append(out, m.sources(m.g.nodes[r])...)
			continue
		}
		s := source{from: r, kept: 1}
		if n.kept != nil {
			s.kept = n.kept[k]
		}
		if n.picks != nil {
			s.pick = n.picks[k]
		}
		out = append(out, s)
	}
	return out
}

// absorbed reports whether node i is a sum that only feeds the operation of a
// vertex, or another sum.
func (m *modeller) absorbed(i int) bool {
	n := m.g.nodes[i]
	if !n.fold || n.vertex || len(m.readers[i]) != 1 || m.g.output == graph.Ref(i) {
		return false
	}
	reader := m.g.nodes[m.readers[i][0]]
	if n.op == "sum" && reader.op == "sum" && reader.fold {
		return reader.picks == nil
	}
	return reader.vertex && len(reader.inputs) == 1 && !reader.fold
}

// feedsAlone reports whether the operation of r stands on an edge already.
func (m *modeller) feedsAlone(r graph.Ref) bool { return r >= 0 && m.onEdge[r] }

// connect draws an edge from r.
func (m *modeller) connect(r graph.Ref, e edge) {
	if r >= 0 && m.onEdge[r] {
		n := m.g.nodes[r]
		e.label, e.absent, e.nested, e.open = n.text(), n.absent, n.inner, n.open
		r = n.inputs[0]
	}
	if k, ok := r.IsInput(); ok {
		e.from = m.input[k]
	} else {
		e.from = m.vertex[r]
	}
	m.model.edges = append(m.model.edges, e)
}

// key tells models apart that look different, whatever nested diagrams look like.
func (m model) key() string {
	var b strings.Builder
	for _, v := range m.vertices {
		if v.nested != nil && v.nested.choices == nil {
			v.label = ""
		}
		fmt.Fprintf(&b, "%q%q%v%v%q%q;", v.label, v.below, v.round, v.output, v.open, v.pick)
	}
	for _, e := range m.edges {
		if e.nested != nil && e.nested.choices == nil {
			e.label = ""
		}
		fmt.Fprintf(&b, "%d>%d%q%v%v%q;", e.from, e.to, e.label, e.absent, e.maybe, e.open)
	}
	return b.String()
}
