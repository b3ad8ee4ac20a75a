package train

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/labtest"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/sdk/sdktest"
)

// lab is a network whose second node is an operation of a module.
func lab(module, op string, params int64) *graph.Graph {
	b := newBuilder("lab", image...).then("conv_bn", "out", 4)
	b.op(op, []graph.Ref{0})
	b.then("conv_bn", "out", 6)
	g := b.classifier(10)
	n := g.Nodes[1]
	n.Module, n.Params, n.Shape = module, params, graph.Shape{4, image[1], image[2]}
	return g
}

// TestOperations: an operation of a plugin trains a network as nasc's own does, in as many
// threads.
func TestOperations(t *testing.T) {
	ctx := context.Background()
	s := quick()
	s.Train, s.Valid, s.Epochs = 64, 32, 2
	tr := newTrainer(t, s, 2)
	tr.With(sdktest.Operations(t, labtest.Plugin))
	var curves [2][]Epoch
	for i, module := range []string{"std/vision", "me/lab"} {
		r := begin(t, tr, Job{Graph: lab(module, "relu", 0), Seed: 3})
		if err := r.Run(ctx, func(e Epoch) { curves[i] = append(curves[i], e) }); err != nil {
			t.Fatal(err)
		}
	}
	for i, own := range curves[0] {
		if other := curves[1][i]; math.Abs(own.TrainLoss-other.TrainLoss) > 1e-3 || math.Abs(own.Valid.Loss-other.Valid.Loss) > 1e-3 {
			t.Errorf("epoch %d: %+v with nasc's own, %+v with the plugin's", i, own, other)
		}
	}
}

// TestOperationsResume: the weights of an operation of a plugin are in the checkpoint, and
// its random numbers follow from the step.
func TestOperationsResume(t *testing.T) {
	ctx := context.Background()
	s := quick()
	s.Train, s.Valid, s.Epochs, s.BatchSize = 64, 32, 1, 16
	one, two := newTrainer(t, s, 1), newTrainer(t, s, 2)
	one.With(sdktest.Operations(t, labtest.Plugin))
	two.With(sdktest.Operations(t, labtest.Plugin)) // another process, as it were
	job := Job{Graph: lab("me/lab", "jitter", 4), Seed: 5}
	whole, first := begin(t, one, job), begin(t, two, job)
	for range 2 {
		if _, err := first.Step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := first.Save(path); err != nil {
		t.Fatal(err)
	}
	second := begin(t, one, job)
	if err := second.Load(path); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Training{whole, second} {
		if err := r.Run(ctx, func(Epoch) {}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(bits(whole), bits(second)) {
		t.Error("what goes on from the file ends with other bits")
	}
	fresh := begin(t, one, job)
	moved := 0
	for i, w := range fresh.net.weights.learned {
		if strings.HasSuffix(w.Name(), "/factor") && !slices.Equal(fresh.net.params[i], whole.net.params[i]) {
			moved++
		}
	}
	if moved != 1 {
		t.Errorf("%d tensors of the operation have moved", moved)
	}
}

// TestOperationsRefused: what a plugin does not compute, or computes with other weights
// than it has declared, fails the architecture.
func TestOperationsRefused(t *testing.T) {
	s := quick()
	tr := newTrainer(t, s, 1)
	for _, c := range []struct {
		operations *remote.Operations
		op         string
		params     int64
		want       string
	}{
		{nil, "relu", 0, "no process computes the operations of the plugin me/lab here"},
		{sdktest.Operations(t, labtest.Plugin), "gelu", 0, `the plugin me/lab 0.1.0 cannot compute gelu: there is no operation "gelu"`},
		{sdktest.Operations(t, labtest.Plugin), "relu", 4, "relu has 0 trainable numbers, but its declaration says 4"},
		{sdktest.Operations(t, labtest.Plugin), "jitter", 0, "jitter has 4 trainable numbers, but its declaration says 0"},
	} {
		tr.With(c.operations)
		if _, err := tr.Begin(Job{Graph: lab("me/lab", c.op, c.params)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, without %q", c.op, err, c.want)
		}
	}
}
