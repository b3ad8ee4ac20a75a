package train

import (
	"context"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// small gives the shipped spaces sizes that a test can train.
var small = map[string]map[string]any{
	"autoformer":       {"image": []int64{3, 32, 32}, "classes": int64(10)},
	"darts":            {"image": []int64{3, 16, 16}, "c": int64(4), "n": int64(1)},
	"einspace":         {"image": []int64{3, 16, 16}, "c": int64(8)},
	"fbnet":            {"image": []int64{3, 32, 32}, "classes": int64(10)},
	"hierarchical":     {"image": []int64{3, 16, 16}, "c": int64(8)},
	"nasbench101":      {"image": []int64{3, 8, 8}, "c": int64(16)},
	"nasbench1shot1":   {"image": []int64{3, 8, 8}},
	"nasbench201":      {"image": []int64{3, 16, 16}, "c": int64(4), "n": int64(1)},
	"nasbenchasr":      {"frames": int64(12), "c": int64(100)},
	"natssize":         {"image": []int64{3, 8, 8}},
	"ofa":              {"r": int64(64), "width": 0.5, "classes": int64(10)},
	"quickstart":       {},
	"robustdarts":      {"image": []int64{3, 16, 16}, "c": int64(4), "n": int64(1)},
	"spos":             {"image": []int64{3, 32, 32}, "classes": int64(10)},
	"transnasbench101": {"image": []int64{3, 64, 64}, "c": int64(8), "classes": int64(10)},
}

// shipped are the files with spaces of their own.
func shipped(t *testing.T) (paths []string) {
	t.Helper()
	all, err := fs.Glob(spaces.Files, "*/*.nas")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if folder, name, _ := strings.Cut(path, "/"); folder != "reproduce" && !strings.HasPrefix(name, "oneshot") {
			paths = append(paths, path)
		}
	}
	return paths
}

// smallSpace loads a shipped space in a size that a test can train.
func smallSpace(t *testing.T, path string) *compiler.Space {
	t.Helper()
	folder, _, _ := strings.Cut(path, "/")
	sizes, ok := small[folder]
	if !ok {
		t.Fatalf("the tests have no sizes for %s", path)
	}
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

// unread are the spaces that leave it open whether a vertex is read at all. In all
// others the numbers that are trained are those that the graph counts.
var unread = map[string]bool{"nasbench101": true, "nasbench1shot1": true}

// TestShippedSpaces takes two steps with five architectures of every shipped space,
// as the compiler makes them. Shapes and parameters of every operation are those of
// its declaration, or building fails; here their sums are compared. Losses and
// gradients are finite, and the same to rounding without the passes of plans.
func TestShippedSpaces(t *testing.T) {
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	for _, path := range shipped(t) {
		t.Run(path, func(t *testing.T) {
			folder, _, _ := strings.Cut(path, "/")
			s := smallSpace(t, path)
			rng := stream.New(1, "test", 0)
			for i := range 5 {
				g, err := s.Bind(s.Sample(rng))
				if err != nil {
					t.Fatal(err)
				}
				twoSteps(t, ws, g, unread[folder])
				if i < 2 {
					fusedAgrees(t, ws, g)
				}
			}
		})
	}
}

func twoSteps(t *testing.T, ws *kernel.Workers, g *graph.Graph, unread bool) {
	t.Helper()
	n, err := newNetwork(g, ws, 2, 1, objective{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// What no path leads from to the output is not built.
	want, _ := read(g, allNodes, false)
	if n.weights.count != want {
		t.Errorf("%d trainable numbers, but the graph has %d on paths to its output", n.weights.count, want)
	}
	if all := g.Params(); want != all && !unread {
		t.Errorf("%d trainable numbers are on paths to the output, but the graph has %d", want, all)
	}
	// What an absent edge or noise stands between has no gradient.
	trained := 0
	for _, p := range n.params {
		trained += len(p)
	}
	want, _ = read(g, func(n *graph.Node) bool { return !n.Absent && n.Op != "noise" }, true)
	if int64(trained) != want {
		t.Errorf("%d numbers have gradients, but %d lead to the output", trained, want)
	}
	if live := g.Live().Params(); want > g.Params() || !strings.Contains(g.Text(), "noise") && want < live {
		t.Errorf("%d numbers with gradients of %d as built, %d live", want, g.Params(), live)
	}
	rng := stream.New(2, "test", 0)
	for i := range n.images {
		n.images[i] = float32(rng.NormFloat64())
	}
	for i := range n.classes {
		n.classes[i] = float32(i % 10)
	}
	descent := optim.New(optim.SGD{Momentum: 0.9, Nesterov: true}, n.params)
	for step := range 2 {
		if err := n.step(context.Background()); err != nil {
			t.Fatal(err)
		}
		if loss := float64(n.loss[0]); math.IsNaN(loss) || loss > 100 {
			t.Errorf("a loss of %v in step %d", loss, step+1)
		}
		for i, grad := range n.grads {
			if len(grad) != len(n.params[i]) {
				t.Fatalf("a gradient of %d numbers for a parameter of %d", len(grad), len(n.params[i]))
			}
			for _, v := range grad {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("a gradient of %v in step %d", v, step+1)
				}
			}
		}
		optim.ClipNorm(ws, n.grads, 1)
		descent.Step(ws, n.grads, 0.01)
	}
}

func allNodes(*graph.Node) bool { return true }

// read counts the trainable numbers of the nodes that the output of g is computed
// from, through nodes that hand on something, and says which inputs of g are among
// what it is computed from. Unless it looks inside, a nested graph reads all of its
// inputs.
func read(g *graph.Graph, handsOn func(*graph.Node) bool, inside bool) (params int64, inputs []bool) {
	inputs = make([]bool, len(g.Inputs))
	nodes := make([]bool, len(g.Nodes))
	mark := func(r graph.Ref) {
		if i, ok := r.IsInput(); ok {
			inputs[i] = true
		} else {
			nodes[r] = true
		}
	}
	mark(g.Output)
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if !nodes[i] || !handsOn(n) {
			continue
		}
		params += n.Params
		var used []bool
		if n.Body != nil {
			var p int64
			p, used = read(n.Body, handsOn, inside)
			params += p
		}
		for j, r := range n.Inputs {
			if used == nil || !inside || used[j] {
				mark(r)
			}
		}
	}
	return params, inputs
}
