package main

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/plugintest"
	"github.com/nasc-project/nasc/spaces"
)

// TestMain lets this binary also be a plugin that trains supernets.
func TestMain(m *testing.M) {
	if os.Getenv("SPARSEMAX_TRAINER") != "" {
		sdk.Serve(sdk.Plugin{Name: "me/trainer", Version: "0.1.0", Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(
			sdk.EvaluatorInfo{Name: "trainer", Supernets: true, Metrics: []sdk.Metric{{Name: "accuracy"}}},
			func(sdk.Env, struct{}) (sdk.Evaluator, error) { return trainer{}, nil })}})
		return
	}
	os.Exit(m.Run())
}

// trainer has supernets without weights, in which the third option of each decision is
// right.
type trainer struct{}

func (trainer) Evaluate(context.Context, sdk.Candidate, func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	return sdk.ValidationMetrics{Values: map[string]float64{"accuracy": 0}}, nil
}

func (trainer) OpenSupernet(context.Context, sdk.OpenSupernet) (sdk.TrainedSupernet, error) {
	return planted{}, nil
}

type planted struct{}

func (planted) loss(m sdk.Mixture) (loss float64, grad sdk.Mixture) {
	for _, w := range m {
		g := make([]float64, len(w))
		for k := range w {
			g[k] = w[k]
			if k == 2 {
				g[k]--
			}
			loss += g[k] * g[k] / 2
		}
		grad = append(grad, g)
	}
	return loss, grad
}

func (planted) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: 20, Valid: 1, Memory: 1} }

func (n planted) WeightStep(_ context.Context, m sdk.Mixture, _ sdk.WeightStep) (float64, error) {
	loss, _ := n.loss(m)
	return loss, nil
}

func (n planted) ArchGradient(_ context.Context, m sdk.Mixture, _ sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, grad := n.loss(m)
	return loss, grad, nil
}

func (n planted) Score(_ context.Context, ms []sdk.Mixture, _ sdk.Score) ([]sdk.ValidationMetrics, error) {
	var out []sdk.ValidationMetrics
	for _, m := range ms {
		loss, _ := n.loss(m)
		out = append(out, sdk.ValidationMetrics{Values: map[string]float64{"accuracy": math.Exp(-loss)}})
	}
	return out, nil
}

func (planted) Relax(context.Context, *lower.Supernet) error { return nil }
func (planted) Save(path string) error                       { return os.WriteFile(path, nil, 0o600) }
func (planted) Load(string) error                            { return nil }
func (planted) Close() error                                 { return nil }

// TestProcess builds the plugin and searches with it in a process of its own: the
// planted architecture is found, and weak candidates have no weight. It keeps the contract
// of plugins.
func TestProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a plugin")
	}
	binary := filepath.Join(t.TempDir(), "sparsemax")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Options{Commands: map[string]host.Command{
		"me/oneshot": {Path: binary}, "me/trainer": {Path: self, Env: []string{"SPARSEMAX_TRAINER=1"}}}})
	defer h.Close()
	ctx := t.Context()
	m, diags := compiler.Load("nasbench201/nasbench201.nas", spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("nasbench201", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	shots, err := h.Start(ctx, "me/oneshot")
	if err != nil {
		t.Fatal(err)
	}
	shot, err := shots.OneShot(ctx, host.OptimizerConfig{Component: "shot", Settings: wire.Settings{"relax": "sparse", "sharpness": 2.0, "arch_lr": 0.05},
		Space: s.Space, Seed: 1, Objectives: []wire.Objective{{Metric: "accuracy", Maximize: true}}, Metrics: []string{"accuracy"}})
	if err != nil {
		t.Fatal(err)
	}
	relaxed, diags := s.Relax(shot.Relaxation())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	trainers, err := h.Start(ctx, "me/trainer")
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := trainers.Evaluator(ctx, host.EvaluatorConfig{Component: "trainer", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	net, err := evaluator.Supernet(ctx, wire.OpenSupernet{Network: relaxed, Epochs: 3, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := shot.Begin(ctx, host.Beginning{Supernet: relaxed, Epochs: 3, Size: net.Size()}); err != nil {
		t.Fatal(err)
	}
	for stage := range 3 {
		out, _, err := shot.Stage(ctx, net.Do)
		if err != nil {
			t.Fatal(err)
		}
		if out.Done != (stage == 2) {
			t.Fatalf("after stage %d it is over: %v", stage, out.Done)
		}
		if !out.Done {
			continue
		}
		for i, v := range out.Genotype {
			if w := out.Mixture[i]; v != 2 || w[2] < 0.99 || w[0] != 0 {
				t.Errorf("decision %d is %d of %v", i, v, w)
			}
		}
	}
	sparse := func(p wire.Parameter) (any, bool) { return "sparse", p.Name == "relax" }
	_, err = plugintest.Run(ctx, plugintest.Options{Name: "me/oneshot", Command: host.Command{Path: binary}, Settings: sparse}, func(r plugintest.Result) {
		if r.Failure != "" || r.Skipped != "" {
			t.Errorf("%s: %s%s", r.Check, r.Failure, r.Skipped)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestGradient: the gradient is that of finite differences, where some have no weight.
func TestGradient(t *testing.T) {
	rng := stream.New(1, "sparsemax", 0)
	for _, sharpness := range []float64{1, 3} {
		zeros := 0
		for range 50 {
			d := oneshot.Decision{RelaxedDecision: sdk.RelaxedDecision{Options: make([]sdk.RelaxedOption, 5)}}
			p, up := make([]float64, 5), make([]float64, 5)
			for i := range p {
				p[i], up[i] = rng.NormFloat64(), rng.NormFloat64()
			}
			s := sparsemax{sharpness}
			w, back := s.Draw(d, p, oneshot.Moment{}, nil)
			got := back(up)
			sum := 0.0
			for i := range p {
				if sum += w[i]; w[i] == 0 {
					zeros++
				}
				const h = 1e-6
				loss := func(x float64) (l float64) {
					q := append([]float64(nil), p...)
					q[i] += x
					for k, v := range s.Mean(d, q) {
						l += up[k] * v
					}
					return l
				}
				if want := (loss(h) - loss(-h)) / (2 * h); math.Abs(got[i]-want) > 1e-6 {
					t.Errorf("%v: %v, finite differences give %v", p, got[i], want)
				}
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("weights %v", w)
			}
		}
		if zeros < 50 {
			t.Errorf("only %d of 250 have no weight", zeros)
		}
	}
}
