package random

import (
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// A tree of 1 + 4 architectures: uniform over architectures, the first
// alternative is taken in one of five samples, not in one of two.
func TestUniform(t *testing.T) {
	below := &space.Decision{Address: "b", Kind: space.OneOf,
		Alts: []*space.Alt{{Label: "0"}, {Label: "1"}, {Label: "2"}, {Label: "3"}}}
	s, err := space.New("tree", &space.Group{Decisions: []*space.Decision{{Address: "a", Kind: space.OneOf,
		Alts: []*space.Alt{{Label: "x"}, {Label: "y", Sub: &space.Group{Decisions: []*space.Decision{below}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(seed uint64) sdk.Optimizer {
		o, err := start(sdk.Search{Env: sdk.Env{Seed: seed}, Space: s}, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const n = 50_000
	all, err := begin(1).Ask(n)
	if err != nil || len(all) != n {
		t.Fatalf("%d, %v", len(all), err)
	}
	count := map[string]int{}
	for _, g := range all {
		count[string(s.Pack(g))]++
	}
	if len(count) != 5 {
		t.Errorf("%d different architectures", len(count))
	}
	var got, want []float64
	for _, c := range count {
		got, want = append(got, float64(c)), append(want, n/5)
	}
	// The chi-square test at one in ten thousand; the seed is fixed.
	if x, limit := stat.ChiSquare(got, want), (distuv.ChiSquared{K: 4}).Quantile(0.9999); !(x < limit) {
		t.Errorf("architectures came %v times of %d: chi-square %.1f, at most %.1f", got, n, x, limit)
	}
	// One by one they are the same, with another seed they are not.
	one, other := begin(1), begin(2)
	differ := 0
	for i := range 100 {
		g, _ := one.Ask(1)
		h, _ := other.Ask(1)
		if !g[0].Equal(all[i]) {
			t.Fatalf("sample %d depends on the batch", i)
		}
		if !h[0].Equal(all[i]) {
			differ++
		}
	}
	if differ < 50 {
		t.Errorf("only %d of 100 differ under another seed", differ)
	}
}
