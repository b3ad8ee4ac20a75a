package graph_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

// Every 3x3 convolution of the cells becomes a 1x1 one, in each of the three
// graphs that the fifteen cells share.
func ExampleGraph_UpdateWhere() {
	g := graphtest.NASBench201("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|", 5)
	before := g.Params()
	n, err := g.UpdateWhere("normal",
		func(n *graph.Node) bool { k, _ := n.Int("kernel"); return k == 3 && n.Op == "relu_conv_bn" },
		func(n *graph.Node) error {
			name, inputs := n.Name, n.Inputs
			*n = graphtest.Conv("relu_conv_bn", n.Shape[0], n.Shape, 1, 1)
			n.Name, n.Inputs = name, inputs
			return nil
		})
	fmt.Println(n, err)
	fmt.Println(before-g.Params() == 5*2*8*(16*16+32*32+64*64))
	// Output:
	// 6 <nil>
	// true
}

func TestEdits(t *testing.T) {
	s := graph.Shape{4, 2, 2}
	b := graphtest.New("cell", "c", s)
	f := b.Add(graph.Node{Name: "f", Op: "f"}, graph.InputRef(0))
	spare := b.Add(graph.Node{Name: "spare", Op: "f"}, f)
	h := b.Add(graph.Node{Name: "h", Op: "h"}, f)
	g := b.Graph
	before := describe(g)

	for name, err := range map[string]error{
		"remove what is read":    g.RemoveNode(f),
		"remove the output":      g.RemoveNode(h),
		"remove nothing":         g.RemoveNode(9),
		"replace an input":       g.Replace(graph.InputRef(0), &graph.Node{}),
		"replace by a loop":      g.Replace(f, &graph.Node{Name: "f", Op: "f", Shape: s, Inputs: []graph.Ref{h}}),
		"an equal name":          second(g.AddNode(&graph.Node{Name: "h", Op: "f", Shape: s})),
		"an unknown input":       second(g.AddNode(&graph.Node{Name: "k", Op: "f", Shape: s, Inputs: []graph.Ref{7}})),
		"a failing update":       second(g.UpdateWhere("", everything, func(*graph.Node) error { return errors.New("no") })),
		"an invalidating update": second(g.UpdateWhere("c", everything, func(n *graph.Node) error { n.Op = ""; return nil })),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if describe(g) != before {
		t.Fatalf("a failed edit changed the graph: %s", describe(g))
	}

	if err := g.RemoveNode(spare); err != nil {
		t.Fatal(err)
	}
	r, err := g.AddNode(&graph.Node{Name: "k", Op: "k", Shape: s, Inputs: []graph.Ref{1}})
	if err != nil || r != 2 {
		t.Fatal(r, err)
	}
	if err := g.Replace(0, &graph.Node{Name: "f2", Op: "f", Shape: s, Inputs: []graph.Ref{graph.InputRef(0)}}); err != nil {
		t.Fatal(err)
	}
	if got := describe(g); got != "f2(x0) h(f2) k(h) = h" {
		t.Errorf("after the edits: %s", got)
	}
	if n, err := g.UpdateWhere("other", everything, nil); n != 0 || err != nil {
		t.Errorf("another scope: %d, %v", n, err)
	}
}

func second[T any](_ T, err error) error { return err }

func everything(*graph.Node) bool { return true }

func TestCloneAndWalk(t *testing.T) {
	g := graphtest.NASBench201(arch0, 5)
	c := g.Clone()
	c.Nodes[1].Body.Nodes[0].Op = "changed"
	if c.Nodes[2].Body != c.Nodes[1].Body || g.Nodes[1].Body.Nodes[0].Op == "changed" {
		t.Error("Clone shares with its original or not within itself")
	}
	nodes, first := 0, ""
	for path := range g.Walk() {
		if nodes++; strings.HasSuffix(path, "edge[0]") && first == "" {
			first = path
		}
	}
	if nodes != 7+15*10 || first != "normal[0].n[0].edge[0]" {
		t.Errorf("Walk visits %d nodes, first edge %s", nodes, first)
	}
}
