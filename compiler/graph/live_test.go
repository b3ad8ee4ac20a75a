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
