package spaces_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces/nasbenchasr"
	"github.com/nasc-project/nasc/spaces/natssize"
	"github.com/nasc-project/nasc/spaces/transnasbench101"
)

// recognised binds every architecture of a file and compares what is recognised with
// the name that its decisions have; every hundredth also goes over the wire.
func recognised(t *testing.T, file string, want func(space.Genotype) string, recognise func(*graph.Graph) (string, error)) map[string]bool {
	t.Helper()
	_, s := load(t, file)
	names := map[string]bool{}
	n := 0
	for g := range s.All() {
		b, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%100 == 0 {
			m, err := wire.AppendGraph(nil, b)
			if err != nil {
				t.Fatal(err)
			}
			if b, err = wire.ReadGraph(m); err != nil {
				t.Fatal(err)
			}
		}
		got, err := recognise(b)
		if err != nil || got != want(g) {
			t.Fatalf("%s is recognised as %s, %v; it is %s", s.Format(g), got, err, want(g))
		}
		names[got] = true
	}
	return names
}

func TestNATSSizeRecognised(t *testing.T) {
	names := recognised(t, "natssize/natssize.nas", func(g space.Genotype) string {
		var a natssize.Arch
		for i, v := range g {
			a[i] = 8 * (int(v) + 1)
		}
		return a.String()
	}, func(g *graph.Graph) (string, error) {
		a, err := natssize.Recognise(g)
		return a.String(), err
	})
	if len(names) != natssize.Architectures {
		t.Errorf("%d names", len(names))
	}
}

func TestTransNASBench101Recognised(t *testing.T) {
	cells := recognised(t, "transnasbench101/micro.nas", func(g space.Genotype) string {
		return fmt.Sprintf("64-41414-%d_%d%d_%d%d%d", g[0], g[1], g[2], g[3], g[4], g[5])
	}, transnasbench101.Recognise)
	if len(cells) != transnasbench101.Cells {
		t.Errorf("%d names of cells", len(cells))
	}
	skeletons := recognised(t, "transnasbench101/macro.nas", func(g space.Genotype) string {
		name := ""
		for i := 1; i+1 < len(g) && g[i] >= 0; i += 2 {
			name += fmt.Sprint(1 + g[i] + 2*g[i+1])
		}
		return "64-" + name + "-basic"
	}, transnasbench101.Recognise)
	if len(skeletons) != transnasbench101.Skeletons {
		t.Errorf("%d names of skeletons", len(skeletons))
	}
	for name := range cells {
		if c, ok := transnasbench101.ParseCell(name); !ok || c.String() != name {
			t.Errorf("%s is read as %v", name, c)
		}
	}
	for name := range skeletons {
		if s, ok := transnasbench101.ParseSkeleton(name); !ok || s.String() != name {
			t.Errorf("%s is read as %v", name, s)
		}
	}
	for _, name := range []string{"64-1111-basic", "64-3333-basic", "64-33332-basic1", "64-22223-basic", "64-41414-4_00_000", ""} {
		_, cell := transnasbench101.ParseCell(name)
		if _, ok := transnasbench101.ParseSkeleton(name); ok || cell {
			t.Errorf("%q is read", name)
		}
	}
}

