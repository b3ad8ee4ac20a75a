// Package graph holds the concrete, hierarchical architecture: what is left of
// a space when every decision has been taken.
//
// A [Graph] is a list of nodes in topological order over a list of inputs. A
// [Node] is either an operation (its Op names a declared op, its Attrs are the
// bound attributes) or a nested graph (its Body is set). Nodes that stand for
// the same cell share one Body, so a skeleton of fifteen equal cells costs one.
// Every node carries its inferred output shape and its own cost. Graphs may share
// nodes and lists of inputs, so those of a finished graph are only read; the editing
// methods put changed copies in their places, and a [Graph.Clone] shares nothing.
//
// Evaluators receive only a Graph: where it came from cannot influence a score.
//
// Shapes are [C, H, W] for feature maps and [F] for vectors; the batch
// dimension is implicit. Params counts trainable numbers; MACs counts
// multiply-accumulates for one example.
package graph

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Shape is the extent of a tensor without its batch dimension.
type Shape []int

// String prints a shape as the language writes it: [16, 32, 32].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Equal reports whether two shapes are the same.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// Ref names a tensor inside one Graph: input i is Ref(-1-i), the output of
// node i is Ref(i).
type Ref int

// InputRef is the Ref of graph input i.
func InputRef(i int) Ref { return Ref(-1 - i) }

// IsInput reports whether r is a graph input, and which.
func (r Ref) IsInput() (int, bool) { return int(-1 - r), r < 0 }

// Attr is one bound attribute of an operation. Value is an int64, float64,
// bool or string.
type Attr struct {
	Name    string
	Value   any
	Default bool // the value is what the op takes when nothing is given
	Open    bool // settled from what reads the node; does not count in Hash
}

// Input is one entry of a graph.
type Input struct {
	Name  string
	Shape Shape
}

// Node is one operation or one nested graph.
type Node struct {
	Name   string // address below the graph: "n[1].edge[0]", "normal[2]"
	Op     string // the declared op; for a nested graph the template's name
	Module string // where the op is declared: "std/vision", "./cells.nas", the plugin "lab/ops"
	Attrs  []Attr // in the order of the op's declaration
	Inputs []Ref
	Body   *Graph // nil for an operation
	Shape  Shape  // of the output

	Params int64 // of this node alone; 0 for nested graphs
	MACs   int64 // for one example; 0 for nested graphs

	// The algebra that the op declares in its .nas signature.
	Absent      bool // stands for "no edge" (zero)
	Identity    bool // hands its input on unchanged (skip with stride 1)
	Commutative bool // the order of the inputs does not matter (sum)
	Sparse      bool // leaves absent inputs out; of none left it is absent (sum)
	Collapses   bool // of one input it is that input (sum)

	// Fold marks an operation on a set of tensors (sum, concat), which `.nas`
	// writes with a list: sum([a, b]).
	Fold bool

	// Vertex marks the output of a `node` statement, which drawings show as a
	// numbered circle; its name is the vertex's name.
	Vertex string

	known *known // see Prepare
}

// Attr returns the attribute called name, or nil.
func (n *Node) Attr(name string) any {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// Int returns an integer attribute and whether the node has one by that name.
func (n *Node) Int(name string) (int, bool) {
	v, ok := n.Attr(name).(int64)
	return int(v), ok
}

// Label is the operation as `.nas` writes it, with the attributes that differ
// from the op's own defaults: relu_conv_bn(kernel: 3).
func (n *Node) Label() string {
	var parts []string
	for _, a := range n.Attrs {
		if !a.Default {
			parts = append(parts, fmt.Sprintf("%s: %s", a.Name, FormatValue(a.Value)))
		}
	}
	if len(parts) == 0 {
		return n.Op
	}
	return n.Op + "(" + strings.Join(parts, ", ") + ")"
}

// Plugin is the plugin that declares the operation, "lab/ops", if one does.
func (n *Node) Plugin() (name string, ok bool) {
	for _, other := range []string{"std/", "./", "../"} {
		if strings.HasPrefix(n.Module, other) {
			return "", false
		}
	}
	return n.Module, n.Module != "" && n.Body == nil && !filepath.IsAbs(n.Module)
}

// FormatValue prints an attribute value as a `.nas` literal.
func FormatValue(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	}
	return fmt.Sprint(v)
}

// Graph is a concrete architecture or a part of one.
type Graph struct {
	Name   string // the template it came from, with its index in an array: "normal", "motif[3]"
	Kind   string // "space", "cell" or "block"
	Inputs []Input
	Nodes  []*Node // topological: a node reads only inputs and earlier nodes
	Output Ref
}

// Shape is the shape of the tensor that r names.
func (g *Graph) Shape(r Ref) Shape {
	if i, ok := r.IsInput(); ok {
		return g.Inputs[i].Shape
	}
	return g.Nodes[r].Shape
}
