package graph_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

var ops201 = []string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}

// arch201 writes the architecture whose six edges are the base-5 digits of i.
func arch201(i int) string {
	var op [6]string
	for k := range op {
		op[k] = ops201[i%5]
		i /= 5
	}
	return fmt.Sprintf("|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|", op[0], op[1], op[2], op[3], op[4], op[5])
}

// arch0 has index 0 in NAS-Bench-201.
const arch0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"

func TestCostsAreThePublishedOnes(t *testing.T) {
	g := graphtest.NASBench201(arch0, 5)
	if err := g.Validate(); err != nil {
		t.Fatal(err)
	}
	// 0.129306 M parameters and 15.64737 MFLOPs in the benchmark.
	if g.Params() != 129306 || g.MACs() != 15647370 {
		t.Errorf("params %d, MACs %d", g.Params(), g.MACs())
	}
	// The longest path: stem, 15 cells of avg_pool and nothing but skips behind
	// it, two residual blocks, and four operations at the end.
	if g.Depth() != 1+15+2+4 {
		t.Errorf("depth %d", g.Depth())
	}
	live := graphtest.NASBench201("|none~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|", 5)
	skips := graphtest.NASBench201("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", 5)
	if live.Live().Params() != skips.Params() || live.Params() == skips.Params() {
		t.Errorf("live params %d of %d, want %d", live.Live().Params(), live.Params(), skips.Params())
	}
}

func TestTotalsSaturate(t *testing.T) {
	s := graph.Shape{1}
	g := graphtest.New("block", "b", s)
	g.Add(graph.Node{Op: "big", Params: math.MaxInt64 / 2}, graph.InputRef(0))
	for range 3 {
		h := graphtest.New("block", "b", s)
		h.Nest("one", g.Graph, h.Nest("two", g.Graph, graph.InputRef(0)))
		g = h
	}
	if g.Params() != math.MaxInt64 {
		t.Errorf("%d parameters", g.Params())
	}
}

func TestLive(t *testing.T) {
	s := graph.Shape{16, 8, 8}
	for _, c := range []struct{ arch, want string }{
		{arch0, "n[0].edge[0](x0) n[1].edge[0](x0) n[1](n[1].edge[0],n[0].edge[0]) n[2].edge[0](x0) n[2](n[2].edge[0],n[0].edge[0],n[1])"},
		{"|skip_connect~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|nor_conv_3x3~2|", "n[2](x0,x0)"},
		{"|none~0|+|none~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|", "= x0"},
		{"|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|", "= n[2]"},
	} {
		g := graphtest.Cell201(c.arch, s)
		before := describe(g)
		live := g.Live()
		if err := live.Validate(); err != nil {
			t.Error(err)
		}
		if got := describe(live); !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.arch, got, c.want)
		}
		if describe(g) != before {
			t.Error("Live changed its graph")
		}
	}
}

// describe writes the wiring of a graph.
func describe(g *graph.Graph) string {
	name := func(r graph.Ref) string {
		if i, ok := r.IsInput(); ok {
			return g.Inputs[i].Name
		}
		return g.Nodes[r].Name
	}
	var b strings.Builder
	for _, n := range g.Nodes {
		var in []string
		for _, r := range n.Inputs {
			in = append(in, name(r))
		}
		fmt.Fprintf(&b, "%s(%s) ", n.Name, strings.Join(in, ","))
	}
	fmt.Fprintf(&b, "= %s", name(g.Output))
	return b.String()
}

