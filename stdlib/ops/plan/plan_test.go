package plan

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// cell is a network under test: a stem, a relaxed or sampled cell of some nodes, and
// a classifier.
type cell struct {
	*ops.Network
	rand    *rand.Rand
	leaves  gorgonia.Nodes // parameters, in order
	vectors gorgonia.Nodes // of mixture weights
	loss    *gorgonia.Node
}

func (c *cell) leaf(name string, scale float64, shape ...int) *gorgonia.Node {
	v := tensor.New(tensor.Of(c.Dtype), tensor.WithShape(shape...))
	for i := range v.Size() {
		x := c.rand.NormFloat64() * scale
		switch d := v.Data().(type) {
		case []float32:
			d[i] = float32(x)
		case []float64:
			d[i] = x
		}
	}
	return gorgonia.NewTensor(c.Graph, c.Dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
}

func (c *cell) Learn(name string, init ops.Init, shape ...int) (*gorgonia.Node, error) {
	scale := init.Std
	if scale == 0 {
		scale = 0.5
	}
	p := c.leaf(name, scale, shape...)
	if init.Value != 0 {
		switch d := p.Value().Data().(type) {
		case []float32:
			for i := range d {
				d[i] += float32(init.Value)
			}
		case []float64:
			for i := range d {
				d[i] += init.Value
			}
		}
	}
	c.leaves = append(c.leaves, p)
	return p, nil
}

func (c *cell) Running(_ string, channels int) *ops.Running { return ops.NewRunning(channels) }

func (c *cell) build(t testing.TB, address, op string, a map[string]int, in ...*gorgonia.Node) *gorgonia.Node {
	t.Helper()
	attrs := ops.Attrs{}
	for k, v := range a {
		attrs[k] = int64(v)
	}
	y, err := c.Build(address, op, attrs, in...)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// candidates are the operations of edges.
var candidates = []struct {
	op    string
	attrs map[string]int
}{
	{"zero", nil},
	{"skip", nil},
	{"relu_conv_bn", map[string]int{"kernel": 1}},
	{"relu_conv_bn", map[string]int{"kernel": 3}},
	{"avg_pool", map[string]int{"kernel": 3}},
	{"max_pool", map[string]int{"kernel": 3}},
	{"sep_conv", map[string]int{"kernel": 3}},
	{"dil_conv", map[string]int{"kernel": 3}},
	{"conv_bn_relu", map[string]int{"kernel": 3}},
	{"plain_batch_norm", nil},
}

// newCell builds a network. A seed draws its width, the operations and whether the
// nodes are mixtures, plain sums or mixtures within sums.
func newCell(t testing.TB, dt tensor.Dtype, ws *kernel.Workers, seed uint64, nodes, cells, b, c, side int, choice ...int) *cell {
	n := &cell{rand: rand.New(rand.NewPCG(seed, 5))}
	n.Network = &ops.Network{Graph: gorgonia.NewGraph(), Dtype: dt, Workers: ws, Params: n, Training: true}
	x := n.build(t, "stem", "conv_bn", map[string]int{"out": c}, n.leaf("image", 1, b, 3, side, side))
	style := rand.New(rand.NewPCG(seed, 6))
	at := 0
	for k := range cells {
		states := gorgonia.Nodes{x}
		for to := 1; to <= nodes; to++ {
			how := style.IntN(3)
			var sum, terms gorgonia.Nodes
			var weights [][]ops.Weight
			for from := range to {
				if k == 0 {
					n.vectors = append(n.vectors, n.leaf(fmt.Sprint("v", at), 1, len(choice)))
				}
				vector := at % len(n.vectors)
				at++
				var mixed gorgonia.Nodes
				var mine [][]ops.Weight
				for i, o := range choice {
					y := n.build(t, fmt.Sprintf("%d.%d-%d.%d", k, from, to, i), candidates[o].op, candidates[o].attrs, states[from])
					mixed, mine = append(mixed, y), append(mine, []ops.Weight{{Vector: vector, Index: i}})
				}
				switch how {
				case 0: // all terms of the node in one mixture
					terms, weights = append(terms, mixed...), append(weights, mine...)
				case 1: // a mixture per edge
					y, err := n.Mixture(mixed, mine, n.vectors)
					if err != nil {
						t.Fatal(err)
					}
					sum = append(sum, y)
				default: // no mixture
					sum = append(sum, mixed[style.IntN(len(mixed))], mixed[len(mixed)-1])
				}
			}
			if how == 0 {
				m, err := n.Mixture(terms, weights, n.vectors)
				if err != nil {
					t.Fatal(err)
				}
				states = append(states, m)
				continue
			}
			states = append(states, n.build(t, fmt.Sprintf("%d.sum%d", k, to), "sum", nil, sum...))
		}
		x = states[nodes]
		if k%2 == 0 && k+1 < cells {
			x = n.build(t, fmt.Sprintf("%d.down", k), "residual", map[string]int{"out": 2 * c, "stride": 2}, x)
			c *= 2
		}
	}
	x = n.build(t, "relu", "relu", nil, n.build(t, "norm", "batch_norm", nil, x))
	logits := n.build(t, "fc", "linear", map[string]int{"out": 4}, n.build(t, "pool", "global_pool", nil, x))
	labels := n.leaf("labels", 0, b)
	var err error
	if n.loss, err = n.CrossEntropy(logits, labels, 0); err != nil {
		t.Fatal(err)
	}
	return n
}

// gradients are the loss and the gradients of the leaves that it depends on.
func (c *cell) gradients(t testing.TB, leaves gorgonia.Nodes) (gorgonia.Nodes, gorgonia.Nodes) {
	wrt, grads, err := c.Gradients(c.loss, leaves)
	if err != nil {
		t.Fatal(err)
	}
	return wrt, append(gorgonia.Nodes{c.loss}, grads...)
}

func newPlan[T kernel.Float](t testing.TB, ws *kernel.Workers, o Options[T], wanted ...*gorgonia.Node) *Plan[T] {
	p, err := New(ws, o, wanted...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func run[T kernel.Float](t testing.TB, p *Plan[T], wanted gorgonia.Nodes) [][]T {
	t.Helper()
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var all [][]T
	for _, n := range wanted {
		all = append(all, slices.Clone(p.Value(n)))
	}
	return all
}

// alike compares results number by number, relative to the largest of each tensor, or
// to a hundredth of the largest of all.
func alike[T kernel.Float](t *testing.T, what string, names gorgonia.Nodes, got, want [][]T, tol float64) {
	t.Helper()
	// Many a gradient is zero but for rounding, that of a shift before another
	// normalisation for one.
	var top float64
	for i := range want {
		for _, v := range want[i] {
			top = max(top, math.Abs(float64(v)))
		}
	}
	for i := range want {
		size := top / 100
		for _, v := range want[i] {
			size = max(size, math.Abs(float64(v)))
		}
		for j, v := range want[i] {
			if d := math.Abs(float64(got[i][j] - v)); !(d <= tol*size) {
				t.Fatalf("%s: number %d of result %d (%v) is %v, want %v", what, j, i, names[i], got[i][j], v)
			}
		}
	}
}

// some draws candidates.
func some(seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, 7))
	return r.Perm(len(candidates))[:2+r.IntN(4)]
}

func all(c *cell) gorgonia.Nodes { return append(slices.Clone(c.leaves), c.vectors...) }

// sample makes weights of the vectors zero, with a probability.
func sample(c *cell, seed uint64, share float64) {
	r := rand.New(rand.NewPCG(seed, 8))
	for _, v := range c.vectors {
		switch d := v.Value().Data().(type) {
		case []float32:
			for i := range d {
				if d[i] = float32(r.NormFloat64()); r.Float64() < share {
					d[i] = 0
				}
			}
		case []float64:
			for i := range d {
				if d[i] = r.NormFloat64(); r.Float64() < share {
					d[i] = 0
				}
			}
		}
	}
}

// TestFused compares fused plans with the graph run primitive by primitive, with all
// terms and with some sampled, on networks drawn at random.
func TestFused(t *testing.T) {
	t.Run("float64", func(t *testing.T) { testFused[float64](t, gorgonia.Float64, 1e-9) })
	t.Run("float32", func(t *testing.T) { testFused[float32](t, gorgonia.Float32, 1e-3) })
}

func testFused[T kernel.Float](t *testing.T, dt tensor.Dtype, tol float64) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			ws := kernel.NewWorkers(2)
			defer ws.Close()
			c := newCell(t, dt, ws, seed, 3, 2, 4, 3+int(seed), 6, some(seed)...)
			wrt, wanted := c.gradients(t, all(c))
			names := append(gorgonia.Nodes{c.loss}, wrt...)
			plain := newPlan(t, ws, Options[T]{Unfused: true}, wanted...)
			fused := newPlan(t, ws, Options[T]{}, wanted...)
			for round, share := range []float64{0, 0.7, 0.95, 0, 1} {
				sample(c, seed+uint64(round), share)
				alike(t, fmt.Sprintf("round %d", round), names, run(t, fused, wanted), run(t, plain, wanted), tol)
			}
		})
	}
}

