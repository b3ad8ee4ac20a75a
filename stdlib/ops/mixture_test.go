package ops_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
)

// TestMixture checks a mixture of an operation, an identity, an absent edge and a
// term with two weights: its value by hand, gradients by differences.
func TestMixture(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 2)
	x, v, edges := b.leaf("x", 2, 3, 4, 5), b.leaf("v", 3), b.leaf("edges", 2)
	conv := must[*gorgonia.Node](t)(b.Build("conv", "conv_bn", attrs(), x))
	zero := must[*gorgonia.Node](t)(b.Build("zero", "zero", attrs(), x))
	y := must[*gorgonia.Node](t)(b.Mixture(gorgonia.Nodes{conv, zero, x},
		[][]ops.Weight{{{Vector: 0, Index: 1}, {Vector: 1, Index: 0}}, {{Vector: 0, Index: 0}}, {{Vector: 0, Index: 2}}}, gorgonia.Nodes{v, edges}))
	loss := must[*gorgonia.Node](t)(b.Dot(y, b.leaf("r", 2, 3, 4, 5)))
	compare(t, b, loss, append(gorgonia.Nodes{x, v, edges}, b.params...))

	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, y, conv))
	run := func() []float64 {
		if err := p.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return p.Value(y)
	}
	run()
	weights, edge := p.Value(v), p.Value(edges)
	var want []float64
	for i, z := range p.Value(conv) {
		want = append(want, weights[1]*edge[0]*z+weights[2]*p.Value(x)[i])
	}
	same(t, run(), want...)

	// What has no weight is not read: it may be anything.
	p.Value(x)[0] = math.Inf(1)
	weights[1], weights[2] = 0, 0
	if y := run(); slices.Max(y) != 0 || slices.Min(y) != 0 {
		t.Error("a mixture without weights is not zero")
	}

	if _, err := b.Mixture(gorgonia.Nodes{x}, [][]ops.Weight{{{Vector: 0, Index: 3}}}, gorgonia.Nodes{v}); err == nil || err.Error() != "no weight 3 in vector 0" {
		t.Errorf("error %v", err)
	}
}
