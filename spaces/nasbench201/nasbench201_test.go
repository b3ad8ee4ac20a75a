package nasbench201

import (
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

func TestRecogniseRejects(t *testing.T) {
	const arch = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|avg_pool_3x3~1|none~2|"
	cell := func(g *graph.Graph) *graph.Graph { return g.Nodes[1].Body }
	for _, c := range []struct {
		want  string
		spoil func(g *graph.Graph)
	}{
		{"node conv_bn[0]: here comes a conv_bn(kernel: 3) of 16 channels", func(g *graph.Graph) { g.Nodes[0].Op = "conv" }},
		{"node relu[19]: here comes a relu", func(g *graph.Graph) { g.Nodes[19].Op = "gelu" }},
		{"the network ends before a linear", func(g *graph.Graph) { g.Nodes = g.Nodes[:len(g.Nodes)-1] }},
		{"node residual[6]: the network is a chain", func(g *graph.Graph) { g.Nodes[6].Inputs = []graph.Ref{2} }},
		{"normal[0]: node n[1]: n[1].edge[1] is relu_conv_bn(kernel: 5", func(g *graph.Graph) {
			cell(g).Nodes[3].Attrs[1].Value = int64(5)
		}},
		{"is dil_conv", func(g *graph.Graph) { cell(g).Nodes[0].Op = "dil_conv" }},
		{"no operation of NAS-Bench-201", func(g *graph.Graph) { cell(g).Nodes[0].Module = "./mine.nas" }},
		{"two edges from vertex 0", func(g *graph.Graph) { cell(g).Nodes[3].Inputs[0] = graph.InputRef(0) }},
		{"must add 2 edges, not 1", func(g *graph.Graph) { cell(g).Nodes[4].Inputs = cell(g).Nodes[4].Inputs[:1] }},
		{"the output of normal is not its last vertex", func(g *graph.Graph) { cell(g).Output = 4 }},
		{"all cells are equal", func(g *graph.Graph) { g.Nodes[9].Body.Nodes[0] = g.Nodes[9].Body.Nodes[2] }},
	} {
		g := graphtest.NASBench201(arch, 5)
		c.spoil(g)
		if a, err := Recognise(g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %v; want an error with %q", a, err, c.want)
		}
	}
	if _, err := Recognise(graphtest.NASBench201(arch, 2)); err == nil || !strings.Contains(err.Error(), "residual[3]: here comes a cell of 16 channels") {
		t.Errorf("two cells per stage: %v", err)
	}
}

func TestArchText(t *testing.T) {
	for n := range Architectures {
		a := At(n)
		if b, err := ParseArch(a.String()); err != nil || b != a || a.Number() != n {
			t.Fatalf("%d: %s, %s, %v", n, a, b, err)
		}
	}
	for text, want := range map[string]string{
		"|none~0|": "three groups",
		"|none~0|+|none~0|none~1|+|none~0|none~1|none~1|":         "must come from node 2",
		"|none~0|+|none~0|+|none~0|none~1|none~2|":                "group 2 must be 2 edges",
		"none~0|+|none~0|none~1|+|none~0|none~1|none~2|":          "between bars",
		"|none~0|+|none~0|nor_conv_3x4~1|+|none~0|none~1|none~2|": `did you mean "nor_conv_3x3"?`,
	} {
		if _, err := ParseArch(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseArch(%q): error %v, want one with %q", text, err, want)
		}
	}
}
