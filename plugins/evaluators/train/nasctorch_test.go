package train

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/python/torchtest"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// torchAnswer is what PyTorch makes of a graph.
type torchAnswer struct {
	Batch, Eval []float64
	Params      int64
}

// TestNascTorch builds architectures of all shipped spaces in PyTorch, by nasc_torch,
// and compares what they give for the same weights and images.
func TestNascTorch(t *testing.T) {
	torchtest.Need(t)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	folder := t.TempDir()
	want := map[string]torchAnswer{}
	for _, path := range shipped(t) {
		s := smallSpace(t, path)
		rng := stream.New(3, "torch", 0)
		for i := range 2 {
			g, err := s.Bind(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(g.Text(), "noise") { // which draws other numbers
				continue
			}
			key := fmt.Sprintf("%s-%d", strings.TrimSuffix(strings.ReplaceAll(path, "/", "-"), ".nas"), i)
			want[key] = engineAnswer(t, ws, g, filepath.Join(folder, key))
		}
	}
	got := torchtest.Answers[torchAnswer](t, "networks.py", folder)
	worst := 0.0
	for key, w := range want {
		g := got[key]
		if g.Params != w.Params {
			t.Errorf("%s: PyTorch has %d parameters, the graph %d", key, g.Params, w.Params)
		}
		for what, pair := range map[string][2][]float64{"by the batch": {g.Batch, w.Batch}, "in evaluation": {g.Eval, w.Eval}} {
			d := torchtest.Distance(pair[0], pair[1])
			worst = max(worst, d)
			if !(d <= 1e-4) {
				t.Errorf("%s: the logits %s differ by %.2g of the largest", key, what, d)
			}
		}
	}
	t.Logf("%d architectures; the largest difference is %.1e", len(want), worst)
}

// engineAnswer runs an architecture here, and writes graph, weights and images.
func engineAnswer(t *testing.T, ws *kernel.Workers, g *graph.Graph, file string) torchAnswer {
	t.Helper()
	const batch = 16 // of fewer, batch norm of a map of one pixel amplifies rounding
	n, err := newNetwork(g, ws, batch, 1, objective{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(2, "torch", 0)
	for i := range n.images {
		n.images[i] = float32(rng.NormFloat64())
	}
	message, err := wire.AppendGraph(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	var arrays torchtest.Arrays
	arrays.Add("images", append([]int{batch}, g.Inputs[0].Shape...), n.images)
	for _, w := range n.weights.learned {
		data := w.Value().Data().([]float32)
		for i := range data { // scales and shifts too are other than 1 and 0
			data[i] += float32(0.1 * rng.NormFloat64() * math.Abs(float64(data[i])))
		}
		arrays.Add(w.Name(), w.Shape(), data)
	}
	arrays.Write(t, file, map[string]any{"graph": base64.StdEncoding.EncodeToString(message)})
	want := torchAnswer{Params: n.weights.count}
	n.Norm = ops.BatchNorm
	if err := n.score(context.Background()); err != nil {
		t.Fatal(err)
	}
	want.Batch = planes(n.logits, g.Shape(g.Output))
	n.Norm = ops.UsualNorm
	if err := n.step(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := n.score(context.Background()); err != nil {
		t.Fatal(err)
	}
	want.Eval = planes(n.logits, g.Shape(g.Output))
	return want
}

// planes are the numbers of maps (B,C,...), with the channels first.
func planes(x []float32, shape graph.Shape) []float64 {
	channels, pixels := shape[0], 1
	for _, d := range shape[1:] {
		pixels *= d
	}
	out := make([]float64, len(x))
	for i, v := range x {
		b, p, c := i/(channels*pixels), i/channels%pixels, i%channels
		out[(b*channels+c)*pixels+p] = float64(v)
	}
	return out
}
