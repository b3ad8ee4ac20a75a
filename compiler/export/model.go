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
	readers [][]int // of every node
	onEdge  []bool
	vertex  []int // of every node, -1 while not yet or on an edge
	input   []int
	model   model
}

func newModel(g *graph.Graph) model {
	m := modeller{g: g, readers: make([][]int, len(g.Nodes)), onEdge: make([]bool, len(g.Nodes)),
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
		if len(m.g.Inputs) == 1 && m.hasVertices() {
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

func (m *modeller) hasVertices() bool {
	for _, n := range m.g.Nodes {
		if n.Vertex != "" {
			return true
		}
	}
	return false
}

func (m *modeller) nodes() {
	number := 0
	if len(m.g.Inputs) == 1 {
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
		if n.Vertex != "" {
			if n.Fold {
				v.label, v.round = fmt.Sprint(number), true
			}
			number++
		} else if n.Op == "sum" && n.Fold {
			v.label, v.round = "+", true
		}
		to := len(m.model.vertices)
		m.model.vertices = append(m.model.vertices, v)
		m.vertex[i] = to
		for _, r := range sources {
			m.connect(r, to)
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

func (m *modeller) connect(r graph.Ref, to int) {
	e := edge{to: to}
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

// Short is the operation of a node as figures write it: the kernel as 3×3, the
// stride and other attributes only where they are not the default, and nothing
// that the shapes tell anyway.
func Short(n *graph.Node) string {
	if n.Body != nil {
		return n.Body.Name
	}
	var b strings.Builder
	b.WriteString(n.Op)
	var more []string
	for _, a := range n.Attrs {
		switch a.Name {
		case "kernel":
			fmt.Fprintf(&b, " %v×%v", a.Value, a.Value)
		case "out", "height", "width":
		case "stride":
			if a.Value != int64(1) {
				more = append(more, fmt.Sprintf("/%v", a.Value))
			}
		default:
			if !a.Default {
				more = append(more, fmt.Sprintf("%s %s", a.Name, graph.FormatValue(a.Value)))
			}
		}
	}
	for i, m := range more {
		if i == 0 && m[0] == '/' {
			b.WriteString(" " + m)
			continue
		}
		b.WriteString(", " + m)
	}
	return b.String()
}

// key tells models apart that look different.
func (m model) key() string {
	var b strings.Builder
	for _, v := range m.vertices {
		fmt.Fprintf(&b, "%q%q%v%v;", v.label, v.below, v.round, v.output)
	}
	for _, e := range m.edges {
		fmt.Fprintf(&b, "%d>%d%q%v;", e.from, e.to, e.label, e.absent)
	}
	return b.String()
}
