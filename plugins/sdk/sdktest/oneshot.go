package sdktest

import (
	"context"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Shoot lets a one-shot optimizer search a supernet of choices of one among so many
// alternatives, in which those of right are planted, with seed 1, and returns the stages.
// Each is done by an optimizer that is started anew, as in a search that was killed and
// resumed.
func Shoot(t testing.TB, o sdk.OptimizerSpec, right space.Genotype, alternatives, epochs int, settings map[string]any) (stages []sdk.Stage) {
	t.Helper()
	s := Choices(len(right), alternatives)
	var state []byte
	for len(stages) == 0 || !stages[len(stages)-1].Done {
		search, err := o.StartOneShot(sdk.Search{Env: sdk.Env{Seed: 1}, Space: s, Objectives: []sdk.Objective{{Metric: "loss"}}}, wire.Settings(settings))
		if err != nil {
			t.Fatal(err)
		}
		if err := search.Begin(&planted{space: s, right: right, epochs: epochs}); err != nil {
			t.Fatal(err)
		}
		if state != nil {
			if err := search.Load(state); err != nil {
				t.Fatal(err)
			}
		}
		stage, err := search.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(stage.Genotype); err != nil {
			t.Fatalf("stage %d: %v", len(stages), err)
		}
		if state, err = search.Save(); err != nil {
			t.Fatal(err)
		}
		stages = append(stages, stage)
	}
	return stages
}

// planted is a supernet without weights: its loss is half of the squared distance of the
// mixture from that of the right architecture.
type planted struct {
	space  *space.Space
	right  space.Genotype
	epochs int
}

func (p *planted) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: 20, Valid: 1} }
func (p *planted) Epochs() int            { return p.epochs }

func (p *planted) Relaxed() *sdk.Relaxed {
	r := &sdk.Relaxed{}
	for _, d := range p.space.Decisions {
		relaxed := sdk.RelaxedDecision{Address: d.Address, Min: 1, Max: 1, Decision: d.ID, Sites: 1}
		for k, a := range d.Alts {
			relaxed.Options = append(relaxed.Options, sdk.RelaxedOption{Label: a.Label, Alternative: k})
		}
		r.Decisions = append(r.Decisions, relaxed)
	}
	return r
}

func (p *planted) loss(m sdk.Mixture) (loss float64, grad sdk.Mixture) {
	for i, weights := range m {
		g := slices.Clone(weights)
		g[p.right[i]]--
		for _, v := range g {
			loss += v * v / 2
		}
		grad = append(grad, g)
	}
	return loss, grad
}

func (p *planted) WeightStep(_ context.Context, m sdk.Mixture, _ sdk.WeightStep) (float64, error) {
	loss, _ := p.loss(m)
	return loss, nil
}

func (p *planted) ArchGradient(_ context.Context, m sdk.Mixture, _ sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, grad := p.loss(m)
	return loss, grad, nil
}

func (p *planted) Score(_ context.Context, ms []sdk.Mixture, _ sdk.Score) (all []sdk.ValidationMetrics, err error) {
	for _, m := range ms {
		loss, _ := p.loss(m)
		all = append(all, sdk.ValidationMetrics{Values: map[string]float64{"loss": loss}})
	}
	return all, nil
}

// Relax changes nothing: there are no channels.
func (p *planted) Relax(context.Context, sdk.Relaxation) error { return nil }

func (p *planted) Check(_ context.Context, gs []space.Genotype) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(gs)), nil
}
