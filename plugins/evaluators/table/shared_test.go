package table

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestShared: searches in one process share the table and what was recognised, with
// settings of their own, and do not disturb one another.
func TestShared(t *testing.T) {
	path := small(t)
	all := []Settings{settings(path), settings(path, seeded("888")), settings(path, seeded("drawn")), settings(path, after(101), of(200)), settings(path, devicesOf("fast-1"))}
	key, err := open(t, all[0]).Recognise(cell(arch0).Graph)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]sdk.ValidationMetrics, len(all))
	for i, s := range all {
		want[i] = evaluate(t, open(t, s), cell(arch0))
	}
	if a, b := open(t, all[0]), open(t, all[0]); a.answers != b.answers {
		t.Error("two searches with equal settings opened the table twice")
	}
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			i := n % len(all)
			started, err := start(sdk.Env{}, all[i])
			if err != nil {
				t.Error(err)
				return
			}
			for range 200 {
				v, err := started.Evaluate(context.Background(), sdk.Candidate{Key: key}, nil)
				if err != nil || !maps.Equal(v.Values, want[i].Values) || v.SimulatedSeconds != want[i].SimulatedSeconds {
					t.Errorf("%+v: %v, %v, not %v", all[i], v, err, want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}
