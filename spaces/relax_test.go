package spaces_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/spaces"
)

// relaxed are the shipped spaces that can be relaxed: how many decisions the
// supernet has, and in how many mixtures they weigh something.
var relaxed = map[string]struct{ decisions, sites int }{
	"darts/darts.nas":               {34, 34 * 4}, // 14 edges and 3 choices of them per cell, twice 17; 6 normal cells, 2 reductions
	"robustdarts/s1.nas":            {34, 34 * 4},
	"robustdarts/s2.nas":            {34, 34 * 4},
	"robustdarts/s3.nas":            {34, 34 * 4},
	"robustdarts/s4.nas":            {34, 34 * 4},
	"nasbench201/nasbench201.nas":   {6, 6 * 15},              // 15 cells
	"nasbench1shot1/space1.nas":     {7, (4 + 3 + 4 + 5) * 9}, // 9 modules of 4 vertices; each edge that is chosen is weighed alone
	"nasbench1shot1/space2.nas":     {8, (4 + 2 + 3 + 4 + 5) * 9},
	"nasbench1shot1/space3.nas":     {10, (5 + 2 + 3 + 4 + 5 + 6) * 9},
	"transnasbench101/micro.nas":    {6, 6 * 10}, // 10 cells
	"hierarchical/hierarchical.nas": {46, 30 + 36*30},
	"nasbenchasr/nasbenchasr.nas":   {9, 9 * 18},
	"fbnet/fbnet.nas":               {22, 22},
	"spos/spos.nas":                 {20, 20},
	"einspace/einspace.nas":         {244, 244},
}

// refused are the others, with the reasons.
var refused = map[string][]string{
	"nasbench101/nasbench101.nas": {"`module.v[0].prev` cannot be relaxed: `edges <= 9` forbids some architectures, and a supernet holds them all"},
	"quickstart/quickstart.nas":   {depth("stage[0].depth"), depth("stage[1].depth"), shape("width", "conv_bn")},
	"natssize/natssize.nas":       {shape("c1", "x"), shape("c2", "x"), shape("c3", "n3.shortcut"), shape("c4", "x"), shape("c5", "n3.shortcut")},
	"ofa/ofa.nas": {depth("stage[0].depth"), depth("stage[1].depth"), depth("stage[2].depth"), depth("stage[3].depth"), depth("stage[4].depth"),
		shape("r", "image")},
	"autoformer/autoformer.nas": {shape("dim", "patch_embed"), depth("depth")},
	"transnasbench101/macro.nas": {
		shape("module[0].out", "basic[1]"), shape("module[1].out", "basic[1]"), shape("module[2].out", "basic[1]"),
		shape("module[3].out", "basic[1]"), shape("module[4].out", "basic[1]"), shape("module[5].out", "basic[1]"),
		shape("module[0].stride", "basic[1]"), shape("module[1].stride", "basic[1]"), shape("module[2].stride", "basic[1]"),
		shape("module[3].stride", "basic[1]"), shape("module[4].stride", "basic[1]"), shape("module[5].stride", "basic[1]"),
		"`depth` cannot be relaxed: `body.c >= 2 * c` forbids some architectures, and a supernet holds them all",
		"`depth` cannot be relaxed: `body.h <= stem.h / 2` forbids some architectures, and a supernet holds them all",
	},
}

func shape(decision, of string) string {
	return fmt.Sprintf("`%s` cannot be relaxed: it decides the shape of `%s`, and tensors of several shapes cannot be added up", decision, of)
}

func depth(decision string) string {
	return fmt.Sprintf("`%s` cannot be relaxed: it decides how often something is repeated, and a supernet has every repetition", decision)
}

// TestRelax: every shipped space is relaxed or says why not.
func TestRelax(t *testing.T) {
	for _, file := range files(t) {
		_, s := load(t, file)
		n, diags := s.Relax(lower.Relaxation{})
		if reasons, ok := refused[file]; ok {
			var got []string
			for _, d := range diags {
				if d.Code != "E0540" || !d.Span.Start.Valid() || d.Help == "" {
					t.Errorf("%s: %v", file, d)
				}
				got = append(got, d.Message)
			}
			if fmt.Sprint(got) != fmt.Sprint(reasons) || n != nil {
				t.Errorf("%s: refused with\n%s", file, strings.Join(got, "\n"))
			}
			continue
		}
		want, ok := relaxed[file]
		if !ok || n == nil {
			t.Errorf("%s: %v", file, diags)
			continue
		}
		sites := 0
		for _, d := range n.Decisions {
			sites += d.Sites
		}
		if len(n.Decisions) != want.decisions || sites != want.sites {
			t.Errorf("%s: %d decisions at %d sites, want %v", file, len(n.Decisions), sites, want)
		}
	}
}

