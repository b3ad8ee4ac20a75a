package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
)

// TestRandomEdits makes random edits, sensible and not: a graph stays valid, a
// refused edit changes nothing, and a graph that shares all nodes with it is never
// changed.
func TestRandomEdits(t *testing.T) {
	done, refused := map[string]int{}, map[string]int{}
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 23))
		g := anyGraph(rng, 2, 8, 1)
		shared := *g
		shared.Nodes = append([]*graph.Node(nil), g.Nodes...)
		sharedText := deep(&shared)
		for step := range 30 {
			ref := func() graph.Ref { return graph.Ref(rng.IntN(len(g.Nodes)+4) - 3) }
			node := func() *graph.Node {
				return &graph.Node{Name: fmt.Sprint("new", step), Op: "f", Shape: graph.Shape{1}, Inputs: []graph.Ref{ref()}}
			}
			before, hash := deep(g), g.Hash()
			same := false // the edit keeps what is computed
			var name string
			var err error
			switch rng.IntN(13) {
			case 0:
				name, err = "AddNode", second(g.AddNode(node()))
				same = true
			case 1:
				name, err = "RemoveNode", g.RemoveNode(ref())
				same = true
			case 2:
				name, err = "Replace", g.Replace(ref(), node())
			case 3:
				name, err = "SetOutput", g.SetOutput(ref())
			case 4:
				name, err = "AddInput", second(g.AddInput(graph.Input{Name: fmt.Sprint("in", step), Shape: graph.Shape{1}}))
			case 5:
				name, err = "RemoveInput", g.RemoveInput(rng.IntN(len(g.Inputs)+2)-1)
			case 6:
				name, err = "Connect", second(g.Connect(ref(), ref()))
			case 7:
				name, err = "Disconnect", g.Disconnect(ref(), rng.IntN(3)-1)
			case 8:
				name, err = "Redirect", g.Redirect(ref(), rng.IntN(3)-1, ref())
			case 9:
				name, err = "Insert", second(g.Insert(ref(), rng.IntN(3)-1, node()))
			case 10:
				name, err = "Open", second(g.Open(ref()))
				same = true
			case 11:
				name, err = "Wrap", second(g.Wrap(fmt.Sprint("wrap", step), ref(), ref()))
				same = true
			case 12:
				name = "EditNested"
				err = g.EditNested(ref(), func(h *graph.Graph) error { return h.SetOutput(graph.Ref(rng.IntN(4) - 2)) })
			}
			if invalid := g.Validate(); invalid != nil {
				t.Fatalf("seed %d: %s: %v", seed, name, invalid)
			}
			if err != nil {
				refused[name]++
				if deep(g) != before {
					t.Fatalf("seed %d: %s failed (%v) and changed the graph", seed, name, err)
				}
			} else {
				done[name]++
				if same && g.Hash() != hash {
					t.Fatalf("seed %d: %s changed what is computed:\n%s\n%s", seed, name, before, deep(g))
				}
			}
			if deep(&shared) != sharedText {
				t.Fatalf("seed %d: %s changed a graph that shares nodes", seed, name)
			}
		}
	}
	for _, name := range []string{"AddNode", "RemoveNode", "Replace", "SetOutput", "AddInput", "RemoveInput", "Connect", "Disconnect",
		"Redirect", "Insert", "Open", "Wrap", "EditNested"} {
		if done[name] < 10 {
			t.Errorf("%s was done %d times", name, done[name])
		}
		if refused[name] < 10 && name != "AddInput" {
			t.Errorf("%s was refused %d times", name, refused[name])
		}
	}
}

// deep describes a graph with all that is nested in it.
func deep(g *graph.Graph) string {
	s := fmt.Sprint(g.Inputs, describe(g))
	for _, n := range g.Nodes {
		s += fmt.Sprint(n.Op, n.Attrs, n.Shape, n.Absent, ";")
		if n.Body != nil {
			s += "{" + deep(n.Body) + "}"
		}
	}
	return s
}
