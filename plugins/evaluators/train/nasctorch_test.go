package train

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// array is one of the arrays of a file that plugins/python/tests/engine reads.
type namedArray struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// torchAnswer is what PyTorch makes of a graph.
type torchAnswer struct {
	Batch, Eval []float64
	Params      int64
}

// TestNascTorch builds architectures of all shipped spaces in PyTorch, by nasc_torch,
// and compares what they give for the same weights and images.
func TestNascTorch(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import torch, google.protobuf, grpc").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch with grpcio for %s: %v %s", python, err, out)
	}
	paths, err := fs.Glob(spaces.Files, "*/*.nas")
	if err != nil {
		t.Fatal(err)
	}
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	folder := t.TempDir()
	want := map[string]torchAnswer{}
	for _, path := range paths {
		home, name, _ := strings.Cut(path, "/")
		if home == "reproduce" || strings.HasPrefix(name, "oneshot") { // the spaces of others
			continue
		}
		s := smallSpace(t, path, small[home])
		rng := stream.New(3, "torch", 0)
		for i := range 2 {
			g, err := s.Bind(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(g.Text(), "noise") { // which draws other numbers
				continue
			}
			key := fmt.Sprintf("%s-%s-%d", home, strings.TrimSuffix(name, ".nas"), i)
			want[key] = engineAnswer(t, ws, g, filepath.Join(folder, key))
		}
	}
	var complaint bytes.Buffer
	cmd := exec.Command(python, filepath.Join("..", "..", "python", "tests", "engine", "networks.py"), folder)
	cmd.Stderr, cmd.Env = &complaint, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	var got map[string]torchAnswer
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for key, w := range want {
		g := got[key]
		if g.Params != w.Params {
			t.Errorf("%s: PyTorch has %d parameters, the graph %d", key, g.Params, w.Params)
		}
		for what, pair := range map[string][2][]float64{"by the batch": {g.Batch, w.Batch}, "in evaluation": {g.Eval, w.Eval}} {
			d := distance(pair[0], pair[1])
			worst = max(worst, d)
			if !(d <= 1e-4) {
				t.Errorf("%s: the logits %s differ by %.2g of the largest", key, what, d)
			}
		}
	}
	t.Logf("%d architectures; the largest difference is %.1e", len(want), worst)
}

// distance is the largest difference, relative to the largest number if that is above 1.
func distance(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	size, worst := 1.0, 0.0
	for i, w := range want {
		size = max(size, math.Abs(w))
		if d := math.Abs(got[i] - w); !(d <= worst) {
			worst = d
		}
	}
	return worst / size
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
	arrays := []any{n.images}
	names := []namedArray{{"images", append([]int{batch}, g.Inputs[0].Shape...)}}
	for _, w := range n.weights.learned {
		data := w.Value().Data().([]float32)
		for i := range data { // scales and shifts too are other than 1 and 0
			data[i] += float32(0.1 * rng.NormFloat64() * math.Abs(float64(data[i])))
		}
		arrays = append(arrays, data)
		names = append(names, namedArray{w.Name(), w.Shape()})
	}
	if err := checkpoint.Write(file, map[string]any{"graph": base64.StdEncoding.EncodeToString(message), "arrays": names}, arrays...); err != nil {
		t.Fatal(err)
	}
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

// smallSpace loads a shipped space in a size that a test can train.
func smallSpace(t *testing.T, path string, sizes map[string]any) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(path, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var args []compiler.Argument
	for name, value := range sizes {
		args = append(args, compiler.Argument{Name: name, Value: value})
	}
	s, diags := m.Space("", args)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}
