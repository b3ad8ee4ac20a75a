// Package sdktest helps authors of plugins to test them: small spaces, and a search in
// this process. Whether the process keeps the contract of plugins is what
// `nasc plugin test` finds out.
package sdktest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Choices is a space of independent choices of one among so many alternatives.
func Choices(decisions, alternatives int) *space.Space {
	root := &space.Group{}
	for i := range decisions {
		d := &space.Decision{Address: fmt.Sprintf("c[%d]", i), Kind: space.OneOf}
		for k := range alternatives {
			d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint(k), Sub: &space.Group{}})
		}
		root.Decisions = append(root.Decisions, d)
	}
	s, err := space.New("choices", root)
	if err != nil {
		panic(err) // the decisions are as space.New wants them
	}
	return s
}

// Search lets an optimizer of p maximize score over a number of trials, one at a time,
// with seed 1, and returns the best score.
func Search(t testing.TB, p sdk.Plugin, optimizer string, s *space.Space, trials int, score func(space.Genotype) float64, settings map[string]any) (best float64) {
	t.Helper()
	o, err := p.StartOptimizer(optimizer, sdk.Search{Env: sdk.Env{Seed: 1}, Space: s,
		Objectives: []sdk.Objective{{Metric: "score", Maximize: true}}}, wire.Settings(settings))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < trials; {
		all, err := o.Ask(1)
		if errors.Is(err, sdk.ErrDone) {
			return best
		}
		if err != nil || len(all) == 0 {
			t.Fatalf("trial %d: it proposes %v (%v), though it has been told everything", n, all, err)
		}
		for _, g := range all {
			if err := s.Check(g); err != nil {
				t.Fatalf("trial %d: %v", n, err)
			}
			v := score(g)
			if n == 0 || v > best {
				best = v
			}
			told := sdk.Trial{Trial: int64(n), Genotype: g, Metrics: sdk.ValidationMetrics{Values: map[string]float64{"score": v}}}
			if err := o.Tell([]sdk.Trial{told}); err != nil {
				t.Fatalf("trial %d: %v", n, err)
			}
			n++
		}
	}
	return best
}