func TestLiveOfNestedGraphs(t *testing.T) {
	// Stage by stage: absent cells make all behind them absent.
	g := graphtest.NASBench201("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 5).Live()
	if len(g.Nodes) != 1 || !g.Nodes[0].Absent || g.Params() != 0 || len(g.Inputs) != 1 {
		t.Errorf("a network without a path: %s", describe(g))
	}
	// Cells that hand their input on vanish.
	g = graphtest.NASBench201("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", 5).Live()
	if len(g.Nodes) != 7 {
		t.Errorf("a network of skips: %s", describe(g))
	}
	// Shared bodies stay shared.
	g = graphtest.NASBench201(arch0, 5).Live()
	if g.Nodes[1].Body != g.Nodes[5].Body || g.Nodes[1].Body == g.Nodes[7].Body {
		t.Error("sharing is lost")
	}
	// A nested graph loses the input it does not use, and with it what only
	// that input needs.
	s := graph.Shape{4, 2, 2}
	cell := graphtest.New("cell", "two", s, s)
	cell.Add(graph.Node{Op: "f"}, graph.InputRef(0))
	cell.Add(graph.Node{Op: "g"}, cell.Output)
	top := graphtest.New("space", "top", s)
	unused := top.Add(graph.Node{Op: "h", Params: 7}, graph.InputRef(0))
	top.Nest("cell", cell.Graph, graph.InputRef(0), unused)
	if live := top.Live(); live.Params() != 0 || len(live.Nodes) != 1 || len(live.Nodes[0].Body.Inputs) != 1 {
		t.Errorf("an unused input stays: %s", describe(top.Live()))
	}
	// An absent tensor that concat needs stays as a tensor.
	cat := graphtest.New("cell", "cat", s)
	zero := cat.Add(graph.Node{Op: "zero", Absent: true}, graph.InputRef(0))
	cat.Add(graph.Node{Op: "concat", Module: "std/core", Shape: graph.Shape{8, 2, 2}}, graph.InputRef(0), zero)
	if live := cat.Live(); live.Validate() != nil || len(live.Nodes) != 2 || len(live.Nodes[0].Inputs) != 0 {
		t.Errorf("concat of an absent tensor: %s", describe(live))
	}
}

// shuffled returns g with nodes in another topological order, other names, and
// the inputs of sums in another order.
func shuffled(g *graph.Graph, rng *rand.Rand) *graph.Graph {
	bodies := map[*graph.Graph]*graph.Graph{}
	var shuffle func(g *graph.Graph) *graph.Graph
	shuffle = func(g *graph.Graph) *graph.Graph {
		if b, ok := bodies[g]; ok && rng.IntN(2) == 0 {
			return b
		}
		h := &graph.Graph{Name: "other" + g.Name, Kind: "block", Inputs: g.Inputs}
		place := make([]graph.Ref, len(g.Nodes))
		done := make([]bool, len(g.Nodes))
		move := func(r graph.Ref) graph.Ref {
			if r < 0 {
				return r
			}
			return place[r]
		}
		for len(h.Nodes) < len(g.Nodes) {
			i := rng.IntN(len(g.Nodes))
			ready := !done[i] && !slices.ContainsFunc(g.Nodes[i].Inputs, func(r graph.Ref) bool { return r >= 0 && !done[r] })
			if !ready {
				continue
			}
			n := *g.Nodes[i]
			n.Name, n.Vertex = fmt.Sprintf("q%d", len(h.Nodes)), ""
			n.Inputs = slices.Clone(n.Inputs)
			for k, r := range n.Inputs {
				n.Inputs[k] = move(r)
			}
			if n.Commutative {
				rng.Shuffle(len(n.Inputs), func(a, b int) { n.Inputs[a], n.Inputs[b] = n.Inputs[b], n.Inputs[a] })
			}
			if n.Body != nil {
				n.Body = shuffle(n.Body)
			}
			place[i], done[i] = graph.Ref(len(h.Nodes)), true
			h.Nodes = append(h.Nodes, &n)
		}
		h.Output = move(g.Output)
		bodies[g] = h
		return h
	}
	return shuffle(g)
}

// inlined returns g with its nested graphs written out.
func inlined(g *graph.Graph) *graph.Graph {
	h := &graph.Graph{Name: g.Name, Kind: g.Kind, Inputs: g.Inputs}
	var open func(g *graph.Graph, prefix string, inputs []graph.Ref) graph.Ref
	open = func(g *graph.Graph, prefix string, inputs []graph.Ref) graph.Ref {
		place := make([]graph.Ref, len(g.Nodes))
		at := func(r graph.Ref) graph.Ref {
			if i, ok := r.IsInput(); ok {
				return inputs[i]
			}
			return place[r]
		}
		for i, n := range g.Nodes {
			m := *n
			m.Name = prefix + n.Name
			m.Inputs = nil
			for _, r := range n.Inputs {
				m.Inputs = append(m.Inputs, at(r))
			}
			if n.Body != nil {
				place[i] = open(n.Body, m.Name+".", m.Inputs)
				continue
			}
			h.Nodes = append(h.Nodes, &m)
			place[i] = graph.Ref(len(h.Nodes) - 1)
		}
		return at(g.Output)
	}
	var inputs []graph.Ref
	for i := range g.Inputs {
		inputs = append(inputs, graph.InputRef(i))
	}
	h.Output = open(g, "", inputs)
	return h
}

func TestHashIsAnInvariant(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		g := graphtest.NASBench201(arch201(rng.IntN(15625)), 2)
		want := g.Hash()
		for _, h := range []*graph.Graph{g.Clone(), shuffled(g, rng), inlined(g), shuffled(inlined(g), rng), g.Live(), inlined(g).Live()} {
			if err := h.Validate(); err != nil {
				t.Fatal(err)
			}
			if h.Hash() != want {
				t.Fatalf("hash differs:\n%s\n%s", describe(g), describe(h))
			}
		}
	}
}

