package export

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// diagram is the inside of a graph as pictures see it: words instead of numbers.
// Both an architecture (architecture.go) and the plan of a space (template.go)
// become diagrams; nothing after that knows which it was.
type diagram struct {
	name, kind string // of the template
	inputs     []entry
	nodes      []*node // topological
	output     graph.Ref

	// A template that only chooses is a list of candidates instead of nodes.
	choices []candidate
	stride  string // of all candidates: " /2"
	weighed bool   // the candidates have mixture weights
}

// entry is an input of a diagram.
type entry struct{ name, shape string }

// node is one operation or one nested diagram.
type node struct {
	op     string // the name of the operation alone
	label  string // the operation with what matters of its attributes
	stride string // the part of label that says so: " /2"
	inputs []graph.Ref
	picks  []string  // for every input, "2 of 3" where it is a candidate; nil when none is
	kept   []float64 // for every input its mixture weight, 1 where it has none; nil: of an architecture
	shape  string    // of the output
	inner  *diagram
	vertex bool   // a `node` statement made it
	name   string // of the vertex, where it is shown
	fold   bool   // takes a set of tensors
	absent bool
	open   string // attributes to be decided: "kernel 3 | 5"
	times  times
}

// candidate is one alternative of a choice.
type candidate struct {
	label  string
	absent bool
	inner  *diagram // when it is one nested diagram
	weight float64  // of a mixture
}

// times says how often something is repeated, one after the other.
type times struct {
	least, most int
	name        string // of the decision, where it is decided elsewhere too
}

var once = times{least: 1, most: 1}

// String writes ×5, ×1..3 or ×d, and nothing for once.
func (t times) String() string {
	switch {
	case t.name != "":
		return "×" + t.name
	case t == once:
		return ""
	case t.least == t.most:
		return fmt.Sprintf("×%d", t.most)
	}
	return fmt.Sprintf("×%d..%d", t.least, t.most)
}

// plus is both, one after the other; false where that has no short form.
func (t times) plus(u times) (times, bool) {
	return times{least: t.least + u.least, most: t.most + u.most}, t.name == "" && u.name == ""
}

// choice returns the diagram that n chooses from, or nil.
func (n *node) choice() *diagram {
	if n.inner != nil && n.inner.choices != nil {
		return n.inner
	}
	return nil
}

// attribute is one attribute of an operation in words.
type attribute struct {
	name, text string
	value      any  // nil when it is to be decided
	standard   bool // what the op takes when nothing is given
}

// wording is an operation as figures write it, in parts.
type wording struct {
	name   string   // with its kernel: conv 3×3
	stride string   // " /2"
	rest   []string // other attributes
	open   []string // attributes to be decided
}

// words is the operation as figures write it: kernel and stride as 3×3 /2,
// switches and words bare, other attributes by name where they are not the
// default, and nothing that the shapes tell anyway.
func words(op string, attrs []attribute, sequence bool) wording {
	kernel, stride := "", ""
	var rest, open []string
	for _, a := range attrs {
		switch v := a.value.(type) {
		case bool:
			switch {
			case a.standard:
			case v:
				rest = append(rest, a.name)
			default:
				rest = append(rest, a.name+" false")
			}
			continue
		case string:
			if !a.standard {
				rest = append(rest, v)
			}
			continue
		}
		switch {
		case a.name == "out" || a.name == "height" || a.name == "width":
		case a.value == nil:
			open = append(open, a.name+" "+a.text)
		case a.name == "kernel":
			if kernel = " " + a.text + "×" + a.text; sequence {
				kernel = " kernel " + a.text
			}
		case a.name == "stride":
			if a.value != int64(1) {
				stride = " /" + a.text
			}
		case !a.standard:
			rest = append(rest, a.name+" "+a.text)
		}
	}
	return wording{op + kernel, stride, rest, open}
}

// String is what is settled of the operation.
func (p wording) String() string {
	return strings.Join(append([]string{p.name + p.stride}, p.rest...), ", ")
}

// Short is the operation of a node as figures write it.
func Short(n *graph.Node) string {
	if n.Body != nil {
		return n.Body.Name
	}
	attrs := make([]attribute, len(n.Attrs))
	for i, a := range n.Attrs {
		attrs[i] = attribute{a.Name, fmt.Sprint(a.Value), a.Value, a.Default}
	}
	return words(n.Op, attrs, isSequence(n.Shape)).String()
}

// isSequence tells a feature map [C, T, 1], whose kernels reach along one axis.
func isSequence(s graph.Shape) bool { return len(s) == 3 && s[1] > 1 && s[2] == 1 }

// size writes a shape as figures do: 16×32×32; 16×100 for a sequence.
func size(s graph.Shape) string {
	if isSequence(s) {
		s = s[:2]
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return strings.Join(parts, "×")
}

// architecture is the diagram of a graph; graphs that are one are one diagram.
func architecture(g *graph.Graph, known map[*graph.Graph]*diagram) *diagram {
	if d, ok := known[g]; ok {
		return d
	}
	d := &diagram{name: g.Name, kind: g.Kind, output: g.Output}
	known[g] = d
	for _, in := range g.Inputs {
		d.inputs = append(d.inputs, entry{in.Name, size(in.Shape)})
	}
	for _, n := range g.Nodes {
		m := &node{op: n.Op, label: Short(n), inputs: n.Inputs, shape: size(n.Shape),
			vertex: n.Vertex != "", fold: n.Fold, absent: n.Absent, times: once}
		if n.Body != nil {
			m.inner = architecture(n.Body, known)
		}
		d.nodes = append(d.nodes, m)
	}
	return d
}
