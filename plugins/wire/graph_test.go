package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
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
	b, err := AppendGraph([]byte("before"), g)
	if err != nil {
		t.Fatal(err)
	}
	b = b[len("before"):]
	if m := message(t, b); len(m.Bodies) != 3 {
		t.Errorf("%d bodies were sent, not 3", len(m.Bodies))
	}
	h, err := ReadGraph(b)
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

// TestGraphCut: a graph that is cut off anywhere is an error, between two bodies too,
// since the outer ones come first and refer to the inner ones.
func TestGraphCut(t *testing.T) {
	b, err := AppendGraph(nil, nested())
	if err != nil {
		t.Fatal(err)
	}
	whole := 0
	for n := range b {
		if _, err := ReadGraph(b[:n]); err == nil {
			whole++
		}
	}
	if whole > 0 {
		t.Errorf("%d of %d beginnings are taken for graphs", whole, len(b))
	}
}

// TestGraphOfLaterProtocol: fields that are not known are passed over, and numbers may
// come one by one.
func TestGraphOfLaterProtocol(t *testing.T) {
	g := &graph.Graph{Name: "net", Inputs: []graph.Input{{Name: "x", Shape: graph.Shape{3, 8}}}, Output: -1}
	b, err := AppendGraph(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	var in, body, out []byte
	in = protowire.AppendString(protowire.AppendTag(in, 1, protowire.BytesType), "x")
	for _, d := range g.Inputs[0].Shape {
		in = protowire.AppendVarint(protowire.AppendTag(in, 2, protowire.VarintType), uint64(d))
	}
	body = protowire.AppendString(protowire.AppendTag(body, 1, protowire.BytesType), "net")
	body = protowire.AppendFixed32(protowire.AppendTag(body, 99, protowire.Fixed32Type), 7)
	body = protowire.AppendGroup(protowire.AppendTag(body, 98, protowire.StartGroupType), 98, in)
	body = protowire.AppendBytes(protowire.AppendTag(body, 3, protowire.BytesType), in)
	body = protowire.AppendVarint(protowire.AppendTag(body, 5, protowire.VarintType), 1)
	out = protowire.AppendBytes(protowire.AppendTag(out, 1, protowire.BytesType), body)
	for _, b := range [][]byte{b, out} {
		if h, err := ReadGraph(b); err != nil || !reflect.DeepEqual(g, h) {
			t.Errorf("%v, %v", h, err)
		}
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
		b, err := AppendGraph(nil, nested())
		if err != nil {
			t.Fatal(err)
		}
		m := message(t, b)
		spoil(m)
		if _, err := ReadGraph(marshal(t, m)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for want, spoil := range map[string]func(*graph.Node){
		"a value is an int64":   func(n *graph.Node) { n.Attrs = []graph.Attr{{Name: "x", Value: 3}} },
		"is not valid UTF-8":    func(n *graph.Node) { n.Op = "\xff" },
		"shape [-1] is too lar": func(n *graph.Node) { n.Shape = graph.Shape{-1} },
	} {
		bad := nested()
		spoil(bad.Nodes[0])
		if _, err := AppendGraph(nil, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "\xff")
	if _, err := ReadGraph(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), b)); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("a name that is no text: %v", err)
	}
}

// FuzzReadGraph: whatever is read as a graph is one, generated code reads it too, and
// it can be sent again.
func FuzzReadGraph(f *testing.F) {
	b, err := AppendGraph(nil, nested())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ReadGraph(b)
		if err != nil {
			return
		}
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		m := &pb.Graph{}
		if err := proto.Unmarshal(b, m); err != nil {
			t.Fatalf("generated code does not read it: %v", err)
		}
		if h, err := ReadGraph(marshal(t, m)); err != nil || !equal(g, h) {
			t.Fatalf("generated code reads another graph: %v", err)
		}
		again, err := AppendGraph(nil, g)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := ReadGraph(again); err != nil || !equal(g, h) {
			t.Fatalf("it cannot be sent again: %v", err)
		}
	})
}

// equal compares what is sent of two graphs, so that not-a-numbers are equal.
func equal(g, h *graph.Graph) bool {
	a, errA := AppendGraph(nil, g)
	b, errB := AppendGraph(nil, h)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// A node that an earlier graph had is tested in each graph anew: what it reads must be
// there, and a graph that is refused spoils no other.
func TestSharedNodes(t *testing.T) {
	s := graph.Shape{4}
	node := func(name string, from graph.Ref) *graph.Node {
		return &graph.Node{Name: name, Op: "linear", Inputs: []graph.Ref{from}, Shape: s, Params: 16}
	}
	of := func(nodes ...*graph.Node) []byte {
		t.Helper()
		b, err := AppendGraph(nil, &graph.Graph{Name: "net", Inputs: []graph.Input{{Name: "x", Shape: s}}, Nodes: nodes})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second := node("first", -1), node("second", 0)
	for range 3 {
		g, err := ReadGraph(of(first, second))
		if err != nil || g.Nodes[1].Name != "second" || g.Nodes[1].Inputs[0] != 0 {
			t.Fatalf("%v, %v", g, err)
		}
		if g, err := ReadGraph(of(second)); err == nil || !strings.Contains(err.Error(), "node second: it reads 0") {
			t.Fatalf("a node that reads itself: %v, %v", g, err)
		}
	}
}
