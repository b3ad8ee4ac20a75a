package graph_test

import (
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

// TestLiveFolds folds one tensor, an absent edge and perhaps a second tensor
// with every combination of the two flags.
func TestLiveFolds(t *testing.T) {
	s := graph.Shape{4, 2, 2}
	for _, c := range []struct {
		sparse, collapses bool
		operands          string // x: the input; f: an operation; 0: an absent edge
		want              string
	}{
		{true, true, "x0", "= x0"},
		{true, false, "x0", "fold(x0) = fold"},
		{false, true, "x0", "zero() fold(x0,zero) = fold"},
		{false, false, "x0", "zero() fold(x0,zero) = fold"},
		{true, true, "xf0", "f(x0) fold(x0,f) = fold"},
		{false, true, "xf0", "f(x0) zero() fold(x0,f,zero) = fold"},
		{false, true, "x", "= x0"},
		{false, false, "x", "fold(x0) = fold"},
		{true, true, "00", "fold() = fold"},
		{true, false, "00", "fold() = fold"},
		{false, false, "00", "fold() = fold"},
	} {
		b := graphtest.New("cell", "c", s)
		zero := b.Add(graph.Node{Name: "zero", Op: "zero", Absent: true}, graph.InputRef(0))
		f := b.Add(graph.Node{Name: "f", Op: "f"}, graph.InputRef(0))
		var in []graph.Ref
		for _, o := range c.operands {
			in = append(in, map[rune]graph.Ref{'x': graph.InputRef(0), 'f': f, '0': zero}[o])
		}
		b.Add(graph.Node{Name: "fold", Op: "any", Fold: true, Sparse: c.sparse, Collapses: c.collapses}, in...)
		live := b.Live()
		if err := live.Validate(); err != nil {
			t.Error(err)
		}
		if got := describe(live); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestDisconnected: a graph is disconnected when every way to its output leads through an
// absent edge, also inside of what it nests; one that leaves a single way is not.
func TestDisconnected(t *testing.T) {
	s := graph.Shape{4, 2, 2}
	// cell is x + op(x) of the two edges; an edge is 0: absent, f: an operation, x: the input.
	cell := func(edges string) *graph.Graph {
		b := graphtest.New("cell", "c", s)
		var in []graph.Ref
		for _, e := range edges {
			switch e {
			case '0':
				in = append(in, b.Add(graph.Node{Name: "zero", Op: "zero", Absent: true}, graph.InputRef(0)))
			case 'f':
				in = append(in, b.Add(graph.Node{Name: "f", Op: "f"}, graph.InputRef(0)))
			case 'x':
				in = append(in, graph.InputRef(0))
			}
		}
		b.Add(graph.Node{Name: "sum", Op: "sum", Fold: true, Sparse: true, Collapses: true}, in...)
		return b.Graph
	}
	for _, c := range []struct {
		first, second string // edges of two cells, one after the other
		want          bool
	}{
		{"00", "ff", true}, {"ff", "00", true}, {"f0", "0x", false}, {"xx", "x0", false}, {"00", "00", true},
	} {
		b := graphtest.New("space", "s", s)
		one := b.Add(graph.Node{Name: "one", Op: "c", Body: cell(c.first)}, graph.InputRef(0))
		two := b.Add(graph.Node{Name: "two", Op: "c", Body: cell(c.second)}, one)
		b.Add(graph.Node{Name: "linear", Op: "linear", Params: 4}, two)
		if got := b.Disconnected(); got != c.want {
			t.Errorf("%s then %s: %v", c.first, c.second, got)
		}
	}
	through := graphtest.New("space", "s", s)
	if through.Output = graph.InputRef(0); through.Disconnected() {
		t.Error("what is handed on depends on the input")
	}
}