// TestHashLeavesOutOpenAttributes gives one operation two values of an attribute
// that its readers settle.
func TestHashLeavesOutOpenAttributes(t *testing.T) {
	hash := func(width int64, open bool) graph.Digest {
		b := graphtest.New("cell", "c", graph.Shape{4, 2, 2})
		b.Add(graph.Node{Op: "f", Attrs: []graph.Attr{{Name: "width", Value: width, Open: open}}}, graph.InputRef(0))
		return b.Hash()
	}
	if hash(1, true) != hash(2, true) || hash(1, false) == hash(2, false) {
		t.Error("an open attribute counts, or another one does not")
	}
}

func TestHashTellsApart(t *testing.T) {
	s := graph.Shape{4, 2, 2}
	x := graph.InputRef(0)
	conv := func(attr any) graph.Node {
		return graph.Node{Op: "conv", Attrs: []graph.Attr{{Name: "kernel", Value: attr}}}
	}
	build := func(f func(b graphtest.Builder)) *graph.Graph {
		b := graphtest.New("cell", "c", s)
		f(b)
		return b.Graph
	}
	graphs := map[string]*graph.Graph{
		"conv":      build(func(b graphtest.Builder) { b.Add(conv(int64(3)), x) }),
		"attribute": build(func(b graphtest.Builder) { b.Add(conv(int64(5)), x) }),
		"type":      build(func(b graphtest.Builder) { b.Add(conv(float64(3)), x) }),
		"shared":    build(func(b graphtest.Builder) { c := b.Add(conv(int64(3)), x); b.Sum("n", c, c) }),
		"twice": build(func(b graphtest.Builder) {
			b.Sum("n", b.Add(conv(int64(3)), x), b.Add(conv(int64(3)), x))
		}),
		"skip":    build(func(b graphtest.Builder) { b.Sum("n", b.Add(conv(int64(3)), x), x) }),
		"chain":   build(func(b graphtest.Builder) { b.Add(conv(int64(3)), b.Add(conv(int64(3)), x)) }),
		"ordered": build(func(b graphtest.Builder) { b.Add(graph.Node{Op: "f"}, x, b.Add(conv(int64(3)), x)) }),
		"swapped": build(func(b graphtest.Builder) { b.Add(graph.Node{Op: "f"}, b.Add(conv(int64(3)), x), x) }),
		// Two tensors read by f and g: from one conv, or from one each of two.
		"one for two": build(func(b graphtest.Builder) {
			c, d := b.Add(conv(int64(3)), x), b.Add(conv(int64(3)), x)
			b.Sum("n", b.Add(graph.Node{Op: "f"}, c), b.Add(graph.Node{Op: "g"}, c), d)
		}),
		"one each": build(func(b graphtest.Builder) {
			c, d := b.Add(conv(int64(3)), x), b.Add(conv(int64(3)), x)
			b.Sum("n", b.Add(graph.Node{Op: "f"}, c), b.Add(graph.Node{Op: "g"}, d), d)
		}),
		"input": build(func(b graphtest.Builder) { b.Output = x }),
	}
	seen := map[graph.Digest]string{}
	for name, g := range graphs {
		if other, ok := seen[g.Hash()]; ok {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[g.Hash()] = name
	}
}

// TestHashCountsNASBench101 counts the cells of NAS-Bench-101 up to isomorphism:
// 1, 7, 91, 2,532 and 64,542 of at most 2, 3, 4, 5 and 6 vertices.
func TestHashCountsNASBench101(t *testing.T) {
	seen := map[graph.Digest]bool{}
	for i, want := range []int{1, 7, 91, 2532, 64542} {
		vertices := i + 2
		if vertices > 5 && testing.Short() {
			return
		}
		count101(vertices, seen)
		if len(seen) != want {
			t.Errorf("at most %d vertices: %d cells, want %d", vertices, len(seen), want)
		}
	}
}

// count101 adds the cells of exactly so many vertices, all of which lie on a
// path from the input to the output.
func count101(vertices int, seen map[graph.Digest]bool) {
	labellings := int(math.Pow(3, float64(vertices-2)))
	for wiring := range 1 << (vertices * (vertices - 1) / 2) {
		if bits.OnesCount(uint(wiring)) > 9 { // a rule of the benchmark
			continue
		}
		used := 0
		for _, n := range cell101(vertices, wiring, 0).Live().Nodes {
			if n.Op != "sum" && !n.Absent {
				used++
			}
		}
		if used < vertices-1 {
			continue
		}
		for l := range labellings {
			seen[cell101(vertices, wiring, l).Hash()] = true
		}
	}
}

// cell101 reads a wiring as the upper triangle of an adjacency matrix.
func cell101(vertices, wiring, labels int) *graph.Graph {
	s := graph.Shape{1}
	b := graphtest.New("cell", "module", s)
	at := []graph.Ref{graph.InputRef(0)}
	for v := 1; v < vertices; v++ {
		var in []graph.Ref
		for u := range v {
			if wiring&1 != 0 {
				in = append(in, at[u])
			}
			wiring >>= 1
		}
		op := "out"
		if v < vertices-1 {
			op = string(rune('a' + labels%3))
			labels /= 3
		}
		if in == nil {
			at = append(at, b.Add(graph.Node{Op: "zero", Absent: true}, graph.InputRef(0)))
			continue
		}
		at = append(at, b.Add(graph.Node{Op: op}, b.Sum(fmt.Sprint("s", v), in...)))
	}
	b.Output = at[vertices-1]
	return b.Graph
}

func TestValidateRejects(t *testing.T) {
	s := graph.Shape{4, 2, 2}
	good := func() *graph.Graph { return graphtest.NASBench201(arch0, 1) }
	for _, c := range []struct {
		want  string
		spoil func(g *graph.Graph)
	}{
		{"no earlier node", func(g *graph.Graph) { g.Nodes[1].Inputs[0] = 1 }},
		{"no earlier node", func(g *graph.Graph) { g.Nodes[1].Inputs[0] = -2 }},
		{"needs a name of its own", func(g *graph.Graph) { g.Nodes[1].Name = g.Nodes[0].Name }},
		{"is missing", func(g *graph.Graph) { g.Nodes[1] = nil }},
		{"has no operation", func(g *graph.Graph) { g.Nodes[0].Op = "" }},
		{"output 99", func(g *graph.Graph) { g.Output = 99 }},
		{"shape [0]", func(g *graph.Graph) { g.Nodes[0].Shape = graph.Shape{0} }},
		{"costs -1", func(g *graph.Graph) { g.Nodes[0].Params = -1 }},
		{"gives [3, 32, 32] to input 0 of graph normal", func(g *graph.Graph) { g.Nodes[1].Inputs[0] = graph.InputRef(0) }},
		{"gives 2 inputs", func(g *graph.Graph) { g.Nodes[1].Inputs = []graph.Ref{0, 0} }},
		{"but graph normal gives [16, 32, 32]", func(g *graph.Graph) { g.Nodes[1].Shape = s }},
		{"has shape [16, 32, 32] and one has [4, 2, 2]", func(g *graph.Graph) { g.Nodes[1].Body.Nodes[0].Shape = s }},
		{"contains itself", func(g *graph.Graph) { g.Nodes[1].Body.Nodes[0].Body = g }},
		{"called an identity", func(g *graph.Graph) { g.Nodes[0].Identity = true }},
	} {
		g := good()
		c.spoil(g)
		if err := g.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func TestText(t *testing.T) {
	text := graphtest.NASBench201(arch0, 5).Text()
	for _, want := range []string{
		"node ", "  normal[0].n[1].edge[0] ", "relu_conv_bn(", "129 306", "15 647 370", "[64, 8, 8]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "n[2].edge[2]"); n != 3 {
		t.Errorf("three cells differ in shape, %d are listed", n)
	}
}

func BenchmarkHash(b *testing.B) {
	var all []*graph.Graph
	for i := range 100 {
		all = append(all, graphtest.NASBench201(arch201(i*156), 5))
	}
	for i := 0; b.Loop(); i++ {
		all[i%len(all)].Hash()
	}
}

func BenchmarkLive(b *testing.B) {
	g := graphtest.NASBench201(arch0, 5)
	for b.Loop() {
		g.Live()
	}
}
