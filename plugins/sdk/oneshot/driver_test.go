package oneshot

import (
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// cells are synthetic cells of all shapes.
var cells = map[string]cellOptions{
	"all edges":    {nodes: 3, inputs: 1, noise: 0.05},
	"two of edges": {nodes: 3, inputs: 2, choose: 2, noise: 0.05},
	"edge norm":    {nodes: 3, inputs: 2, choose: 2, noise: 0.05, edgeNorm: true},
	"all weighed":  {nodes: 3, inputs: 1, noise: 0.05, edgeNorm: true},
}

// shot starts a method of the catalogue.
func shot(t testing.TB, n *synthetic, settings wire.Settings) sdk.OneShot {
	t.Helper()
	o, err := Standard().Optimizer(sdk.OptimizerInfo{Name: "shot"}).StartOneShot(n.search(1), settings)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDARTS(t *testing.T) {
	for name, c := range cells {
		t.Run(name, func(t *testing.T) {
			n := newSynthetic(t, c)
			n.epochs, n.steps = 30, 20
			all := run(t, shot(t, n, wire.Settings{"arch_lr": 0.02, "edge_norm": c.edgeNorm}), n)
			last := all[len(all)-1]
			if got := n.planted(last.Genotype, "conv3"); len(all) != 30 || got != 1 {
				t.Errorf("%d stages; the planted candidate is %v of %s; %v", len(all), got, n.space.Format(last.Genotype), last.Mixture)
			}
			if n.calls["weight"] != 600 || n.calls["arch"] != 600 || n.calls["score"] != 30*4 {
				t.Errorf("calls: %v", n.calls)
			}
		})
	}
}

func TestResumes(t *testing.T) {
	for name, c := range cells {
		t.Run(name, func(t *testing.T) {
			resumes(t, func() (sdk.OneShot, *synthetic) {
				n := newSynthetic(t, c)
				n.epochs = 5
				return shot(t, n, wire.Settings{"edge_norm": c.edgeNorm}), n
			})
		})
	}
}
