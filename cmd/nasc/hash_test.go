package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// hashParameters configure the test's evaluator.
type hashParameters struct {
	File  string `default:"" doc:"appended to: the number of every trial that is evaluated"`
	Sleep int    `default:"0" min:"0" doc:"milliseconds that an evaluation takes"`
	Limit int    `default:"0" min:"0" doc:"more parameters than this fail; 0: no limit"`
	Die   int    `default:"-1" doc:"the trial at which the process kills itself, once; needs file"`
}

// hashPlugin is an evaluator whose accuracy is a hash of the graph: cheap,
// deterministic, and without any knowledge of spaces. Called pooled, one process of it
// serves many searches.
func hashPlugin(name string) sdk.Plugin {
	percent := func(name string) []sdk.Metric {
		return []sdk.Metric{{Name: name, Unit: "%", HigherIsBetter: true}}
	}
	return sdk.Plugin{Name: "nasc/" + name, Version: "1.0.0", Doc: "An evaluator for tests.", Evaluators: []sdk.EvaluatorSpec{
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "hash", Doc: "A hash of the graph.",
			Metrics:     append(percent("accuracy"), sdk.Metric{Name: "speed_pixel_1", Unit: "ms"}),
			TestMetrics: percent("accuracy"), Deterministic: true, Shared: name == "pooled"},
			func(_ sdk.Env, p hashParameters) (sdk.Evaluator, error) { return hashEvaluator{p}, nil }),
	}}
}

type hashEvaluator struct{ p hashParameters }

func (h hashEvaluator) Evaluate(ctx context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	select {
	case <-ctx.Done():
		return sdk.ValidationMetrics{}, ctx.Err()
	case <-time.After(time.Duration(h.p.Sleep) * time.Millisecond):
	}
	if h.p.Limit > 0 && c.Graph.Params() > int64(h.p.Limit) {
		return sdk.ValidationMetrics{}, fmt.Errorf("%d parameters are too many", c.Graph.Params())
	}
	if h.p.File != "" {
		if err := h.note(c.Number); err != nil {
			return sdk.ValidationMetrics{}, err
		}
	}
	return sdk.ValidationMetrics{Values: map[string]float64{"accuracy": score(c, 0), "speed_pixel_1": score(c, 4) / 10}, SimulatedSeconds: 1.5, Epochs: 1}, nil
}

func (h hashEvaluator) Test(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.TestMetrics, error) {
	return sdk.TestMetrics{Values: map[string]float64{"accuracy": score(c, 8)}}, nil
}

func score(c sdk.Candidate, from int) float64 {
	digest := c.Graph.Hash()
	return float64(binary.LittleEndian.Uint64(digest[from:])%10000) / 100
}

// note writes the trial down, and ends the process where it is told to.
func (h hashEvaluator) note(number int64) error {
	died := h.p.File + ".died"
	if _, err := os.Stat(died); err != nil && number == int64(h.p.Die) {
		if err := os.WriteFile(died, nil, 0o644); err != nil {
			return err
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
	}
	f, err := os.OpenFile(h.p.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, number)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
