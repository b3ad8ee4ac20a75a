package graph_test

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

// A cell of an input and two vertices is built by hand, joined densely by an
// operation, and then rewired.
func ExampleGraph_Dense() {
	s := graph.Shape{16, 8, 8}
	cell := &graph.Graph{Name: "cell", Kind: "cell", Inputs: []graph.Input{{Name: "x", Shape: s}}}
	cell.Output = graph.InputRef(0)
	vertex := func(name string) graph.Ref {
		r, err := cell.AddNode(&graph.Node{Name: name, Op: "sum", Module: "std/core", Shape: s, Vertex: name,
			Fold: true, Commutative: true, Sparse: true, Collapses: true})
		if err != nil {
			fmt.Println(err)
		}
		return r
	}
	vertices, err := cell.Dense([]graph.Ref{graph.InputRef(0), vertex("n0"), vertex("n1")},
		func(from, to graph.Ref) *graph.Node {
			return &graph.Node{Name: fmt.Sprintf("conv%d%d", from+1, to+1), Op: "conv", Shape: s}
		})
	fmt.Println(vertices, err)
	fmt.Println(cell.SetOutput(vertices[2]))
	fmt.Println(describe(cell))
	// Output:
	// [-1 1 4] <nil>
	// <nil>
	// conv01(x) n0(conv01) conv02(x) conv12(n0) n1(conv02,conv12) = n1
}

// The edge into a vertex is taken away, another is put in, and a third gets an
// operation.
func ExampleGraph_Connect() {
	s := graph.Shape{16, 8, 8}
	b := graphtest.New("cell", "cell", s)
	f := b.Add(graph.Node{Name: "f", Op: "f"}, graph.InputRef(0))
	h := b.Add(graph.Node{Name: "h", Op: "h"}, f)
	v := b.Sum("v", f, h)
	g := b.Graph
	fmt.Println(describe(g))

	fmt.Println(g.Disconnect(v, 0))
	_, err := g.Connect(graph.InputRef(0), v)
	fmt.Println(err)
	fmt.Println(g.Insert(v, 1, &graph.Node{Name: "pool", Op: "avg_pool", Shape: s}))
	fmt.Println(g.Redirect(h, 0, graph.InputRef(0)))
	fmt.Println(describe(g))

	_, err = g.Connect(v, h) // backwards
	fmt.Println(err)
	// Output:
	// f(x0) h(f) v(f,h) = v
	// <nil>
	// <nil>
	// 2 <nil>
	// <nil>
	// f(x0) h(x0) pool(x0) v(h,pool) = v
	// graph cell: node h takes a certain number of operands; replace it
}

// Every edge into a vertex of the cells gets a dropout, whatever is on it.
func ExampleGraph_UpdateEdges() {
	g := graphtest.NASBench201("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|", 1)
	n, err := g.UpdateEdges("normal", func(e graph.Edge) *graph.Node {
		to := e.Graph.Nodes[e.To]
		if !to.Fold {
			return nil
		}
		return &graph.Node{Name: fmt.Sprintf("%s.drop[%d]", to.Name, e.At), Op: "drop_path", Shape: to.Shape}
	})
	fmt.Println(n, err)
	fmt.Println(describe(g.Nodes[1].Body.Live()))
	// Output:
	// 18 <nil>
	// n[0].edge[0](x0) n[0].drop[0](n[0].edge[0]) n[1].edge[1](n[0].drop[0]) n[1].drop[1](n[1].edge[1]) n[2].drop[2](n[1].drop[1]) = n[2].drop[2]
}

// Two operations become a block, and are written out again.
func ExampleGraph_Wrap() {
	s := graph.Shape{16, 8, 8}
	b := graphtest.New("cell", "cell", s)
	f := b.Add(graph.Node{Name: "f", Op: "f"}, graph.InputRef(0))
	h := b.Add(graph.Node{Name: "h", Op: "h"}, f)
	k := b.Add(graph.Node{Name: "k", Op: "k"}, graph.InputRef(0))
	b.Sum("v", h, k)
	g := b.Graph
	before := g.Hash()

	at, err := g.Wrap("branch", f, h)
	fmt.Println(at, err)
	fmt.Println(describe(g), "with branch", describe(g.Nodes[at].Body))
	fmt.Println(g.Hash() == before)

	fmt.Println(g.Open(at))
	fmt.Println(describe(g))
	// Output:
	// 1 <nil>
	// k(x0) branch(x0) v(branch,k) = v with branch f(x0) h(f) = h
	// true
	// 2 <nil>
	// k(x0) branch.f(x0) branch.h(branch.f) v(branch.h,k) = v
}

// One of five equal cells gets another operation on an edge.
func ExampleGraph_EditNested() {
	g := graphtest.NASBench201("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|", 5)
	third, _ := g.Find("normal[2]")
	err := g.EditNested(third, func(cell *graph.Graph) error {
		edge, _ := cell.Find("n[0].edge[0]")
		pool := graphtest.Edge201("avg_pool_3x3", cell.Shape(edge))
		pool.Name, pool.Inputs, pool.Shape = "n[0].edge[0]", cell.Nodes[edge].Inputs, cell.Shape(edge)
		return cell.Replace(edge, &pool)
	})
	fmt.Println(err)
	for _, n := range g.Nodes[1:6] {
		fmt.Println(n.Name, n.Body.Nodes[0].Label())
	}
	// Output:
	// <nil>
	// normal[0] relu_conv_bn(kernel: 3)
	// normal[1] relu_conv_bn(kernel: 3)
	// normal[2] avg_pool(kernel: 3)
	// normal[3] relu_conv_bn(kernel: 3)
	// normal[4] relu_conv_bn(kernel: 3)
}
