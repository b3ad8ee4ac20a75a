package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

// anyGraph is a random graph of so many inputs, which nests others down to a
// depth. All tensors have one shape.
func anyGraph(rng *rand.Rand, inputs, nodes, depth int) *graph.Graph {
	s := graph.Shape{1}
	shapes := make([]graph.Shape, inputs)
	for i := range shapes {
		shapes[i] = s
	}
	b := graphtest.New("cell", fmt.Sprint("g", depth), shapes...)
	b.Output = graph.InputRef(rng.IntN(inputs))
	any := func() graph.Ref { // late tensors more often, so that there are chains
		n := len(b.Nodes) + inputs
		k := max(rng.IntN(n), rng.IntN(n), rng.IntN(n))
		if rng.IntN(3) == 0 {
			k = rng.IntN(n)
		}
		return graph.Ref(k - inputs)
	}
	several := func() []graph.Ref {
		var in []graph.Ref
		for range 1 + rng.IntN(3) {
			in = append(in, any())
		}
		return in
	}
	var bodies []*graph.Graph
	for len(b.Nodes) < nodes {
		switch rng.IntN(12) {
		case 0:
			b.Add(graph.Node{Op: "zero", Absent: true}, any())
		case 1, 2:
			b.Add(graph.Node{Op: "skip", Identity: true}, any())
		case 3, 4:
			b.Add(graph.Node{Op: string(rune('f' + rng.IntN(2)))}, any())
		case 5:
			b.Add(graph.Node{Op: "concat", Fold: true}, several()...)
		case 6:
			b.Add(graph.Node{Op: "mean", Fold: true, Commutative: true}, several()...)
		case 7:
			if rng.IntN(8) == 0 {
				b.Add(graph.Node{Op: "constant", Shape: s})
			}
		case 8, 9:
			b.Sum(fmt.Sprint("n", len(b.Nodes)), several()...)
		default:
			if depth == 0 {
				continue
			}
			if len(bodies) == 0 || rng.IntN(2) == 0 {
				bodies = append(bodies, anyGraph(rng, 1+rng.IntN(3)*rng.IntN(2), 2+rng.IntN(5), depth-1))
			}
			body := bodies[rng.IntN(len(bodies))]
			in := make([]graph.Ref, len(body.Inputs))
			for i := range in {
				in[i] = any()
			}
			b.Nest(fmt.Sprint("nest", len(b.Nodes)), body, in...)
		}
	}
	return b.Graph
}

// TestHashOpensNestedGraphs writes the nested graphs of random graphs out, all or
// some of them, and compares hashes.
func TestHashOpensNestedGraphs(t *testing.T) {
	seeds := uint64(1500)
	if testing.Short() {
		seeds = 600
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 13))
		g := anyGraph(rng, 1+rng.IntN(2)*rng.IntN(2), 3+rng.IntN(12), 2)
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		want := g.Hash()
		for name, h := range map[string]*graph.Graph{
			"written out": inlined(g), "some written out": partly(g, rng), "shuffled": shuffled(g, rng), "live": g.Live(),
			"written out and shuffled": shuffled(inlined(g), rng), "written out and live": inlined(g).Live(),
		} {
			if err := h.Validate(); err != nil {
				t.Fatalf("seed %d, %s: %v", seed, name, err)
			}
			if h.Hash() != want {
				t.Fatalf("seed %d: the hash differs %s:\n%s\n%s", seed, name, g.Text(), h.Text())
			}
		}
	}
}

// TestHashOfAlikeBodies nests graphs that are alike but for one thing in one graph,
// in a row and side by side, and compares it with the same written out.
func TestHashOfAlikeBodies(t *testing.T) {
	seeds := uint64(3000)
	if testing.Short() {
		seeds = 1000
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 19))
		first := anyGraph(rng, 1+rng.IntN(2), 2+rng.IntN(5), rng.IntN(2))
		b := graphtest.New("space", "s", graph.Shape{1})
		var ends []graph.Ref
		for i, body := range append(alike(rng, first), first) {
			in := make([]graph.Ref, len(body.Inputs))
			for k := range in {
				in[k] = graph.Ref(rng.IntN(i+1) - 1)
			}
			if rng.IntN(4) == 0 {
				in[0] = graph.Ref(i - 1)
			}
			ends = append(ends, b.Nest(fmt.Sprint("nest", i), body, in...))
		}
		b.Sum("all", append(ends, graph.InputRef(0))...)
		if err := b.Validate(); err != nil {
			t.Fatal(err)
		}
		flat := inlined(b.Graph)
		if b.Hash() != flat.Hash() || b.Live().Hash() != flat.Hash() || flat.Live().Hash() != flat.Hash() {
			t.Fatalf("seed %d: the hash differs written out:\n%s", seed, b.Text())
		}
	}
}

