package supernet

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/labtest"
	"github.com/nasc-project/nasc/plugins/sdk/sdktest"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// labSpace is a space with a relu, its own or that of a plugin, on every edge.
const labSpace = `import { relu, skip, zero, conv_bn, global_pool, linear } from "std/vision"
import plugin "me/lab" as lab

block edge = zero | skip | RELU | conv_bn(kernel: 1)
cell normal(x) {
    node n[2] = sum(edge(prev))
    return n[1]
}
space s(image: [3, 8, 8]) -> [10] = image -> conv_bn(out: 4) -> normal -> global_pool -> linear(out: 10)
`

// TestOperations: an operation of a plugin in mixtures gives the loss and the gradients
// that nasc's own gives, and one that a mixture takes out is not computed; so it is where
// a half of the channels comes in.
func TestOperations(t *testing.T) {
	for _, o := range []lower.Relaxation{{}, {Channels: 2, EdgeWeights: true}} {
		t.Run(fmt.Sprint(o.Channels), func(t *testing.T) { likeOwn(t, o) })
	}
}

func likeOwn(t *testing.T, o lower.Relaxation) {
	ctx := context.Background()
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	var losses []float64
	var grads []Mixture
	for _, relu := range []string{"relu", "lab.relu"} {
		read := func(name string) ([]byte, error) {
			switch name {
			case "s.nas":
				return []byte(strings.Replace(labSpace, "RELU", relu, 1)), nil
			case "plugin:me/lab":
				return []byte(labtest.Plugin.Signatures), nil
			}
			return nil, fs.ErrNotExist
		}
		_, s := relax(t, "s.nas", read, "", o)
		n, err := New(s, ws, Options{Batch: 4, Seed: 1, Operations: sdktest.Operations(t, labtest.Plugin)})
		if err != nil {
			t.Fatal(err)
		}
		images, labels := batch(s, 4, n.engine.places(), n.engine.classes(), 1)
		for range 2 {
			loss, grad, err := n.ArchGradient(ctx, images, labels, n.Uniform())
			if err != nil {
				t.Fatal(err)
			}
			losses, grads = append(losses, loss), append(grads, grad)
			if _, err := n.WeightStep(ctx, images, labels, n.Uniform()); err != nil {
				t.Fatal(err)
			}
		}
		if got := n.engine.remote.Memory() > 0; got != (relu == "lab.relu") {
			t.Errorf("%s: memory for the plugin's tensors: %v", relu, got)
		}
		without := n.zeros()
		for i, d := range n.Decisions() {
			for k := range without[i] {
				if d.Edges || k == 1 {
					without[i][k] = 1
				}
			}
		}
		if _, err := n.WeightStep(ctx, images, labels, without); err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if _, err := n.WeightStep(ctx, images, labels, without); err != nil {
			t.Errorf("without the operation: %v", err)
		}
		if _, err := n.WeightStep(ctx, images, labels, n.Uniform()); (err != nil) != (relu == "lab.relu") {
			t.Errorf("%s: the operation of a closed network: %v", relu, err)
		}
	}
	for i := range 2 {
		if math.Abs(losses[i]-losses[2+i]) > 1e-4 {
			t.Errorf("step %d: the loss is %v, and with nasc's own operation %v", i, losses[2+i], losses[i])
		}
		moved := 0.0
		for d := range grads[i] {
			for k, g := range grads[i][d] {
				moved = max(moved, math.Abs(g))
				if math.Abs(g-grads[2+i][d][k]) > 1e-4 {
					t.Errorf("step %d: gradient %d of decision %d is %v, and with nasc's own operation %v", i, k, d, grads[2+i][d][k], g)
				}
			}
		}
		if moved < 1e-3 {
			t.Errorf("step %d: the gradients are at most %v", i, moved)
		}
	}
}

// TestOperationsPartially: the weights of a plugin's operation are those of the channels
// that come in, as its declaration says, and its gradients move them.
func TestOperationsPartially(t *testing.T) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	read := func(name string) ([]byte, error) {
		switch name {
		case "s.nas":
			return []byte(strings.Replace(labSpace, "RELU", "lab.jitter", 1)), nil
		case "plugin:me/lab":
			return []byte(labtest.Plugin.Signatures), nil
		}
		return nil, fs.ErrNotExist
	}
	_, s := relax(t, "s.nas", read, "", lower.Relaxation{Channels: 4})
	n, err := New(s, ws, Options{Batch: 4, Seed: 1, Operations: sdktest.Operations(t, labtest.Plugin)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	images, labels := batch(s, 4, n.engine.places(), n.engine.classes(), 1)
	start := map[string]float32{}
	for i, p := range n.engine.params {
		start[p.Name()] = n.tensors[i][0]
	}
	if _, err := n.WeightStep(context.Background(), images, labels, n.Uniform()); err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, p := range n.engine.params {
		if !strings.HasSuffix(p.Name(), "factor") {
			continue
		}
		found++
		if len(n.tensors[i]) != 1 || n.tensors[i][0] == start[p.Name()] {
			t.Errorf("%s is %v, and was %v; one of four channels comes in", p.Name(), n.tensors[i], start[p.Name()])
		}
	}
	if found != 3 {
		t.Errorf("%d weights of the operation on three edges", found)
	}
}
