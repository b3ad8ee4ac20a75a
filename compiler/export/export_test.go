package export_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

const arch201 = "|none~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|"

// architecture binds one random architecture of a shipped space.
func architecture(t testing.TB, name string, seed uint64) *graph.Graph {
	t.Helper()
	m, diags := compiler.Load(filepath.Join("..", "..", "spaces", name, name+".nas"), os.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	g, err := s.Bind(s.Space.Sample(stream.New(seed, "test", 0)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func draw(t testing.TB, g *graph.Graph, f export.Format) []byte {
	t.Helper()
	b, err := export.Draw(g, export.Options{Format: f, Title: "A <title> & more"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestText(t *testing.T) {
	want := `A <title> & more

image              3×32×32
conv_bn 3×3        16×32×32
normal ×5          16×32×32
residual /2        32×16×16
normal ×5          32×16×16
residual /2        64×8×8
normal ×5          64×8×8
batch_norm         64×8×8
relu               64×8×8
global_pool        64
linear             10

normal
  (0) ╌╌ zero ╌╌╌╌╌╌╌╌╌╌╌╌╌╌> (1)
  (0) ── avg_pool 3×3 ──────> (2)
  (1) ── relu_conv_bn 3×3 ──> (2)
  (0) ── relu_conv_bn 1×1 ──> (3)
  (1) ── skip ──────────────> (3)
  (2) ── relu_conv_bn 3×3 ──> (3)
  output: (3)
`
	got := string(draw(t, graphtest.NASBench201(arch201, 5), export.Text))
	if squeeze(got) != squeeze(want) {
		t.Errorf("got\n%s", got)
	}
}

// squeeze makes runs of blanks one.
func squeeze(s string) string {
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

func TestSVGIsWellFormedAndShowsEverything(t *testing.T) {
	for name, g := range map[string]*graph.Graph{
		"nasbench201": graphtest.NASBench201(arch201, 5), "darts": architecture(t, "darts", 3),
	} {
		svg := draw(t, g, export.SVG)
		var texts []string
		dec := xml.NewDecoder(bytes.NewReader(svg))
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if s, ok := token.(xml.CharData); ok {
				texts = append(texts, string(s))
			}
		}
		all := strings.Join(texts, "\n")
		if !strings.Contains(all, "A <title> & more") {
			t.Errorf("%s: no title", name)
		}
		for _, n := range g.Nodes {
			if n.Body == nil {
				continue
			}
			for _, m := range n.Body.Nodes {
				if !m.Fold && !strings.Contains(all, export.Short(m)) {
					t.Errorf("%s does not show %s", name, export.Short(m))
				}
			}
		}
		if again := draw(t, g, export.SVG); !bytes.Equal(svg, again) {
			t.Errorf("%s is drawn in two ways", name)
		}
	}
}

func TestPNG(t *testing.T) {
	svg := string(draw(t, graphtest.NASBench201(arch201, 5), export.SVG))
	img, err := png.Decode(bytes.NewReader(draw(t, graphtest.NASBench201(arch201, 5), export.PNG)))
	if err != nil {
		t.Fatal(err)
	}
	var w, h float64
	if _, err := fmt.Sscanf(svg[strings.Index(svg, "width="):], `width="%g" height="%g"`, &w, &h); err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); float64(b.Dx()) < 2*w || float64(b.Dx()) > 2*w+1 || float64(b.Dy()) < 2*h {
		t.Errorf("picture %v, drawing %g×%g", b, w, h)
	}
	dark, coloured := 0, 0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			if max(r, g, b) < 0x4000 {
				dark++
			}
			if max(r, g, b)-min(r, g, b) > 0x6000 {
				coloured++
			}
		}
	}
	if dark < 2000 || coloured < 500 {
		t.Errorf("%d dark and %d coloured pixels: something is not painted", dark, coloured)
	}
}

func TestDOT(t *testing.T) {
	dot := string(draw(t, graphtest.NASBench201(arch201, 5), export.DOT))
	for _, want := range []string{
		`s1 -> s2 [label="16×32×32"]`, `label="normal ×5"`, `p0_0 -> p0_1 [label="zero", style=dashed`, `p0_1 -> p0_2 [label="relu_conv_bn 3×3"]`,
	} {
		if !strings.Contains(dot, want) {
			t.Errorf("no %s in\n%s", want, dot)
		}
	}
	if strings.Count(dot, "subgraph") != 2 || strings.Count(dot, "{") != strings.Count(dot, "}") {
		t.Errorf("three cells that look alike are one:\n%s", dot)
	}
}

func TestSkeletonShowsFurtherReaders(t *testing.T) {
	text := string(draw(t, architecture(t, "darts", 3), export.Text))
	if !strings.Contains(text, "also reads normal ×2 (64×32×32)") {
		t.Errorf("the input of the cell before the last is not shown:\n%s", text)
	}
}

// TestOddGraphs draws what no shipped space makes.
func TestOddGraphs(t *testing.T) {
	s := graph.Shape{1, 2, 2}
	x := graph.InputRef(0)
	passing := graphtest.New("block", "pass", s)
	passing.Output = x
	empty := graphtest.New("space", "empty", s)
	empty.Output = x
	odd := graphtest.New("space", "odd", s, s)
	odd.Nest("p", passing.Graph, x)
	source := odd.Add(graph.Node{Op: "constant", Shape: s})
	odd.Add(graph.Node{Op: "f"}, x, graph.InputRef(1), source, 0)
	deep := graphtest.New("space", "deep", s)
	r := x
	inner := graphtest.New("block", "inner", s)
	inner.Sum("v", inner.Nest("p", passing.Graph, x), inner.Add(graph.Node{Op: "g"}, x), x)
	for i := range 3 {
		r = deep.Nest(fmt.Sprint("n", i), inner.Graph, r)
	}
	// A `node` that is an operation on a sum, as in NAS-Bench-101.
	vertex := graphtest.New("cell", "module", s)
	v := vertex.Add(graph.Node{Op: "conv", Vertex: "v[0]"},
		vertex.Add(graph.Node{Op: "sum", Fold: true, Commutative: true}, x, x))
	vertex.Add(graph.Node{Op: "concat", Fold: true}, v, x)
	top := graphtest.New("space", "top", s)
	top.Nest("m", vertex.Graph, x)
	for _, g := range []*graph.Graph{empty.Graph, odd.Graph, deep.Graph, top.Graph, graphtest.NASBench201(arch201, 5).Live()} {
		for _, f := range []export.Format{export.SVG, export.PNG, export.DOT, export.Text} {
			if len(draw(t, g, f)) == 0 {
				t.Errorf("%s as %s is empty", g.Name, f)
			}
		}
	}
}

// TestStagesOpen draws blocks that only stack cells in place, unless there is no
// end to it.
func TestStagesOpen(t *testing.T) {
	s := graph.Shape{1, 2, 2}
	x := graph.InputRef(0)
	stack := func(kind, name string, body *graph.Graph, times int) *graph.Graph {
		b := graphtest.New(kind, name, s)
		b.Output = x
		for i := range times {
			b.Nest(fmt.Sprintf("%s[%d]", body.Name, i), body, b.Output)
		}
		return b.Graph
	}
	cell := graphtest.New("cell", "normal", s)
	cell.Sum("n", cell.Add(graph.Node{Op: "f"}, x), x)
	net := stack("space", "net", stack("block", "stage", cell.Graph, 3), 2)
	text := string(draw(t, net, export.Text))
	if !strings.Contains(text, "normal ×6") || strings.Contains(text, "stage") {
		t.Errorf("got\n%s", text)
	}
	for i := range 40 {
		net = stack("block", fmt.Sprint("b", i), net, 2)
	}
	net.Kind = "space"
	if text := string(draw(t, net, export.Text)); !strings.Contains(text, "b38 ×2") {
		t.Errorf("got\n%s", text)
	}
	// Branches are no stack: the whole network is drawn like a cell.
	wide := graphtest.New("space", "wide", s)
	a, b := wide.Add(graph.Node{Op: "a"}, x), wide.Add(graph.Node{Op: "b"}, x)
	wide.Add(graph.Node{Op: "f"}, a, b)
	if text := string(draw(t, wide.Graph, export.Text)); !strings.Contains(text, "x0 ── a ──> f") || !strings.Contains(text, "x0 ── b ──> f") {
		t.Errorf("got\n%s", text)
	}
}

func TestDrawRejects(t *testing.T) {
	g := graphtest.NASBench201(arch201, 1)
	if _, err := export.Draw(g, export.Options{Format: "jpg"}); err == nil || !strings.Contains(err.Error(), `"jpg"`) {
		t.Errorf("jpg: %v", err)
	}
	long := graphtest.New("space", "long", graph.Shape{1})
	long.Output = graph.InputRef(0)
	for i := range export.MaxNodes + 1 {
		long.Add(graph.Node{Op: fmt.Sprint("f", i)}, long.Output)
	}
	if _, err := export.Draw(long.Graph, export.Options{Format: export.SVG}); err == nil || !strings.Contains(err.Error(), "legible") {
		t.Errorf("a long graph: %v", err)
	}
	dense := graphtest.New("cell", "dense", graph.Shape{1})
	refs := []graph.Ref{graph.InputRef(0)}
	for range 100 {
		refs = append(refs, dense.Add(graph.Node{Op: "f"}, refs...))
	}
	holder := graphtest.New("space", "s", graph.Shape{1})
	holder.Nest("d", dense.Graph, graph.InputRef(0))
	if _, err := export.Draw(holder.Graph, export.Options{Format: export.SVG}); err == nil || !strings.Contains(err.Error(), "dense") {
		t.Errorf("a dense graph: %v", err)
	}
	g.Output = 99
	if _, err := export.Draw(g, export.Options{Format: export.SVG}); err == nil {
		t.Error("an invalid graph is drawn")
	}
	for file, want := range map[string]export.Format{"a.svg": export.SVG, "dir.x/b.PNG": export.PNG, "c.d.txt": export.Text} {
		if f, err := export.FormatOf(file); f != want || err != nil {
			t.Errorf("%s: %s, %v", file, f, err)
		}
	}
	for _, file := range []string{"a", "a.jpg", "svg", "x.svg/a"} {
		if f, err := export.FormatOf(file); err == nil {
			t.Errorf("%s is a %s", file, f)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, name := range []string{"nasbench201", "darts"} {
		g := architecture(b, name, 3)
		for _, f := range []export.Format{export.SVG, export.PNG} {
			b.Run(name+"/"+string(f), func(b *testing.B) {
				for b.Loop() {
					draw(b, g, f)
				}
			})
		}
	}
}
