package train

import (
	"context"
	"math"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
)

// fusedAgrees takes one training step with g as plans usually run it and one
// primitive by primitive: losses and gradients agree to rounding. How much that
// is shows when the last bits of images and weights change: it is a lot for a network
// whose last maps are single pixels, normalised over a few examples, and where a
// number is so near to zero that its sign changes on the way to a ReLU.
func fusedAgrees(t *testing.T, ws *kernel.Workers, g *graph.Graph) {
	t.Helper()
	const batch = 3
	eg := gorgonia.NewGraph()
	w := &weights{graph: eg, seed: 1}
	n := &network{batch: batch, weights: w, Network: &ops.Network{Graph: eg, Dtype: gorgonia.Float32, Workers: ws, Params: w,
		Training: true, Step: 1, Seeds: func(name string, counter uint64) uint64 { return stream.Seed(1, name, counter) }}}
	images := n.leaf("images", append([]int{batch}, g.Inputs[0].Shape...)...)
	rng := stream.New(2, "test", 0)
	data := images.Value().Data().([]float32)
	for i := range data {
		data[i] = float32(rng.NormFloat64())
	}
	logits, err := n.build(g, "", []*gorgonia.Node{images})
	if err != nil {
		t.Fatal(err)
	}
	loss, err := n.CrossEntropy(logits, n.leaf("labels", logits.Shape().TotalSize()/logits.Shape()[1]), 0)
	if err != nil {
		t.Fatal(err)
	}
	params, grads, err := n.Gradients(loss, w.learned)
	if err != nil {
		t.Fatal(err)
	}
	wanted := append(gorgonia.Nodes{loss}, grads...)
	plans := [2]*plan.Plan[float32]{}
	for i := range plans {
		if plans[i], err = plan.New(ws, plan.Options[float32]{Unfused: i == 1}, wanted...); err != nil {
			t.Fatal(err)
		}
	}
	run := func(p *plan.Plan[float32]) []float32 {
		if err := p.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var all []float32
		for _, x := range wanted {
			all = append(all, p.Value(x)...)
		}
		return all
	}
	fused, want := run(plans[0]), run(plans[1])
	var top, rounding float64
	for range 4 {
		for _, x := range append(gorgonia.Nodes{images}, params...) {
			data := x.Value().Data().([]float32)
			for i, v := range data {
				data[i] = math.Nextafter32(v, float32(4*rng.IntN(2)-2))
			}
		}
		for i, v := range run(plans[1]) {
			rounding = max(rounding, math.Abs(float64(v-want[i])))
		}
	}
	for _, v := range want {
		top = max(top, math.Abs(float64(v)))
	}
	for i, v := range want {
		if d := math.Abs(float64(fused[i] - v)); !(d <= 1e-4*top+10*rounding) {
			t.Fatalf("number %d of the loss and the gradients of %d parameters is %v, primitive by primitive %v; the largest is %v, the last bits of images and weights count for %v",
				i, len(params), fused[i], v, top, rounding)
		}
	}
}
