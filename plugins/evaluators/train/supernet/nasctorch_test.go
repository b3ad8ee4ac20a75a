package supernet

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/plugins/python/torchtest"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// torchAnswer is what PyTorch makes of a supernet: the losses of a gradient, a score
// and two weight steps, and gradients of the mixture of both orders.
type torchAnswer struct{ Losses, First, Second []float64 }

// TestNascTorch builds supernets in PyTorch, by nasc_torch, and compares losses and
// gradients for the same weights, mixture and images, in float32. That of the hierarchical
// space is for [TestNascTorchFloat64].
func TestNascTorch(t *testing.T) {
	torchtest.Need(t)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	folder := t.TempDir()
	want := map[string]torchAnswer{}
	for i, c := range []struct {
		file string
		o    lower.Relaxation
		zero float64 // share of the mixture that is zero
		Options
	}{
		{file: "nasbench201/nasbench201.nas", Options: Options{Plain: true}},
		{file: "nasbench201/nasbench201.nas", zero: 0.5, Options: Options{Shared: true}},
		{file: "nasbench201/nasbench201.nas", o: lower.Relaxation{Channels: 2, EdgeWeights: true}, Options: Options{Plain: true}},
		{file: "darts/darts.nas", Options: Options{Plain: true}},
		{file: "darts/darts.nas", o: lower.Relaxation{Channels: 2, EdgeWeights: true}},
		{file: "darts/darts.nas", o: lower.Relaxation{Channels: 4, EdgeWeights: true}, zero: 0.3},
		{file: "nasbench1shot1/space3.nas", Options: Options{Plain: true}},
		{file: "robustdarts/s1.nas", zero: 0.3},
		{file: "transnasbench101/micro.nas", Options: Options{Plain: true, Shared: true}},
		{file: "einspace/einspace.nas"},
	} {
		c.Batch, c.Seed, c.Clip = 16, 5, 5
		_, s := load(t, c.file, c.o, small[c.file]...)
		key := fmt.Sprintf("%d-%s-%v", i, filepath.Base(c.file), c.o)
		want[key] = engineAnswer(t, ws, s, c.Options, c.zero, filepath.Join(folder, key))
	}
	got := torchtest.Answers[torchAnswer](t, "supernets.py", folder)
	worst := 0.0
	for key, w := range want {
		g := got[key]
		for _, c := range []struct {
			what      string
			got, want []float64
			limit     float64
		}{
			{"losses", g.Losses, w.Losses, 1e-4},
			{"gradients", g.First, w.First, 1e-4},
			{"gradients of second order", g.Second, w.Second, 1e-3}, // the finite difference divides by a small radius
		} {
			d := torchtest.Distance(c.got, c.want)
			if worst = max(worst, d/c.limit); !(d <= c.limit) {
				t.Errorf("%s: the %s differ by %.2g of the largest", key, c.what, d)
			}
			if !sameZeros(c.got, c.want) {
				t.Errorf("%s: other %s are zero: %v in PyTorch, %v here", key, c.what, c.got, c.want)
			}
		}
	}
	t.Logf("%d supernets; the largest difference is %.2g of what is allowed", len(want), worst)
}

// sameZeros reports whether the same numbers are zero.
func sameZeros(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return (x == 0) == (y == 0) })
}

