package wire

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/graph"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// nested is a graph in which two bodies are shared, one of them on two levels.
func nested() *graph.Graph {
	s := graph.Shape{16, 8, 8}
	in := []graph.Input{{Name: "x", Shape: s}}
	leaf := &graph.Graph{Name: "leaf", Kind: "block", Inputs: in, Nodes: []*graph.Node{
		{Name: "op", Op: "conv", Attrs: []graph.Attr{{Name: "kernel", Value: int64(3)}, {Name: "rate", Value: 0.5, Open: true},
			{Name: "se", Value: true}, {Name: "act", Value: "relu"}}, Inputs: []graph.Ref{-1}, Shape: s, Params: 7, MACs: 1 << 40,
			Absent: true, Identity: true, Commutative: true, Sparse: true, Collapses: true, Vertex: "n[0]"},
	}}
	cell := &graph.Graph{Name: "cell", Kind: "cell", Inputs: in, Output: 1, Nodes: []*graph.Node{
		{Name: "a", Op: "leaf", Inputs: []graph.Ref{-1}, Body: leaf, Shape: s},
		{Name: "b", Op: "leaf", Inputs: []graph.Ref{0}, Body: leaf, Shape: s},
	}}
	return &graph.Graph{Name: "net", Kind: "space", Inputs: in, Output: 2, Nodes: []*graph.Node{
		{Name: "one", Op: "leaf", Inputs: []graph.Ref{-1}, Body: leaf, Shape: s},
		{Name: "two", Op: "cell", Inputs: []graph.Ref{0}, Body: cell, Shape: s},
		{Name: "three", Op: "cell", Inputs: []graph.Ref{1}, Body: cell, Shape: s},
	}}
}

// overTheWire marshals a message and reads it back.
func overTheWire[M proto.Message](t *testing.T, m, into M) M {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func TestGraph(t *testing.T) {
	g := nested()
	m, err := FromGraph(g)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Bodies) != 3 {
		t.Errorf("%d bodies were sent, not 3", len(m.Bodies))
	}
	h, err := ToGraph(overTheWire(t, m, &pb.Graph{}))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, h) {
		t.Error("the graph arrived differently")
	}
	if h.Nodes[1].Body != h.Nodes[2].Body || h.Nodes[0].Body != h.Nodes[1].Body.Nodes[0].Body {
		t.Error("bodies are no longer shared")
	}
}

func TestGraphRefusals(t *testing.T) {
	for want, spoil := range map[string]func(m *pb.Graph){
		"is empty":                        func(m *pb.Graph) { m.Bodies = nil },
		"not a later one":                 func(m *pb.Graph) { m.Bodies[1].Nodes[0].Body = 1 },
		"body is 3":                       func(m *pb.Graph) { m.Bodies[1].Nodes[0].Body = 3 },
		"body is -1":                      func(m *pb.Graph) { m.Bodies[1].Nodes[0].Body = -1 },
		"reads 1":                         func(m *pb.Graph) { m.Bodies[0].Nodes[1].Inputs[0] = 1 },
		"reads -2":                        func(m *pb.Graph) { m.Bodies[0].Nodes[1].Inputs[0] = -2 },
		"output refers to 3":              func(m *pb.Graph) { m.Bodies[0].Output = 3 },
		"output refers to -2147483648":    func(m *pb.Graph) { m.Bodies[0].Output = -1 << 31 },
		"takes 1 inputs and is given 2":   func(m *pb.Graph) { m.Bodies[0].Nodes[0].Inputs = []int32{-1, -1} },
		"shape is [16, 8] and its body's": func(m *pb.Graph) { m.Bodies[0].Nodes[0].Shape = []int32{16, 8} },
		"takes [16, 8, 8] and is given":   func(m *pb.Graph) { m.Bodies[0].Inputs[0].Shape = []int32{16, 4, 4} },
		"extent -1":                       func(m *pb.Graph) { m.Bodies[0].Nodes[0].Shape[0] = -1 },
		"cost is negative":                func(m *pb.Graph) { m.Bodies[2].Nodes[0].Params = -1 },
		"attribute kernel":                func(m *pb.Graph) { m.Bodies[2].Nodes[0].Attributes[0].Value = nil },
	} {
		m, err := FromGraph(nested())
		if err != nil {
			t.Fatal(err)
		}
		spoil(m)
		if _, err := ToGraph(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	bad := nested()
	bad.Nodes[0].Attrs = []graph.Attr{{Name: "x", Value: 3}}
	if _, err := FromGraph(bad); err == nil {
		t.Error("an attribute of type int was sent")
	}
}

func FuzzToGraph(f *testing.F) {
	m, err := FromGraph(nested())
	if err != nil {
		f.Fatal(err)
	}
	b, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &pb.Graph{}
		if proto.Unmarshal(b, m) != nil {
			return
		}
		g, err := ToGraph(m)
		if err != nil {
			return
		}
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		again, err := FromGraph(g)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := ToGraph(again); err != nil || h.Name != g.Name {
			t.Fatalf("it cannot be sent again: %v", err)
		}
	})
}
