package oneshot

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// drifting is a supernet in which shared weights favour skip as training goes on, by
// the way in which Zela et al. (ICLR 2020) explain it: what learns fits the noise of
// the training part, and what it has learned so is noise on the validation part, while
// skip learns nothing.
//
// Each edge chooses between skip, worth 0.7, and conv, worth 1.3 tanh(w) at best, and
// should be worth 1: in the end conv is right and skip is not. On a batch of the
// training part the target is off by a label noise, and conv has a memory of each batch
// that learns it, slowly. On the validation part the memories add up to noise of 0.8
// times their root mean square; the losses here are expectations over it.
type drifting struct {
	relaxed sdk.Relaxed
	space   *space.Space
	epochs  int
	w       []float64
	memory  [][]float64 // by edge and batch
	step    int
}

const (
	driftSkip, driftConv = 0.7, 1.3
	driftSteps           = 10
	driftRate            = 0.1
	driftMemory          = 0.5 // how fast it is, next to w
	driftNoise           = 0.8 // that it makes on the validation part
	driftLabels          = 0.5 // noise of the targets
)

func newDrifting(t *testing.T, epochs int) *drifting {
	t.Helper()
	n := &drifting{epochs: epochs}
	root := &space.Group{}
	for e := range 4 {
		address := fmt.Sprintf("edge[%d]", e)
		root.Decisions = append(root.Decisions, &space.Decision{Address: address, Kind: space.OneOf, Alts: []*space.Alt{{Label: "skip"}, {Label: "conv"}}})
		n.relaxed.Decisions = append(n.relaxed.Decisions, sdk.RelaxedDecision{Address: address, Min: 1, Max: 1, Decision: e, Sites: 1,
			Options: []sdk.RelaxedOption{{Label: "skip"}, {Label: "conv", Alternative: 1}}})
		n.w, n.memory = append(n.w, 0.1), append(n.memory, make([]float64, driftSteps))
	}
	var err error
	if n.space, err = space.New("drifting", root); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *drifting) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: driftSteps, Valid: 1} }
func (n *drifting) Relaxed() *sdk.Relaxed  { return &n.relaxed }
func (n *drifting) Epochs() int            { return n.epochs }

func (n *drifting) Relax(context.Context, sdk.Relaxation) error { return nil }

func (n *drifting) Check(_ context.Context, gs []space.Genotype) ([]bool, error) {
	return make([]bool, len(gs)), nil
}

func (n *drifting) WeightStep(_ context.Context, m sdk.Mixture, _ sdk.WeightStep) (loss float64, err error) {
	batch := n.step % driftSteps
	n.step++
	for e := range n.w {
		noise := stream.New(9, "labels", uint64(1000*batch+e)).NormFloat64()
		th := math.Tanh(n.w[e])
		res := m[e][0]*driftSkip + m[e][1]*(driftConv*th+n.memory[e][batch]) - 1 - driftLabels*noise
		n.w[e] -= driftRate * res * m[e][1] * driftConv * (1 - th*th)
		n.memory[e][batch] -= driftRate * driftMemory * res * m[e][1]
		loss += res * res / 2
	}
	return loss, nil
}

func (n *drifting) ArchGradient(_ context.Context, m sdk.Mixture, _ sdk.ArchGradient) (loss float64, grad sdk.Mixture, err error) {
	for e := range n.w {
		variance := 0.0
		for _, v := range n.memory[e] {
			variance += driftNoise * driftNoise * v * v / driftSteps
		}
		conv := driftConv * math.Tanh(n.w[e])
		res := m[e][0]*driftSkip + m[e][1]*conv - 1
		loss += (res*res + m[e][1]*m[e][1]*variance) / 2
		grad = append(grad, []float64{res * driftSkip, res*conv + m[e][1]*variance})
	}
	return loss, grad, nil
}

func (n *drifting) Score(ctx context.Context, ms []sdk.Mixture, _ sdk.Score) ([]sdk.ValidationMetrics, error) {
	var out []sdk.ValidationMetrics
	for _, m := range ms {
		loss, _, _ := n.ArchGradient(ctx, m, sdk.ArchGradient{})
		out = append(out, sdk.ValidationMetrics{Values: map[string]float64{"accuracy": math.Exp(-loss)}})
	}
	return out, nil
}

// drift searches it, and returns the stages with the mean weight of skip and the share
// of skips in what is derived.
func drift(t *testing.T, epochs int, settings wire.Settings) (stages []sdk.Stage, weight, derived []float64) {
	t.Helper()
	n := newDrifting(t, epochs)
	o, err := Standard().Optimizer(sdk.OptimizerInfo{Name: "shot"}).StartOneShot(
		sdk.Search{Env: sdk.Env{Seed: 1}, Space: n.space, Objectives: []sdk.Objective{{Metric: "accuracy", Maximize: true}}},
		with(wire.Settings{"arch_lr": 0.01}, settings))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Begin(n); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := o.Stage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		w, d := 0.0, 0.0
		for i := range s.Mixture {
			w += s.Mixture[i][0] / 4
			if s.Genotype[i] == 0 {
				d += 1. / 4
			}
		}
		stages, weight, derived = append(stages, s), append(weight, w), append(derived, d)
		if s.Done {
			return stages, weight, derived
		}
	}
}

func last[T any](all []T) T { return all[len(all)-1] }

// TestDrift: DARTS ends right with few epochs and all skips with more. The dominant
// eigenvalue rises before, and a search that it ends is near to right. Where argmax
// would take skips, DARTS-PT keeps convolutions; with arch parameters that never move,
// even after twice as long. Perturbed weight steps slow the drift down, the larger
// perturbation more.
func TestDrift(t *testing.T) {
	_, _, short := drift(t, 20, nil)
	_, weight, middle := drift(t, 50, nil)
	_, _, long := drift(t, 100, nil)
	if last(short) != 0 || last(middle) < 0.5 || last(long) != 1 {
		t.Errorf("DARTS: a share of %v skips after 20 epochs, %v after 50 and %v after 100", last(short), last(middle), last(long))
	}

	stages, _, early := drift(t, 50, wire.Settings{"guard": "eigenvalue"})
	if last(early) > 0.25 || len(stages) > 20 {
		t.Errorf("DARTS-ES ends after %d epochs with a share of %v skips: %s", len(stages), last(early), last(stages).Text)
	}
	stages, _, _ = drift(t, 50, wire.Settings{"guard": "eigenvalue", "eigen_after": 50})
	if first, end := stages[8].Values["eigenvalue_mean"], last(stages).Values["eigenvalue_mean"]; end < 1.5*first {
		t.Errorf("the dominant eigenvalue goes from %v to %v", first, end)
	}

	stages, _, kept := drift(t, 50, wire.Settings{"select": "perturbation"})
	if before := kept[len(kept)-5]; before < 0.5 || last(kept) != 0 {
		t.Errorf("DARTS-PT: a share of %v skips before the selection, and of %v in the end, after %d stages", before, last(kept), len(stages))
	}
	if _, _, kept := drift(t, 100, wire.Settings{"select": "perturbation", "warmup": 1000.0}); last(kept) != 0 {
		t.Errorf("DARTS-PT with fixed arch parameters: a share of %v skips", last(kept))
	}

	_, some, _ := drift(t, 50, wire.Settings{"perturb": "random"})
	_, more, _ := drift(t, 50, wire.Settings{"perturb": "random", "epsilon": 1.0})
	if !(last(more) < last(some) && last(some) < last(weight)) {
		t.Errorf("skip weighs %v without a perturbation, %v with one of up to 0.3 and %v with one of up to 1", last(weight), last(some), last(more))
	}
}
