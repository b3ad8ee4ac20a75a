package train

import (
	"fmt"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/graph"
)

// builder makes graphs by hand, without the compiler.
type builder struct{ *graph.Graph }

func newBuilder(name string, shape ...int) *builder {
	return &builder{&graph.Graph{Name: name, Kind: "cell", Inputs: []graph.Input{{Name: "x", Shape: shape}}}}
}

// op appends an operation; attributes are pairs of name and value.
func (b *builder) op(op string, in []graph.Ref, attrs ...any) graph.Ref {
	n := &graph.Node{Name: op, Op: op, Inputs: in}
	for i := 0; i < len(attrs); i += 2 {
		value := attrs[i+1]
		if v, ok := value.(int); ok {
			value = int64(v)
		}
		n.Attrs = append(n.Attrs, graph.Attr{Name: attrs[i].(string), Value: value})
	}
	b.Nodes = append(b.Nodes, n)
	b.Output = graph.Ref(len(b.Nodes) - 1)
	return b.Output
}

// then appends an operation on the last result.
func (b *builder) then(op string, attrs ...any) *builder {
	in := b.Output
	if len(b.Nodes) == 0 {
		in = graph.InputRef(0)
	}
	b.op(op, []graph.Ref{in}, attrs...)
	return b
}

// times appends n uses of one cell.
func (b *builder) times(cell *graph.Graph, n int) *builder {
	for i := range n {
		b.Nodes = append(b.Nodes, &graph.Node{Name: fmt.Sprintf("%s[%d]", cell.Name, i), Op: cell.Name, Inputs: []graph.Ref{b.Output}, Body: cell})
		b.Output = graph.Ref(len(b.Nodes) - 1)
	}
	return b
}

// classifier ends a network of the given number of classes.
func (b *builder) classifier(classes int) *graph.Graph {
	b.then("batch_norm").then("relu").then("global_pool").then("linear", "out", classes)
	last := b.Nodes[len(b.Nodes)-1]
	last.Shape = graph.Shape{classes}
	b.Kind = "space"
	return b.Graph
}

// edge is an operation with its attributes.
type edge struct {
	op    string
	attrs []any
}

// cell joins every pair of nodes by the edges, taken in order.
func cell(nodes int, edges ...edge) *graph.Graph {
	b := newBuilder("normal")
	values := []graph.Ref{graph.InputRef(0)}
	for len(values) < nodes {
		var terms []graph.Ref
		for _, v := range values {
			terms = append(terms, b.op(edges[0].op, []graph.Ref{v}, edges[0].attrs...))
			edges = edges[1:]
		}
		values = append(values, b.op("sum", terms))
	}
	return b.Graph
}

var (
	zero  = edge{"zero", nil}
	skip  = edge{"skip", nil}
	conv1 = edge{"relu_conv_bn", []any{"kernel", 1}}
	conv3 = edge{"relu_conv_bn", []any{"kernel", 3}}
	avg3  = edge{"avg_pool", []any{"kernel", 3}}
	sep5  = edge{"sep_conv", []any{"kernel", 5}}
	max3  = edge{"max_pool", []any{"kernel", 3}}
)

// nasbench201 is the skeleton of NAS-Bench-201 around a cell.
func nasbench201(c, n, classes int, image []int, cell *graph.Graph) *graph.Graph {
	return newBuilder("nasbench201", image...).then("conv_bn", "out", c).times(cell, n).
		then("residual", "out", 2*c, "stride", 2).times(cell, n).
		then("residual", "out", 4*c, "stride", 2).times(cell, n).classifier(classes)
}

// quickstart draws an architecture of spaces/quickstart.
func quickstart(r *rand.Rand, classes int) (*graph.Graph, string) {
	choices := []edge{zero, skip, conv3, sep5, max3}
	e := []edge{choices[r.IntN(5)], choices[r.IntN(5)], choices[r.IntN(5)]}
	width := 4 << r.IntN(3)
	d1, d2 := 1+r.IntN(3), 1+r.IntN(3)
	normal := cell(3, e...)
	return newBuilder("quickstart", 1, 16, 16).then("conv_bn", "out", width).times(normal, d1).
			then("relu_conv_bn", "kernel", 3, "stride", 2, "out", 2*width).times(normal, d2).classifier(classes),
		fmt.Sprint(e[0].op, " ", e[1].op, " ", e[2].op, " w", width, " d", d1, d2)
}