func TestNASBenchASRRecognised(t *testing.T) {
	names := recognised(t, "nasbenchasr/nasbenchasr.nas", func(g space.Genotype) string {
		return fmt.Sprintf("[[%d,%d],[%d,%d,%d],[%d,%d,%d,%d]]", g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8])
	}, func(g *graph.Graph) (string, error) {
		a, err := nasbenchasr.Recognise(g)
		return a.String(), err
	})
	hashes := map[string]bool{}
	for name := range names {
		a, err := nasbenchasr.Parse(name)
		if err != nil || a.String() != name {
			t.Fatalf("%s is read as %s, %v", name, a, err)
		}
		hashes[a.Hash()] = true
	}
	if len(hashes) != nasbenchasr.Architectures {
		t.Errorf("%d hashes, published %d", len(hashes), nasbenchasr.Architectures)
	}
	a, err := nasbenchasr.Parse("[[1, 0], [1, 0, 0], [1, 0, 0, 0]]")
	if err != nil || a.Hash() != "36855332a5778e0df5114305bc3ce238" {
		t.Errorf("the published hash is another than %s, %v", a.Hash(), err)
	}
	for _, bad := range []string{"", "[[1,0]]", "[[6,0],[1,0,0],[1,0,0,0]]", "[[1,2],[1,0,0],[1,0,0,0]]", "[[1,0],[1,0],[1,0,0,0]]"} {
		if _, err := nasbenchasr.Parse(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// TestRecogniseRefuses: networks that are almost those of a benchmark, and what is
// said of the node that does not fit.
func TestRecogniseRefuses(t *testing.T) {
	first := func(file string, args ...compiler.Argument) *graph.Graph {
		_, s := load(t, file, args...)
		for g := range s.All() {
			b, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			return b.Clone()
		}
		return nil
	}
	asr := func(g *graph.Graph) error { _, err := nasbenchasr.Recognise(g); return err }
	size := func(g *graph.Graph) error { _, err := natssize.Recognise(g); return err }
	trans := func(g *graph.Graph) error { _, err := transnasbench101.Recognise(g); return err }
	set := func(n *graph.Node, attr string, v int64) {
		for i := range n.Attrs {
			if n.Attrs[i].Name == attr {
				n.Attrs[i].Value = v
			}
		}
	}
	for _, c := range []struct {
		want, file string
		recognise  func(*graph.Graph) error
		spoil      func(*graph.Graph)
	}{
		{"best[1]: the cell computes", "natssize/natssize.nas", size, func(g *graph.Graph) {
			g.Nodes[3].Body.Nodes[7].Inputs = g.Nodes[3].Body.Nodes[7].Inputs[:2]
		}},
		{"node n1 is relu_conv_bn(kernel: 5", "natssize/natssize.nas", size, func(g *graph.Graph) {
			n := g.Nodes[1].Body.Nodes[0]
			set(n, "kernel", 5)
			n.Attrs[1].Default = false
		}},
		{"width 2 is 12", "natssize/natssize.nas", size, func(g *graph.Graph) { g.Nodes[2].Shape[0] = 12 }},
		{"node linear: the network is a chain", "natssize/natssize.nas", size, func(g *graph.Graph) { g.Nodes[9].Inputs[0] = 2 }},
		{"the network ends before a global_pool", "natssize/natssize.nas", size, func(g *graph.Graph) { g.Nodes, g.Output = g.Nodes[:8], 7 }},
		{"node residual[0]: here comes a residual(stride: 2), not", "natssize/natssize.nas", size, func(g *graph.Graph) { g.Nodes[2].Op = "conv" }},
		{"node conv_bn", "transnasbench101/micro.nas", size, func(*graph.Graph) {}},
		{"node n[0]: n[0].edge[0] is relu_conv_bn", "transnasbench101/micro.nas", trans, func(g *graph.Graph) {
			g.Nodes[2].Body.Nodes[0].Body.Nodes[0].Op = "relu_conv_bn"
		}},
		{"all cells are equal", "transnasbench101/micro.nas", trans, func(g *graph.Graph) {
			n := g.Nodes[3].Body.Nodes[1].Body.Nodes[0]
			n.Op, n.Module = "shortcut", "std/vision"
		}},
		{"not of 32 channels", "transnasbench101/micro.nas", trans, func(g *graph.Graph) { g.Nodes[0].Shape[0] = 16 }},
		{"no stride of 1", "transnasbench101/macro.nas", trans, func(g *graph.Graph) { g.Nodes[2].Body.Nodes[1].Shape[1] = 7 }},
		{"halve the resolution 1 to 4 times, this 0", "transnasbench101/macro.nas", trans, func(g *graph.Graph) {
			in := graph.Shape{64, 64, 64}
			for _, n := range g.Nodes[2 : len(g.Nodes)-2] {
				for _, m := range n.Body.Nodes {
					m.Shape = graph.Shape{m.Shape[0], 64, 64}
					set(m, "stride", 1)
				}
				n.Shape, n.Body.Inputs[0].Shape, in = graph.Shape{n.Shape[0], 64, 64}, in, graph.Shape{n.Shape[0], 64, 64}
			}
		}},
		{"node stage[1].micro[2] is", "nasbenchasr/nasbenchasr.nas", asr, func(g *graph.Graph) {
			n := g.Nodes[1].Body.Nodes[4]
			n.Body = n.Body.Clone()
			for _, m := range n.Body.Nodes {
				if m.Name == "n[0].branch[0]" {
					m.Op = "skip"
				}
			}
		}},
		{"n[0].main is lstm", "nasbenchasr/nasbenchasr.nas", asr, func(g *graph.Graph) { g.Nodes[0].Body.Nodes[2].Body.Nodes[0].Op = "lstm" }},
		{"here comes a lstm(units: 500)", "nasbenchasr/nasbenchasr.nas", asr, func(g *graph.Graph) { set(g.Nodes[4], "units", 400) }},
		{"not of 800 channels", "nasbenchasr/nasbenchasr.nas", asr, func(g *graph.Graph) { g.Nodes[1].Body.Nodes[0].Shape[0] = 700 }},
	} {
		g := first(c.file)
		c.spoil(g)
		if err := c.recognise(g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.file, err, c.want)
		}
	}
}
