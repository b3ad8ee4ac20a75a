package report

import (
	"math"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/runtime/stages"
)

// TestShowStages: decisions with the same options stand in one table, and every curve
// in another; of no stages there is nothing.
func TestShowStages(t *testing.T) {
	nan := math.NaN()
	h := &stages.History{Numbers: []int64{0, 1}, Decisions: []stages.Decision{
		{Address: "cell.edge[0]", Options: []string{"skip(stride: stride)", "conv(kernel: 3)"}, Weights: [][]float64{{0.5, 0.5}, {0.125, 0.875}}},
		{Address: "cell.prev", Edges: true, Options: []string{"a", "b"}, Weights: [][]float64{{nan, nan}, {2, 1}}},
		{Address: "cell.edge[1]", Options: []string{"skip(stride: stride)", "conv(kernel: 3)"}, Weights: [][]float64{{0.5, 0.5}, {1, 0}}},
	}, Curves: []stages.Curve{{Kind: stages.Test, Name: "accuracy", Unit: "%", Values: []float64{nan, 91.5}},
		{Kind: stages.Value, Name: "tau", Values: []float64{10, 0.125}}, {Kind: stages.Value, Name: "none", Values: []float64{nan, nan}}},
		Notes: []stages.Note{{Stage: 1, Text: "guard: it rises"}}}
	var b strings.Builder
	if err := ShowStages(&b, h); err != nil {
		t.Fatal(err)
	}
	const want = `
mixture after stage 1, and over 2 stages:

candidates: a skip, b conv(kernel 3)
decision      a     b     entropy  strongest over the stages
cell.edge[0]  0.12  0.88  0.54     b ▅▇
cell.edge[1]  1.00  0.00  0.00     a ▅█

edges: a a, b b
decision   a     b     entropy  strongest over the stages
cell.prev  2.00  1.00  0.92     a  █

curve          first    last     least    most     over the stages
test accuracy  91.50 %  91.50 %  91.50 %  91.50 %   ▅
tau            10       0.125    0.125    10       █▁

stage 1: guard: it rises
`
	if b.String() != want {
		t.Errorf("%s\nwant%s", b.String(), want)
	}
	b.Reset()
	if err := ShowStages(&b, &stages.History{}); err != nil || b.Len() > 0 {
		t.Errorf("of no stages: %q, %v", b.String(), err)
	}
}