// TestThreads wants the same bits from one and from three threads.
func TestThreads(t *testing.T) {
	for seed := range uint64(6) {
		var first [][]float32
		for _, threads := range []int{1, 3} {
			ws := kernel.NewWorkers(threads)
			c := newCell(t, gorgonia.Float32, ws, seed, 3, 2, 5, 4+3*int(seed), 9, some(seed)...)
			_, wanted := c.gradients(t, all(c))
			got := run(t, newPlan(t, ws, Options[float32]{}, wanted...), wanted)
			if ws.Close(); first == nil {
				first = got
			}
			if !slices.EqualFunc(got, first, slices.Equal[[]float32]) {
				t.Errorf("seed %d: three threads give other bits than one", seed)
			}
		}
	}
}

// TestDifferences compares the gradients of fused plans with central differences.
func TestDifferences(t *testing.T) {
	for seed := range uint64(6) {
		ws := kernel.NewWorkers(2)
		defer ws.Close()
		c := newCell(t, gorgonia.Float64, ws, seed, 2, 1, 3, 4, 5, some(seed)...)
		wrt, wanted := c.gradients(t, all(c))
		p := newPlan(t, ws, Options[float64]{}, wanted...)
		grads := run(t, p, wanted)
		loss := newPlan(t, ws, Options[float64]{}, c.loss)
		for i, leaf := range wrt {
			x := p.Value(leaf)
			for n := range min(5, len(x)) {
				j := n * len(x) / min(5, len(x))
				const eps = 1e-6
				old := x[j]
				x[j] = old + eps
				up := run(t, loss, gorgonia.Nodes{c.loss})[0][0]
				x[j] = old - eps
				down := run(t, loss, gorgonia.Nodes{c.loss})[0][0]
				x[j] = old
				if got, want := grads[i+1][j], (up-down)/(2*eps); math.Abs(got-want) > 2e-5*max(1, math.Abs(want)) {
					t.Errorf("seed %d: d/d%s[%d] = %v, by differences %v", seed, leaf.Name(), j, got, want)
				}
			}
		}
	}
}

