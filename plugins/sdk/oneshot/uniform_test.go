package oneshot

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestUniformDraws: every architecture in which each node has a term comes equally
// often, and no other.
func TestUniformDraws(t *testing.T) {
	for _, c := range []struct {
		o    cellOptions
		want int
	}{
		// Of two candidates, zero and another: of the edges of a node one at least is there.
		{cellOptions{nodes: 2, inputs: 1, candidates: []candidate{{"zero", 0, false, true}, {"conv", 1, true, false}}}, 1 * 3},
		{cellOptions{nodes: 2, inputs: 1, edgeNorm: true, candidates: []candidate{{"zero", 0, false, true}, {"conv", 1, true, false}, {"skip", 1, true, false}}}, 2 * (9 - 1)},
		// Two of three edges of two candidates each, as an edge that is kept is never absent;
		// also those that are not kept are drawn.
		{cellOptions{nodes: 1, inputs: 3, choose: 2, candidates: []candidate{{"zero", 0, false, true}, {"conv", 1, true, false}, {"skip", 1, true, false}}}, 3 * 8},
	} {
		n := newSynthetic(t, c.o)
		l := NewLayout(&n.relaxed, false)
		rng := stream.New(1, "draws", 0)
		const each = 2000
		count := map[string]float64{}
		for range each * c.want {
			m, back := Uniform().Draw(l, nil, Moment{}, rng)
			if back != nil {
				t.Fatal("there is a gradient")
			}
			count[fmt.Sprint(m)]++
		}
		if len(count) != c.want {
			t.Errorf("%d mixtures, not %d: %v", len(count), c.want, count)
			continue
		}
		var got, want []float64
		for _, v := range count {
			got, want = append(got, v), append(want, each)
		}
		slices.Sort(got)
		unlikely(t, "architectures", got, want)
	}
}

// TestUniformNodes: terms of sums of sums count as one node, terms that are always there
// make a node present, and operations that are alone must be there.
func TestUniformNodes(t *testing.T) {
	op := func(address string) sdk.RelaxedDecision {
		return sdk.RelaxedDecision{Address: address, Min: 1, Max: 1, Decision: 0,
			Options: []sdk.RelaxedOption{{Label: "zero", Absent: true}, {Label: "skip", Alternative: 1}}}
	}
	edges := func(under ...[]int) sdk.RelaxedDecision {
		d := sdk.RelaxedDecision{Edges: true, Min: len(under), Max: len(under), Decision: -1}
		for i, u := range under {
			d.Options = append(d.Options, sdk.RelaxedOption{Alternative: i, Under: u})
		}
		return d
	}
	r := &sdk.Relaxed{Decisions: []sdk.RelaxedDecision{
		op("main"), op("branch[0]"), op("branch[1]"), edges([]int{0}, []int{1, 2}), edges([]int{1}, []int{2}), // main + (branch + branch)
		op("other"), edges(nil, []int{5}), // x + other
		op("alone[0]"), op("pair.of[0]"), op("pair.of[1]"),
	}}
	rng := stream.New(1, "draws", 0)
	count := map[string]int{}
	for range 2000 {
		m, _ := Uniform().Draw(NewLayout(r, false), nil, Moment{}, rng)
		there := func(i ...int) (s string) {
			for _, i := range i {
				s += fmt.Sprint(m[i][1])
			}
			return s
		}
		count["sum "+there(0, 1, 2)]++
		count["other "+there(5)]++
		count["alone "+there(7)]++
		count["pair "+there(8, 9)]++
	}
	if len(count) != 7+2+1+3 || count["sum 000"] != 0 || count["alone 1"] != 2000 || count["pair 00"] != 0 {
		t.Error(count)
	}
}

// TestUniformSizes: of any number of edges, all sets come equally often.
func TestUniformSizes(t *testing.T) {
	d := sdk.RelaxedDecision{Edges: true, Min: 1, Max: 3, Options: []sdk.RelaxedOption{{Alternative: 0}, {Alternative: 1}, {Alternative: 2}, {Alternative: 3}}}
	l := NewLayout(&sdk.Relaxed{Decisions: []sdk.RelaxedDecision{d}}, false)
	rng := stream.New(2, "draws", 0)
	count := map[string]float64{}
	for range 14 * 2000 {
		m, _ := Uniform().Draw(l, nil, Moment{}, rng)
		count[fmt.Sprint(m)]++
	}
	var got, want []float64
	for _, v := range count {
		got, want = append(got, v), append(want, 2000)
	}
	if len(got) != 4+6+4 {
		t.Fatalf("%d sets", len(got))
	}
	slices.Sort(got)
	unlikely(t, "sets of edges", got, want)
}
