// Package sdktest helps authors of plugins to test them: small spaces, and a search in
// this process. Whether the process keeps the contract of plugins is what
// `nasc plugin test` finds out.
package sdktest

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/gradient"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/segment"
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

// Operations has the operations of p computed in this process until the end of the test.
func Operations(t testing.TB, p sdk.Plugin) *remote.Operations {
	t.Helper()
	folder, err := os.MkdirTemp("", "ops") // whose path is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	o, end, err := p.Compute(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end.Close() })
	return o
}

// Gradients fails where a gradient of an operation of p, at this place, is not what
// differences of its results say.
func Gradients(t testing.TB, p sdk.Plugin, name string, at sdk.Place, attributes map[string]any) {
	t.Helper()
	op, err := p.StartOp(name, at, attributes)
	if err != nil {
		t.Fatal(err)
	}
	x := sdk.NewTensors(1)
	for _, shape := range at.Inputs {
		x.Inputs, x.InputGrads = append(x.Inputs, tensor(shape, 0)), append(x.InputGrads, tensor(shape, 0))
	}
	if weighted, ok := op.(sdk.Weighted); ok {
		for _, w := range weighted.Weights() {
			x.Weights, x.WeightGrads = append(x.Weights, tensor(w.Shape, w.Mean)), append(x.WeightGrads, tensor(w.Shape, 0))
		}
	}
	x.Output, x.OutputGrad = tensor(at.Output, 0), tensor(at.Output, 0)
	if err := gradient.Check(gradient.Op{Inputs: data(x.Inputs), Weights: data(x.Weights), InputGrads: data(x.InputGrads), WeightGrads: data(x.WeightGrads),
		Output: x.Output.Data, OutputGrad: x.OutputGrad.Data,
		Forward: func() error { return op.Forward(x) }, Backward: func() error { return op.Backward(x) }}); err != nil {
		t.Error(err)
	}
}

// tensor makes one whose numbers are equal.
func tensor(shape []int, value float64) sdk.Tensor {
	x := sdk.Tensor{Shape: shape, Data: make([]float32, segment.Size(shape))}
	for i := range x.Data {
		x.Data[i] = float32(value)
	}
	return x
}

func data(all []sdk.Tensor) (out [][]float32) {
	for _, x := range all {
		out = append(out, x.Data)
	}
	return out
}