// TestRelaxed101: the diagnostic points to what can be relaxed instead.
func TestRelaxed101(t *testing.T) {
	m, s := load(t, "nasbench101/nasbench101.nas")
	_, diags := s.Relax(lower.Relaxation{})
	var b bytes.Buffer
	if err := diag.Render(&b, diags, m.Source, diag.RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	const want = "nasbench101/nasbench101.nas:9:83: error E0540: `module.v[0].prev` cannot be relaxed: `edges <= 9` forbids some architectures, and a supernet holds them all\n" +
		"    9 |     node v[vertices - 2] = vertex(add(if p in [x] then project(p) else p for p in any of prev))\n" +
		"      |                                                                                   ^\n" +
		"   10 |     require edges >= 1 and edges <= 9\n" +
		"      |     --------------------------------- required here\n" +
		"      = help: relax a part of it, nasbench1shot1/space1.nas, space2.nas or space3.nas\n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	for i := range 3 {
		if _, err := spaces.Files.ReadFile(fmt.Sprintf("nasbench1shot1/space%d.nas", i+1)); err != nil {
			t.Error(err)
		}
	}
}

// TestArchitecturesOfSupernets: what is left of a supernet when each decision takes
// what an architecture takes is that architecture.
func TestArchitecturesOfSupernets(t *testing.T) {
	for file := range relaxed {
		_, s := load(t, file)
		for _, o := range []lower.Relaxation{{}, {EdgeWeights: true}} {
			n, diags := s.Relax(o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			rng := stream.New(1, file, 0)
			for range 5 {
				checkTaken(t, s, n, s.Sample(rng))
			}
		}
	}
}

func checkTaken(t *testing.T, s *compiler.Space, n *lower.Supernet, g space.Genotype) {
	t.Helper()
	choice := choiceOf(n, g)
	if h, err := n.Genotype(choice); err != nil || !h.Equal(g) {
		t.Errorf("%s: derived %v instead of %v (%v)", n.Name, h, g, err)
	}
	a, err := s.Bind(g)
	if err != nil {
		t.Fatal(err)
	}
	if b := left(n.Net, choice); flat(a).Hash() != flat(b).Hash() {
		t.Errorf("%s: the supernet holds another architecture\n%v", n.Name, g)
	}
}

// choiceOf is what a genotype takes, and of what does not exist in it the first.
func choiceOf(n *lower.Supernet, g space.Genotype) lower.Choice {
	of := n.Plan().Taken(g)
	var out lower.Choice
	for _, d := range n.Decisions {
		var take []int
		v := space.Inactive
		if d.On != nil {
			v = of(d.On)
		}
		for i, o := range d.Options {
			switch {
			case o.Alternative < 0:
			case d.On == nil, d.Edges && v != space.Inactive && v>>o.Alternative&1 == 1, !d.Edges && max(v, 0) == int64(o.Alternative):
				take = append(take, i)
			}
		}
		out = append(out, take)
	}
	return out
}

// left is the graph that a choice leaves of a net.
func left(n *lower.Net, c lower.Choice) *graph.Graph {
	has := func(w lower.Weight) bool {
		for _, o := range c[w.Decision] {
			if o == w.Option {
				return true
			}
		}
		return false
	}
	g := &graph.Graph{Name: n.Name, Kind: n.Kind, Inputs: n.Inputs, Output: n.Output}
	for _, node := range n.Nodes {
		m := node.Node
		switch {
		case node.Net != nil:
			m.Body = left(node.Net, c)
		case node.Op == lower.Mixed:
			m = graph.Node{Name: node.Name, Op: "sum", Module: "std/core", Shape: node.Shape, Fold: true, Commutative: true, Sparse: true, Collapses: true}
			for _, t := range node.Terms {
				all := true
				for _, w := range t.Weights {
					all = all && has(w)
				}
				if all {
					m.Inputs = append(m.Inputs, t.Value)
				}
			}
			m.Absent = len(m.Inputs) == 0
		}
		g.Nodes = append(g.Nodes, &m)
	}
	return g
}

// flat is a graph whose sums add up what the sums among their terms do.
func flat(g *graph.Graph) *graph.Graph {
	out := *g
	out.Nodes = nil
	for _, n := range g.Nodes {
		m := *n
		if m.Body != nil {
			m.Body = flat(m.Body)
		}
		if m.Op == "sum" {
			m.Inputs = nil
			for _, r := range n.Inputs {
				if _, input := r.IsInput(); !input && out.Nodes[r].Op == "sum" {
					m.Inputs = append(m.Inputs, out.Nodes[r].Inputs...)
				} else {
					m.Inputs = append(m.Inputs, r)
				}
			}
		}
		out.Nodes = append(out.Nodes, &m)
	}
	return &out
}

// TestRelaxPartially: with partial channels the same architectures, but those
// choices that change the number of channels and operations that do not take a part.
func TestRelaxPartially(t *testing.T) {
	for file := range relaxed {
		_, s := load(t, file)
		n, diags := s.Relax(lower.Relaxation{Channels: 4})
		switch file {
		case "fbnet/fbnet.nas", "spos/spos.nas", "nasbench1shot1/space3.nas", "transnasbench101/micro.nas":
			if n != nil {
				t.Errorf("%s is relaxed", file)
			}
			for _, d := range diags {
				if d.Code != "E0540" || !strings.Contains(d.Message, "1/4 of the channels cannot go through it, since ") {
					t.Error(d)
				}
			}
			continue
		}
		if want := indivisible[file]; want != "" {
			if n != nil || len(diags) == 0 || diags[0].Code != "E0540" || !strings.Contains(diags[0].Message, want) {
				t.Errorf("%s: %v", file, diags)
			}
			continue
		}
		if diags.HasErrors() {
			t.Errorf("%s: %v", file, diags)
		}
	}
}

// indivisible are spaces with operations that do not take 1/4 of the channels: groups of
// 100 of 150 channels, and positions, which stand where channels do, that make no map.
var indivisible = map[string]string{
	"nasbenchasr/nasbenchasr.nas": "it requires `c % groups == 0 and out % groups == 0`; `x` has shape [150, 400, 1]",
	"einspace/einspace.nas":       "it requires `p == height * width and k == 1`",
}

// TestAbsentEdges: the relaxation of S3 weighs the absent edge, which an architecture
// never keeps, in the place in which the space says it; that of NAS-Bench-201 weighs
// one that architectures have.
func TestAbsentEdges(t *testing.T) {
	_, s := load(t, "robustdarts/s3.nas")
	n, diags := s.Relax(lower.Relaxation{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := []lower.Option{{Label: "zero(stride: stride)", Alternative: -1, Absent: true}, {Label: "skip(stride: stride)", Alternative: 0},
		{Label: "sep_conv(kernel: 3, stride: stride)", Alternative: 1}}
	for _, d := range n.Decisions {
		if !d.Edges && !reflect.DeepEqual(d.Options, want) {
			t.Errorf("%s: %v", d.Address, d.Options)
		}
	}
	rng := stream.New(1, "absent", 0)
	c := choiceOf(n, s.Sample(rng))
	edge := slices.IndexFunc(n.Decisions, func(d *lower.Decision) bool { return d.Address == "normal.n[0].edge[1]" })
	prev := slices.IndexFunc(n.Decisions, func(d *lower.Decision) bool { return d.Address == "normal.n[2].prev" })
	for _, wrong := range []struct {
		at   int
		take []int
		want string
	}{
		{edge, []int{0}, "normal.n[0].edge[1]: an absent edge is in no architecture"},
		{edge, []int{1, 2}, "normal.n[0].edge[1]: 2 options are taken of a choice of one"},
		{edge, []int{3}, "normal.n[0].edge[1]: there is no option 3 of 3"},
		{prev, []int{0, 1, 3}, "normal.n[2].prev: 3 edges are taken of 4, and it has from 2 to 2"},
	} {
		bad := slices.Clone(c)
		bad[wrong.at] = wrong.take
		if _, err := n.Genotype(bad); err == nil || err.Error() != wrong.want {
			t.Errorf("error %v, want %s", err, wrong.want)
		}
	}
	if _, err := n.Genotype(c[1:]); err == nil {
		t.Error("a choice of too few decisions is taken")
	}

	_, s = load(t, "nasbench201/nasbench201.nas")
	if n, diags = s.Relax(lower.Relaxation{}); diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, d := range n.Decisions {
		if o := d.Options[0]; o.Label != "zero" || o.Alternative != 0 || !o.Absent || d.Options[1].Absent {
			t.Errorf("%s: %v", d.Address, d.Options)
		}
	}
}