// engineAnswer does with a supernet what the script in Python does, and writes all that
// it starts from.
func engineAnswer(t *testing.T, ws *kernel.Workers, s *lower.Supernet, o Options, zero float64, file string) torchAnswer {
	t.Helper()
	const rate = 0.025
	o.Rule, o.Schedule = optim.SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4}, optim.Schedule{Rate: rate}
	n, err := New(s, ws, o)
	if err != nil {
		t.Fatal(err)
	}
	train, labels := batch(s, o.Batch, n.engine.places(), n.engine.classes(), 1)
	valid, _ := batch(s, o.Batch, n.engine.places(), n.engine.classes(), 2)
	m := random(n.Decisions(), 3)
	for i := range m {
		for k := range m[i] {
			if float64((7*i+3*k)%10) < 10*zero {
				m[i][k] = 0
			}
		}
	}
	export(t, n.engine, s, o, file, map[string]any{"labels": labels, "mixture": m, "rate": rate, "decay": 5e-4}, train, valid)
	ctx := context.Background()
	loss, first, err := n.ArchGradient(ctx, valid, labels, m)
	if err != nil {
		t.Fatal(err)
	}
	score, _, err := n.Score(ctx, valid, labels, m)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := n.Unrolled(ctx, Examples{train, labels}, Examples{valid, labels}, m, o.Rule, rate, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	want := torchAnswer{Losses: []float64{loss, score}}
	for range 2 {
		if loss, err = n.WeightStep(ctx, train, labels, m); err != nil {
			t.Fatal(err)
		}
		want.Losses = append(want.Losses, loss)
	}
	for i := range m {
		want.First, want.Second = append(want.First, first[i]...), append(want.Second, second[i]...)
	}
	return want
}

// export writes a supernet and what it is to compute for the script in Python.
func export[T kernel.Float](t *testing.T, e *engine[T], s *lower.Supernet, o Options, file string, task map[string]any, train, valid []float32) {
	t.Helper()
	network, err := wire.FromNetwork(s)
	if err != nil {
		t.Fatal(err)
	}
	message, err := proto.Marshal(network)
	if err != nil {
		t.Fatal(err)
	}
	shape := append([]int{o.Batch}, s.Net.Inputs[0].Shape...)
	var arrays torchtest.Arrays
	arrays.Add("train", shape, train)
	arrays.Add("valid", shape, valid)
	for _, w := range e.weights.learned {
		values := make([]float32, w.Shape().TotalSize())
		for k, v := range w.Value().Data().([]T) {
			values[k] = float32(v)
		}
		arrays.Add(w.Name(), w.Shape(), values)
	}
	maps.Copy(task, map[string]any{"network": base64.StdEncoding.EncodeToString(message), "plain": o.Plain, "shared": o.Shared})
	arrays.Write(t, file, task)
}

// TestNascTorchFloat64 compares loss and gradient of supernets in float64 with those of
// PyTorch in float64: also of the hierarchical space, whose gradient moves by half a per
// cent when nothing but the mixture is rounded to float32.
func TestNascTorchFloat64(t *testing.T) {
	torchtest.Need(t)
	folder := t.TempDir()
	want := map[string]torchAnswer{}
	for _, name := range []string{"nasbench201/nasbench201.nas", "hierarchical/hierarchical.nas"} {
		short(t, name)
		_, s := load(t, name, lower.Relaxation{}, small[name]...)
		o := Options{Batch: 16, Seed: 5}
		e := newTest[float64](t, s, o, 2)
		images, labels := batch(s, o.Batch, e.places(), e.classes(), 1)
		m := random(e.decisions, 3)
		inputs := slices.Clone(m)
		for _, w := range e.weights.learned {
			inputs = append(inputs, w.Value().Data().([]float64))
		}
		for _, all := range inputs { // which PyTorch gets in float32
			for k, v := range all {
				all[k] = float64(float32(v))
			}
		}
		key := filepath.Base(name)
		export(t, e, s, o, filepath.Join(folder, key), map[string]any{"double": true, "labels": labels, "mixture": m, "rate": 0, "decay": 0}, images, images)
		if err := e.load(images, labels, m); err != nil {
			t.Fatal(err)
		}
		loss, err := e.run(context.Background(), e.arching, 1)
		if err != nil {
			t.Fatal(err)
		}
		gradient, err := e.gradient(1)
		if err != nil {
			t.Fatal(err)
		}
		want[key] = torchAnswer{Losses: []float64{loss}, First: slices.Concat(gradient...)}
	}
	for key, g := range torchtest.Answers[torchAnswer](t, "supernets.py", folder) {
		losses, gradients := torchtest.Distance(g.Losses, want[key].Losses), torchtest.Distance(g.First, want[key].First)
		// nasc_torch computes the loss of logits in float32.
		if !(losses <= 1e-6 && gradients <= 1e-6) {
			t.Errorf("%s: losses differ by %.2g, gradients by %.2g of the largest", key, losses, gradients)
		}
	}
}
