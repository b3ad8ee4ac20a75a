package supernet

import (
	"context"
	"math"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// TestPartialZeros: with partial channels, a mixed operation all of whose weights are
// zero leaves the channels that go past it. Gradients, weight steps and scores see the
// same loss, fused and not.
func TestPartialZeros(t *testing.T) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	ctx := context.Background()
	const file = "darts/darts.nas"
	_, s := load(t, file, lower.Relaxation{Channels: 4, EdgeWeights: true}, small[file]...)
	var all []float64
	for _, unfused := range []bool{false, true} {
		n, err := New(s, ws, Options{Batch: 16, Seed: 5, Unfused: unfused})
		if err != nil {
			t.Fatal(err)
		}
		images, labels := batch(s, 16, n.engine.places(), n.engine.classes(), 2)
		m := random(n.Decisions(), 3)
		for i := range m {
			for k := range m[i] {
				if (7*i+3*k)%10 < 3 {
					m[i][k] = 0
				}
			}
		}
		loss, _, err := n.ArchGradient(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		score, _, err := n.Score(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		step, err := n.WeightStep(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, loss, score, step)
	}
	for _, l := range all {
		if math.Abs(l-all[0]) > 1e-4 {
			t.Fatalf("losses %v", all)
		}
	}
}
