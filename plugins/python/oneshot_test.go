package python_test

import (
	"context"
	"maps"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

// bowl is a supernet without weights whose loss is the squared distance of the mixture
// from some numbers, times one that changes with the batch. tests/test_oneshot_go.py has
// the same one.
type bowl struct {
	relaxed *sdk.Relaxed
	batches int // gradients so far
}

func (b *bowl) loss(m sdk.Mixture) (loss float64, grad sdk.Mixture) {
	for i, weights := range m {
		grad = append(grad, make([]float64, len(weights)))
		for k, w := range weights {
			d := w - float64((3*i+5*k)%7)/7
			loss += d * d / 2
			grad[i][k] = d
		}
	}
	return loss, grad
}

func (b *bowl) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: 3, Valid: 2} }
func (b *bowl) Relaxed() *sdk.Relaxed  { return b.relaxed }
func (b *bowl) Epochs() int            { return 5 }

func (b *bowl) WeightStep(_ context.Context, m sdk.Mixture, _ sdk.WeightStep) (float64, error) {
	loss, _ := b.loss(m)
	return loss, nil
}

func (b *bowl) ArchGradient(_ context.Context, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, grad := b.loss(m)
	b.batches++
	factor := float64(b.batches%3) + float64(o.Batch) + o.Radius
	for _, v := range grad {
		for k := range v {
			v[k] *= factor
		}
	}
	return loss * factor, grad, nil
}

func (b *bowl) Score(_ context.Context, ms []sdk.Mixture, o sdk.Score) (all []sdk.ValidationMetrics, err error) {
	for _, m := range ms {
		loss, _ := b.loss(m)
		all = append(all, sdk.ValidationMetrics{Values: map[string]float64{"loss": loss * float64(o.Batches)}})
	}
	return all, nil
}

func (b *bowl) Relax(context.Context, sdk.Relaxation) error             { return nil }
func (b *bowl) Check(context.Context, []space.Genotype) ([]bool, error) { return nil, nil }

// shot is a search.
type shot struct {
	Space    string        // the message Space, base64
	Relaxed  string        // the message Relaxed, base64
	Settings wire.Settings // of the optimizer
	Stages   []shotStage
}

type shotStage struct {
	Genotype space.Genotype
	Mixture  sdk.Mixture `json:",omitempty"` // of the last stage
	Metrics  map[string]float64
	Values   map[string]float64
}

// shots are searches of components that Python has too, with seed 9.
func shots(t *testing.T) map[string]shot {
	optimizer := oneshot.Standard().Optimizer(sdk.OptimizerInfo{Name: "shot"})
	out := map[string]shot{}
	for name, c := range map[string]struct {
		file     string
		settings wire.Settings
	}{
		"softmax":  {"nasbench201/nasbench201.nas", nil},
		"gumbel":   {"nasbench201/nasbench201.nas", wire.Settings{"relax": "gumbel", "weights_first": true}},
		"edges":    {"darts/darts.nas", wire.Settings{"partial": "channels", "edge_norm": true, "warmup": 0.4, "period": int64(2)}},
		"ranked":   {"darts/darts.nas", wire.Settings{"order": "second"}},
		"subsets":  {"darts/darts.nas", wire.Settings{"relax": "gumbel", "edge_norm": true}},
		"concrete": {"nasbench1shot1/space1.nas", wire.Settings{"relax": "concrete", "order": "single", "tau_delay": 2.0}},
		"sets":     {"nasbench1shot1/space3.nas", nil},
	} {
		settings := wire.Settings{"arch_lr": 0.05}
		maps.Copy(settings, c.settings)
		m, diags := compiler.Load(c.file, spaces.Files.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		search, err := optimizer.StartOneShot(sdk.Search{Env: sdk.Env{Seed: 9}, Space: s.Space, Objectives: []sdk.Objective{{Metric: "loss"}}}, settings)
		if err != nil {
			t.Fatal(err)
		}
		n, diags := s.Relax(search.Relaxation())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		out[name] = searched(t, search, s, n, settings)
	}
	return out
}

// searched lets an optimizer search to its end.
func searched(t *testing.T, o sdk.OneShot, s *compiler.Space, n *lower.Supernet, settings wire.Settings) shot {
	t.Helper()
	relaxed := wire.RelaxedOf(n)
	v := shot{Space: message(t, wire.FromSpace(s.Space)), Relaxed: message(t, wire.FromRelaxed(relaxed)), Settings: settings}
	if err := o.Begin(&bowl{relaxed: relaxed}); err != nil {
		t.Fatal(err)
	}
	for {
		stage, err := o.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v.Stages = append(v.Stages, shotStage{Genotype: stage.Genotype, Metrics: stage.Metrics.Values, Values: stage.Values})
		if stage.Done {
			v.Stages[len(v.Stages)-1].Mixture = stage.Mixture
			return v
		}
	}
}

// TestOneShot: the file is what Go does in one-shot searches today.
func TestOneShot(t *testing.T) { compareFile(t, "tests/oneshot.json", shots(t)) }
