// Package graphtest builds graphs of published architectures by hand, for
// tests of packages that must not depend on the compiler.
package graphtest

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// Builder adds nodes to a graph one by one.
type Builder struct{ *graph.Graph }

// New starts a graph with inputs called x0, x1, ….
func New(kind, name string, inputs ...graph.Shape) Builder {
	g := &graph.Graph{Kind: kind, Name: name}
	for i, s := range inputs {
		g.Inputs = append(g.Inputs, graph.Input{Name: fmt.Sprintf("x%d", i), Shape: s})
	}
	return Builder{g}
}

// Add appends a node, makes it the output and returns its Ref.
func (b Builder) Add(n graph.Node, inputs ...graph.Ref) graph.Ref {
	n.Inputs = inputs
	if n.Name == "" {
		n.Name = fmt.Sprintf("%s[%d]", n.Op, len(b.Nodes))
	}
	if n.Shape == nil {
		n.Shape = b.Shape(inputs[0])
	}
	b.Nodes = append(b.Nodes, &n)
	b.Output = graph.Ref(len(b.Nodes) - 1)
	return b.Output
}

// Sum appends the vertex that adds the inputs.
func (b Builder) Sum(vertex string, inputs ...graph.Ref) graph.Ref {
	return b.Add(graph.Node{Name: vertex, Op: "sum", Module: "std/core", Commutative: true, Sparse: true, Collapses: true,
		Fold: true, Vertex: vertex}, inputs...)
}

// Nest appends a node that holds body.
func (b Builder) Nest(name string, body *graph.Graph, inputs ...graph.Ref) graph.Ref {
	return b.Add(graph.Node{Name: name, Op: body.Name, Body: body, Shape: body.Shape(body.Output)}, inputs...)
}

// Conv is a convolution from c channels with batch norm, by its parameter and
// MAC count.
func Conv(op string, c int, out graph.Shape, kernel, stride int) graph.Node {
	o, k := int64(out[0]), int64(kernel*kernel)
	return graph.Node{
		Op: op, Module: "std/vision", Shape: out,
		Attrs: []graph.Attr{
			{Name: "out", Value: o, Default: out[0] == c},
			{Name: "kernel", Value: int64(kernel)},
			{Name: "stride", Value: int64(stride), Default: stride == 1},
		},
		Params: o * (int64(c)*k + 2),
		MACs:   o * int64(c) * k * int64(out[1]*out[2]),
	}
}

// Edge201 is an operation of NAS-Bench-201 by its name there.
func Edge201(name string, s graph.Shape) graph.Node {
	switch name {
	case "none":
		return graph.Node{Op: "zero", Module: "std/vision", Absent: true,
			Attrs: []graph.Attr{{Name: "stride", Value: int64(1), Default: true}}}
	case "skip_connect":
		return graph.Node{Op: "skip", Module: "std/vision", Identity: true,
			Attrs: []graph.Attr{{Name: "stride", Value: int64(1), Default: true}}}
	case "nor_conv_1x1":
		return Conv("relu_conv_bn", s[0], s, 1, 1)
	case "nor_conv_3x3":
		return Conv("relu_conv_bn", s[0], s, 3, 1)
	case "avg_pool_3x3":
		return graph.Node{Op: "avg_pool", Module: "std/vision", Attrs: []graph.Attr{
			{Name: "kernel", Value: int64(3)}, {Name: "stride", Value: int64(1), Default: true}}}
	}
	panic("no operation of NAS-Bench-201: " + name)
}

// Cell201 is a NAS-Bench-201 cell, given as |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
func Cell201(arch string, s graph.Shape) *graph.Graph {
	b := New("cell", "normal", s)
	vertices := []graph.Ref{graph.InputRef(0)}
	for v, part := range strings.Split(arch, "+") {
		var edges []graph.Ref
		for e, op := range strings.Split(strings.Trim(part, "|"), "|") {
			name, _, _ := strings.Cut(op, "~")
			n := Edge201(name, s)
			n.Name = fmt.Sprintf("n[%d].edge[%d]", v, e)
			edges = append(edges, b.Add(n, vertices[e]))
		}
		vertices = append(vertices, b.Sum(fmt.Sprintf("n[%d]", v), edges...))
	}
	return b.Graph
}

// NASBench201 is the whole network of n cells per stage.
func NASBench201(arch string, n int) *graph.Graph {
	b := New("space", "nasbench201", graph.Shape{3, 32, 32})
	b.Inputs[0].Name = "image"
	s := graph.Shape{16, 32, 32}
	r := b.Add(Conv("conv_bn", 3, s, 3, 1), graph.InputRef(0))
	cells := 0
	for stage := range 3 {
		if stage > 0 {
			c, o := s[0], 2*s[0]
			s = graph.Shape{o, s[1] / 2, s[2] / 2}
			params := o*(9*c+9*o+4) + c*o
			r = b.Add(graph.Node{
				Op: "residual", Module: "std/vision", Shape: s,
				Attrs:  []graph.Attr{{Name: "out", Value: int64(o)}, {Name: "stride", Value: int64(2)}},
				Params: int64(params), MACs: int64((params - 4*o) * s[1] * s[2]),
			}, r)
		}
		cell := Cell201(arch, s)
		for range n {
			r = b.Nest(fmt.Sprintf("normal[%d]", cells), cell, r)
			cells++
		}
	}
	r = b.Add(graph.Node{Op: "batch_norm", Module: "std/vision", Params: 128}, r)
	r = b.Add(graph.Node{Op: "relu", Module: "std/vision"}, r)
	r = b.Add(graph.Node{Op: "global_pool", Module: "std/vision", Shape: graph.Shape{64}}, r)
	b.Add(graph.Node{Op: "linear", Module: "std/vision", Shape: graph.Shape{10}, Params: 650, MACs: 650,
		Attrs: []graph.Attr{{Name: "out", Value: int64(10)}}}, r)
	return b.Graph
}
