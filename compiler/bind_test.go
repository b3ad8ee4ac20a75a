package compiler

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// TestBoundGraphsAreIndependent edits a bound graph in every way, and looks at
// another of the same genotype and at one that is bound afterwards.
func TestBoundGraphsAreIndependent(t *testing.T) {
	for _, path := range []string{
		"spaces/nasbench201/nasbench201.nas", "spaces/darts/darts.nas", "spaces/ofa/ofa.nas", "spaces/nasbench101/nasbench101.nas",
	} {
		m, diags := Load("../"+path, os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		rng := stream.New(3, "independent", 0)
		for range 20 {
			genotype := s.Sample(rng)
			bind := func() *graph.Graph {
				g, err := s.Bind(genotype)
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			edited, other := bind(), bind()
			want := whole(other)
			spoil(t, edited)
			if whole(edited) == want {
				t.Fatalf("%s: nothing was edited", path)
			}
			if whole(other) != want || whole(bind()) != want {
				t.Fatalf("%s: an edit of one graph changed another", path)
			}
		}
	}
}

// shippedSpaces compiles every space that is shipped, and again when fresh is called.
func shippedSpaces(t *testing.T, test func(name string, s *Space, fresh func() *Space)) {
	paths, err := filepath.Glob("../spaces/*/*.nas")
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no spaces", err)
	}
	for _, path := range paths {
		m, diags := Load(path, os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, name := range m.Spaces() {
			fresh := func() *Space {
				s, diags := m.Space(name, nil)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				return s
			}
			test(name, fresh(), fresh)
		}
	}
}

func rounds(many, few int) int {
	if testing.Short() {
		return few
	}
	return many
}

// TestPlansForgetGenotypes binds genotypes by one plan, which keeps what it made, and
// by plans that have not bound any.
func TestPlansForgetGenotypes(t *testing.T) {
	shippedSpaces(t, func(name string, s *Space, fresh func() *Space) {
		rng := stream.New(6, "fresh", 0)
		for range 100 { // so that much is kept
			if _, err := s.Bind(s.Sample(rng)); err != nil {
				t.Fatal(err)
			}
		}
		for range rounds(20, 5) {
			genotype := s.Sample(rng)
			got, err := s.Bind(genotype)
			if err != nil {
				t.Fatal(err)
			}
			want, err := fresh().Bind(genotype)
			if err != nil {
				t.Fatal(err)
			}
			if whole(got) != whole(want) {
				t.Fatalf("%s: %s is bound as\n%s\nand by a new plan as\n%s", name, s.Format(genotype), got.Text(), want.Text())
			}
		}
	})
}

// TestHashForgetsTheSpace compares the hashes of bound graphs, which share prepared
// nodes with the plan, with those of graphs that are built of the same nodes by the
// editing methods alone and share nothing; nested, written out, and with an edit
// made to both.
func TestHashForgetsTheSpace(t *testing.T) {
	shippedSpaces(t, func(name string, s *Space, _ func() *Space) {
		rng := stream.New(5, "rebuilt", 0)
		for range rounds(40, 8) {
			bound, err := s.Bind(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			built := rebuilt(t, bound)
			want := built.Hash()
			if whole(built) != whole(bound) {
				t.Fatalf("%s: another graph was built", name)
			}
			if bound.Hash() != want {
				t.Fatalf("%s: the hash differs from that of the graph rebuilt:\n%s", name, bound.Text())
			}
			if got := opened(t, bound).Hash(); got != want {
				t.Fatalf("%s: the hash differs from that of the graph written out:\n%s", name, bound.Text())
			}
			at := rng.IntN(len(bound.Nodes))
			relabel(t, bound, at)
			relabel(t, built, at)
			if bound.Hash() != built.Hash() {
				t.Fatalf("%s: the hash differs after an edit of node %d:\n%s", name, at, bound.Text())
			}
		}
	})
}

// rebuilt makes a graph that is equal to g by the editing methods.
func rebuilt(t *testing.T, g *graph.Graph) *graph.Graph {
	bodies := map[*graph.Graph]*graph.Graph{}
	var build func(g *graph.Graph) *graph.Graph
	build = func(g *graph.Graph) *graph.Graph {
		if h := bodies[g]; h != nil {
			return h
		}
		h := &graph.Graph{Name: g.Name, Kind: g.Kind, Output: graph.InputRef(0)}
		bodies[g] = h
		for _, in := range g.Inputs {
			h.Inputs = append(h.Inputs, graph.Input{Name: in.Name, Shape: slices.Clone(in.Shape)})
		}
		for _, n := range g.Nodes {
			c := &graph.Node{
				Name: n.Name, Op: n.Op, Module: n.Module, Attrs: slices.Clone(n.Attrs), Inputs: slices.Clone(n.Inputs),
				Shape: slices.Clone(n.Shape), Params: n.Params, MACs: n.MACs,
				Absent: n.Absent, Identity: n.Identity, Commutative: n.Commutative, Sparse: n.Sparse, Collapses: n.Collapses,
				Fold: n.Fold, Vertex: n.Vertex,
			}
			if n.Body != nil {
				c.Body = build(n.Body)
			}
			if _, err := h.AddNode(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.SetOutput(g.Output); err != nil {
			t.Fatal(err)
		}
		return h
	}
	return build(g)
}

// opened is a copy of g in which no graph is nested.
func opened(t *testing.T, g *graph.Graph) *graph.Graph {
	h := g.Clone()
	for i := 0; i < len(h.Nodes); {
		if h.Nodes[i].Body == nil {
			i++
		} else if _, err := h.Open(graph.Ref(i)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// relabel gives node at of g, or the first operation of what is nested there, another
// attribute.
func relabel(t *testing.T, g *graph.Graph, at int) {
	n := g.Nodes[at]
	var err error
	if n.Body != nil {
		err = g.EditNested(graph.Ref(at), func(h *graph.Graph) error { relabel(t, h, 0); return nil })
	} else {
		c := *n
		c.Attrs = append(slices.Clone(n.Attrs), graph.Attr{Name: "more", Value: true})
		err = g.Replace(graph.Ref(at), &c)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// spoil edits g and all that is nested in it.
func spoil(t *testing.T, g *graph.Graph) {
	edit := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range g.Nodes {
		if n.Body == nil {
			c := *n
			c.Name, c.Op = n.Name+"'", "other"
			c.Attrs = append(c.Attrs, graph.Attr{Name: "more", Value: true})
			edit(g.Replace(graph.Ref(i), &c))
			continue
		}
		edit(g.EditNested(graph.Ref(i), func(h *graph.Graph) error { spoil(t, h); return nil }))
	}
	for _, n := range g.Nodes {
		if n.Body != nil && len(n.Body.Nodes) > 0 { // without EditNested, in place
			c := *n.Body.Nodes[0]
			c.Op = "in place"
			edit(n.Body.Replace(0, &c))
			_, err := n.Body.AddInput(graph.Input{Name: "extra", Shape: graph.Shape{1}})
			edit(err)
			edit(n.Body.RemoveInput(len(n.Body.Inputs) - 1))
		}
	}
	_, err := g.UpdateWhere("", func(*graph.Node) bool { return true }, func(n *graph.Node) error {
		for i := range n.Attrs {
			n.Attrs[i].Name = "renamed"
		}
		n.Params++
		return nil
	})
	edit(err)
	_, err = g.AddInput(graph.Input{Name: "extra", Shape: graph.Shape{1}})
	edit(err)
	edit(g.RemoveInput(len(g.Inputs) - 1))
	for i, n := range g.Nodes {
		if len(n.Inputs) > 0 {
			_, err := g.Insert(graph.Ref(i), 0, &graph.Node{Name: "between", Op: "f", Shape: g.Shape(n.Inputs[0])})
			edit(err)
			break
		}
	}
	for i := range g.Nodes {
		if g.Nodes[i].Body != nil {
			_, err := g.Open(graph.Ref(i))
			edit(err)
			break
		}
	}
}

// whole writes all that a graph holds.
func whole(g *graph.Graph) string {
	var b strings.Builder
	fmt.Fprintln(&b, g.Hash(), g.Name, g.Kind, g.Inputs, g.Output)
	for path, n := range g.Walk() {
		fmt.Fprintln(&b, path, n.Name, n.Op, n.Module, n.Attrs, n.Inputs, n.Shape, n.Params, n.MACs, n.Vertex,
			n.Absent, n.Identity, n.Commutative, n.Sparse, n.Collapses, n.Fold)
		if n.Body != nil {
			fmt.Fprintln(&b, n.Body.Inputs, n.Body.Output)
		}
	}
	return b.String()
}

// TestBindInParallel binds the same genotypes from several goroutines.
func TestBindInParallel(t *testing.T) {
	for _, path := range []string{"spaces/darts/darts.nas", "spaces/nasbench201/nasbench201.nas"} {
		m, diags := Load("../"+path, os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		results := make(chan string)
		for range 4 {
			go func() {
				rng := stream.New(4, "parallel", 0)
				var b strings.Builder
				for range 50 {
					g, err := s.Bind(s.Sample(rng))
					if err != nil {
						b.WriteString(err.Error())
						break
					}
					b.WriteString(whole(g))
				}
				results <- b.String()
			}()
		}
		first := <-results
		for range 3 {
			if <-results != first {
				t.Error("two goroutines bound different graphs")
			}
		}
	}
}