// TestUnsampled poisons the filters of the candidates that have no weight: nothing of
// them may be read, and their gradients are zero.
func TestUnsampled(t *testing.T) {
	for _, unfused := range []bool{false, true} {
		ws := kernel.NewWorkers(1)
		defer ws.Close()
		c := newCell(t, gorgonia.Float32, ws, 3, 3, 1, 4, 8, 6, 2, 3, 6, 1)
		for _, v := range c.vectors { // the second candidate alone
			copy(v.Value().Data().([]float32), []float32{0, 1, 0, 0})
		}
		wrt, wanted := c.gradients(t, all(c))
		p := newPlan(t, ws, Options[float32]{Unfused: unfused}, wanted...)
		whole := run(t, p, wanted)
		asleep := 0
		for i, n := range wrt {
			if slices.ContainsFunc(whole[i+1], func(v float32) bool { return v != 0 }) || len(p.Value(n)) == 4 {
				continue
			}
			asleep++
			for j := range p.Value(n) {
				p.Value(n)[j] = float32(math.NaN())
			}
		}
		if asleep < 10 {
			t.Fatalf("only %d parameters sleep", asleep)
		}
		if got := run(t, p, wanted); !slices.EqualFunc(got, whole, slices.Equal[[]float32]) {
			t.Errorf("unfused %v: parameters without a path change the results", unfused)
		}
	}
}

// TestSharedArena lets two plans take turns in one arena.
func TestSharedArena(t *testing.T) {
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	c := newCell(t, gorgonia.Float32, ws, 4, 3, 2, 4, 8, 6, 1, 2, 3, 4)
	wrt, wanted := c.gradients(t, all(c))
	weights, vectors := gorgonia.Nodes{c.loss}, gorgonia.Nodes{c.loss}
	for i, n := range wrt {
		if slices.Contains(c.vectors, n) {
			vectors = append(vectors, wanted[i+1])
		} else {
			weights = append(weights, wanted[i+1])
		}
	}
	arena := NewArena[float32]()
	a := newPlan(t, ws, Options[float32]{Arena: arena}, vectors...)
	b := newPlan(t, ws, Options[float32]{Arena: arena}, weights...)
	first := [2][][]float32{run(t, newPlan(t, ws, Options[float32]{}, vectors...), vectors), run(t, newPlan(t, ws, Options[float32]{}, weights...), weights)}
	for range 2 {
		for i, got := range [2][][]float32{run(t, a, vectors), run(t, b, weights)} {
			if !slices.EqualFunc(got, first[i], slices.Equal[[]float32]) {
				t.Errorf("plan %d gives other results in a shared arena", i)
			}
		}
	}
	if size := 4 * len(arena.data); size > max(a.Memory(), b.Memory()) {
		t.Errorf("the arena has %d bytes for plans of %d and %d", size, a.Memory(), b.Memory())
	}
}

// TestExplain reads the table of a mixed node on one edge: one convolution for both
// edges, one pass for the node, two for its gradients.
func TestExplain(t *testing.T) {
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	net := nasbench201(t, ws, 4, 1, 2, 8, 3, "")
	text := net.steps(t, false)[0].Explain()
	for _, want := range []string{
		"convolution 3x3, 3 as one, 3 statistics",
		"sum of 4, 2 normalised, 4 weighed, ReLU", // skip, 1x1, 3x3 and pooling of one edge
		"gradient of the filters, convolution 3x3, 3 as one",
		"gradient of the map, convolution 1x1, 3 as one",
		"in all",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