// alike returns copies of g, each changed in one thing at most.
func alike(rng *rand.Rand, g *graph.Graph) []*graph.Graph {
	var all []*graph.Graph
	for range 5 {
		h := g.Clone()
		n := h.Nodes[rng.IntN(len(h.Nodes))]
		switch k := rng.IntN(8); {
		case k == 0:
			h.Output = graph.Ref(rng.IntN(len(h.Nodes)))
		case k == 1:
			if len(n.Inputs) > 0 {
				n.Inputs[rng.IntN(len(n.Inputs))] = graph.InputRef(0)
			}
		case n.Body != nil: // of which the rest does not count
			n.Name += "'"
		case k == 2:
			n.Op += "'"
		case k == 3:
			n.Absent = !n.Absent
		case k == 4:
			n.Commutative = !n.Commutative
		case k == 5:
			n.Sparse = !n.Sparse
		case k == 6:
			n.Collapses = !n.Collapses
		}
		all = append(all, h)
	}
	return all
}

// partly returns g with some nested graphs written out.
func partly(g *graph.Graph, rng *rand.Rand) *graph.Graph {
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
			if n.Body != nil && rng.IntN(2) == 0 {
				place[i] = open(n.Body, m.Name+".", m.Inputs)
				continue
			}
			if n.Body != nil && rng.IntN(2) == 0 {
				m.Body = partly(n.Body, rng)
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

// TestHashAndTablesAgree compares which random graphs are equal by their hashes
// and by the digests of their rows written into a table.
func TestHashAndTablesAgree(t *testing.T) {
	var s canon.Scratch
	var table canon.Table
	hashes, tables := map[graph.Digest]graph.Digest{}, map[graph.Digest]graph.Digest{}
	flats := map[graph.Digest]*graph.Graph{}
	graphs := 0
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 17))
		for range 4 {
			g := anyGraph(rng, 1, 1+rng.IntN(5), rng.IntN(2))
			flat := inlined(g)
			hash, digest := g.Hash(), s.Digest(&table, rows(&table, flat))
			if d, ok := hashes[hash]; ok && d != digest {
				t.Fatalf("one hash and two digests: %s and %s", describe(flat), describe(flats[hash]))
			}
			if h, ok := tables[digest]; ok && h != hash {
				t.Fatalf("one digest and two hashes: %s", describe(flat))
			}
			hashes[hash], tables[digest], flats[hash] = digest, hash, flat
			graphs++
		}
	}
	if len(hashes) < 100 || len(hashes) > graphs/2 {
		t.Errorf("%d of %d graphs differ, so the test tells little", len(hashes), graphs)
	}
}

// rows writes a graph without nested graphs into a table.
func rows(t *canon.Table, g *graph.Graph) int32 {
	t.Reset()
	blank := canon.Colour{}.Text("blank")
	for i := range g.Inputs {
		t.Add(canon.Row{Label: canon.Colour{}.Number(uint64(i)), Blank: blank})
	}
	row := func(r graph.Ref) int32 {
		if i, ok := r.IsInput(); ok {
			return int32(i)
		}
		return int32(len(g.Inputs) + int(r))
	}
	for _, n := range g.Nodes {
		r := canon.Row{Label: canon.Colour{}.Text(n.Op), Blank: blank}
		for k, is := range []bool{n.Absent, n.Identity, n.Commutative, n.Sparse, n.Collapses} {
			if is {
				r.Algebra |= 1 << k
			}
		}
		for _, in := range n.Inputs {
			r.Reads = append(r.Reads, row(in))
		}
		t.Add(r)
	}
	return row(g.Output)
}
