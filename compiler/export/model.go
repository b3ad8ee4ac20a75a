package export

import (
	"fmt"
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
	nested *graph.Graph
}

type edge struct {
	from, to int
	label    string // empty: a plain arrow
	absent   bool
	nested   *graph.Graph
}

// modeller decides what becomes of every node. An operation with one input that
// is read by one fold or vertex alone goes on an edge; a sum that only feeds
// the operation of a `node` statement is part of that vertex; an operation that
// alone reads an input is part of the input. All else is a vertex.
type modeller struct {
	g       *graph.Graph
	counted bool    // the only input is vertex 0
	folds   bool    // vertices are sums, and operations stand on edges
	readers [][]int // of every node
	onEdge  []bool
	vertex  []int // of every node, -1 while not yet or on an edge
	input   []int
	model   model
}

// newModel models a graph. Where inputs are counted, vertices that are numbered
// go on from the one input; elsewhere they start from 0 beside named inputs.
func newModel(g *graph.Graph, counted bool) model {
	m := modeller{g: g, counted: counted && numbered(g), folds: numbered(g), readers: make([][]int, len(g.Nodes)), onEdge: make([]bool, len(g.Nodes)),
		vertex: make([]int, len(g.Nodes)), input: make([]int, len(g.Inputs))}
	inputReaders := make([][]int, len(g.Inputs))
	for i, n := range g.Nodes {
		for _, r := range n.Inputs {
			if k, ok := r.IsInput(); ok {
				inputReaders[k] = append(inputReaders[k], i)
			} else {
				m.readers[r] = append(m.readers[r], i)
			}
		}
		m.vertex[i] = -1
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		m.onEdge[i] = m.belongsOnEdge(i)
	}
	m.inputs(inputReaders)
	m.nodes()
	return m.model
}

func (m *modeller) belongsOnEdge(i int) bool {
	n := m.g.Nodes[i]
	if len(n.Inputs) != 1 || n.Vertex != "" || n.Fold || len(m.readers[i]) != 1 || m.g.Output == graph.Ref(i) {
		return false
	}
	reader := m.g.Nodes[m.readers[i][0]]
	return reader.Fold || reader.Vertex != "" || len(reader.Inputs) > 1
}

func (m *modeller) inputs(readers [][]int) {
	for k, in := range m.g.Inputs {
		v := vertex{label: in.Name, input: true, output: m.g.Output == graph.InputRef(k)}
		if m.counted {
			v.label, v.round = "0", true
		}
		if len(readers[k]) == 1 && !v.output {
			i := readers[k][0]
			n := m.g.Nodes[i]
			if !m.onEdge[i] && n.Body == nil && len(n.Inputs) == 1 && !n.Fold && len(m.readers[i]) > 1 {
				v.below = Short(n)
				v.output = m.g.Output == graph.Ref(i)
				m.vertex[i] = len(m.model.vertices)
			}
		}
		m.input[k] = len(m.model.vertices)
		m.model.vertices = append(m.model.vertices, v)
	}
}

// numbered reports whether a graph has vertices that are drawn as numbers: sums
// that a `node` statement names.
func numbered(g *graph.Graph) bool {
	for _, n := range g.Nodes {
		if n.Vertex != "" && n.Fold {
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
	for i, n := range m.g.Nodes {
		if m.onEdge[i] || m.vertex[i] >= 0 || m.absorbed(i) {
			continue
		}
		v := vertex{label: Short(n), output: m.g.Output == graph.Ref(i), nested: n.Body}
		sources := n.Inputs
		if len(sources) == 1 && sources[0] >= 0 && m.absorbed(int(sources[0])) {
			sources = m.g.Nodes[sources[0]].Inputs
		}
		onto := edge{to: len(m.model.vertices)}
		if n.Vertex != "" {
			if m.folds && !n.Fold && len(n.Inputs) == 1 && !m.feedsAlone(n.Inputs[0]) {
				// Beside sums, a vertex that is one operation has it on its edge.
				onto.label, onto.absent, onto.nested = v.label, n.Absent, n.Body
				v.nested = nil
			}
			if n.Fold || onto.label != "" {
				v.label, v.round = fmt.Sprint(number), true
			}
			number++
		} else if n.Op == "sum" && n.Fold {
			v.label, v.round = "+", true
		}
		m.model.vertices = append(m.model.vertices, v)
		m.vertex[i] = onto.to
		for _, r := range sources {
			m.connect(r, onto)
		}
	}
}

// absorbed reports whether node i is a sum that only feeds the operation of a
// vertex.
func (m *modeller) absorbed(i int) bool {
	n := m.g.Nodes[i]
	if !n.Fold || n.Vertex != "" || len(m.readers[i]) != 1 || m.g.Output == graph.Ref(i) {
		return false
	}
	reader := m.g.Nodes[m.readers[i][0]]
	return reader.Vertex != "" && len(reader.Inputs) == 1 && !reader.Fold
}

// feedsAlone reports whether the operation of r stands on an edge already.
func (m *modeller) feedsAlone(r graph.Ref) bool { return r >= 0 && m.onEdge[r] }

// connect draws an edge from r.
func (m *modeller) connect(r graph.Ref, e edge) {
	if r >= 0 && m.onEdge[r] {
		n := m.g.Nodes[r]
		e.label, e.absent, e.nested = Short(n), n.Absent, n.Body
		r = n.Inputs[0]
	}
	if k, ok := r.IsInput(); ok {
		e.from = m.input[k]
	} else {
		e.from = m.vertex[r]
	}
	m.model.edges = append(m.model.edges, e)
}

// Short is the operation of a node as figures write it: kernel and stride as
// 3×3 /2, switches and words bare, other attributes by name where they are not
// the default, and nothing that the shapes tell anyway.
func Short(n *graph.Node) string {
	if n.Body != nil {
		return n.Body.Name
	}
	kernel, stride := "", ""
	var rest []string
	for _, a := range n.Attrs {
		switch v := a.Value.(type) {
		case bool:
			switch {
			case a.Default:
			case v:
				rest = append(rest, a.Name)
			default:
				rest = append(rest, a.Name+" false")
			}
			continue
		case string:
			if !a.Default {
				rest = append(rest, v)
			}
			continue
		}
		switch a.Name {
		case "kernel":
			if kernel = fmt.Sprintf(" %v×%v", a.Value, a.Value); isSequence(n.Shape) {
				kernel = fmt.Sprintf(" kernel %v", a.Value)
			}
		case "out", "height", "width":
		case "stride":
			if a.Value != int64(1) {
				stride = fmt.Sprintf(" /%v", a.Value)
			}
		default:
			if !a.Default {
				rest = append(rest, fmt.Sprintf("%s %v", a.Name, a.Value))
			}
		}
	}
	return strings.Join(append([]string{n.Op + kernel + stride}, rest...), ", ")
}

// isSequence tells a feature map [C, T, 1], whose kernels reach along one axis.
func isSequence(s graph.Shape) bool { return len(s) == 3 && s[1] > 1 && s[2] == 1 }

// key tells models apart that look different, whatever nested graphs look like.
func (m model) key() string {
	var b strings.Builder
	for _, v := range m.vertices {
		if v.nested != nil {
			v.label = ""
		}
		fmt.Fprintf(&b, "%q%q%v%v;", v.label, v.below, v.round, v.output)
	}
	for _, e := range m.edges {
		if e.nested != nil {
			e.label = ""
		}
		fmt.Fprintf(&b, "%d>%d%q%v;", e.from, e.to, e.label, e.absent)
	}
	return b.String()
}
