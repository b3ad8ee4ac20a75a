package compiler

import (
	"fmt"
	"os"
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
	m, diags := Load("../spaces/darts/darts.nas", os.ReadFile)
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
