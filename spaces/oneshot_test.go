package spaces_test

import (
	"bytes"
	"io/fs"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/spaces"
)

// oneshots are the shipped one-shot searches: how many decisions their supernets have, and
// the space in which the winner is tested if it is another network.
var oneshots = map[string]struct {
	decisions int
	retrain   string
}{
	"nasbench201/oneshot-tiny.nas":     {6, "nasbench201"},
	"nasbench201/oneshot-small.nas":    {6, "nasbench201"},
	"nasbench201/oneshot-drift.nas":    {6, "nasbench201"},
	"nasbench201/oneshot.nas":          {6, ""},
	"darts/oneshot-small.nas":          {34, "darts"},
	"nasbench1shot1/oneshot-small.nas": {10, "nasbench1shot1_3"},
	"hierarchical/oneshot-small.nas":   {46, "hierarchical"},
}

// TestOneShotSearches: each is in canonical layout and says what it is, its space can be
// relaxed, also with edge weights and, as its widths allow, half of the channels, what it
// finds can be carried into the space of `retrain`, and its budget is of epochs, as that
// of a one-shot search must be.
func TestOneShotSearches(t *testing.T) {
	paths, err := fs.Glob(spaces.Files, "*/oneshot*.nas")
	if err != nil || len(paths) != len(oneshots) {
		t.Fatalf("%v (%v), want %d", paths, err, len(oneshots))
	}
	for _, file := range paths {
		want := oneshots[file]
		m, diags := compiler.Load(file, spaces.Files.ReadFile)
		if diags = append(diags, m.Check()...); len(diags) > 0 {
			t.Fatal(diags)
		}
		src := m.Source(file)
		if out, diags := format.Source(file, src); len(diags) > 0 || !bytes.Equal(out, src) {
			t.Errorf("%s is not in the layout of `nasc fmt` %v", file, diags)
		}
		searches, diags := m.Searches()
		if len(diags) > 0 || len(searches) != 1 {
			t.Fatalf("%s has %d searches %v", file, len(searches), diags)
		}
		b := searches[0]
		if b.Budget == nil || b.Budget.Kind != compiler.Epochs || b.Optimizer.Plugin != "nasc/oneshot" || b.Seed == nil || len(b.Objectives) != 1 {
			t.Errorf("%s: optimizer %v, budget %v", file, b.Optimizer, b.Budget)
		}
		if b.Doc == "" {
			t.Errorf("%s does not say what it is", file)
		}
		s, diags := m.Space(b.Space, b.Args)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, o := range []lower.Relaxation{{}, {Channels: 2, EdgeWeights: true}} {
			n, diags := s.Relax(o)
			if file == "nasbench1shot1/oneshot-small.nas" && o.Channels > 1 { // vertices share the channels unevenly
				continue
			}
			if diags.HasErrors() || len(n.Decisions) < want.decisions {
				t.Fatalf("%s with %+v: %v", file, o, diags)
			}
		}
		if b.Retrain == nil || b.Retrain.Space != want.retrain {
			if want.retrain != "" {
				t.Errorf("%s retrains in %v", file, b.Retrain)
			}
			continue
		}
		if to, diags := m.Space(b.Retrain.Space, b.Retrain.Args); diags.HasErrors() || s.Lacks(to) != "" {
			t.Errorf("%s: its winner does not fit into %s: %v", file, b.Retrain.Space, diags)
		}
	}
}
