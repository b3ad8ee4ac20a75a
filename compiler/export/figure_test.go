package export_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
)

func TestShort(t *testing.T) {
	image, sequence := graph.Shape{8, 4, 4}, graph.Shape{8, 40, 1}
	for _, c := range []struct {
		shape graph.Shape
		attrs []graph.Attr
		want  string
	}{
		{image, nil, "f"},
		{image, []graph.Attr{{Name: "kernel", Value: int64(3)}, {Name: "expand", Value: 3.0}, {Name: "stride", Value: int64(2)}}, "f 3×3 /2, expand 3"},
		{image, []graph.Attr{{Name: "se", Value: true}, {Name: "act", Value: "h_swish"}, {Name: "ratio", Value: 3.5}}, "f, se, h_swish, ratio 3.5"},
		{image, []graph.Attr{{Name: "bias", Value: false}, {Name: "se", Value: false, Default: true}}, "f, bias false"},
		{image, []graph.Attr{{Name: "out", Value: int64(8)}, {Name: "stride", Value: int64(1)}}, "f"},
		{sequence, []graph.Attr{{Name: "kernel", Value: int64(5)}, {Name: "groups", Value: int64(4)}}, "f kernel 5, groups 4"},
	} {
		if got := export.Short(&graph.Node{Op: "f", Attrs: c.attrs, Shape: c.shape}); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}

// transformer stacks residual layers, some of which differ.
func transformer(heads ...int64) *graph.Graph {
	s := graph.Shape{8, 40, 1}
	x := graph.InputRef(0)
	bodies := map[int64]*graph.Graph{}
	net := graphtest.New("space", "net", s)
	net.Output = x
	for i, h := range heads {
		if bodies[h] == nil {
			b := graphtest.New("block", "layer", s)
			b.Sum("y", x, b.Add(graph.Node{Op: "attention", Attrs: []graph.Attr{{Name: "heads", Value: h}}}, x))
			bodies[h] = b.Graph
		}
		net.Nest(fmt.Sprintf("layer[%d]", i), bodies[h], net.Output)
	}
	return net.Graph
}

func TestLayersStack(t *testing.T) {
	text := string(draw(t, transformer(3, 3, 3, 3, 3), export.Text))
	if !strings.Contains(text, "layer ×5") || strings.Count(text, "attention, heads 3") != 1 || !strings.Contains(text, " 8×40\n") {
		t.Errorf("got\n%s", text)
	}
	mixed := transformer(3, 4, 3, 3, 4)
	text = string(draw(t, mixed, export.Text))
	for _, want := range []string{"layer ×5", "1 2 1 1 2", "\nlayer 1\n", "\nlayer 2\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if dot := string(draw(t, mixed, export.DOT)); !strings.Contains(dot, `label="layer ×5\n1 2 1 1 2"`) {
		t.Errorf("got\n%s", dot)
	}
	if text := string(draw(t, transformer(3, 4, 4), export.Text)); !strings.Contains(text, "layer 2 ×2") {
		t.Errorf("a short row is drawn level by level:\n%s", text)
	}
}

// TestSampledTemplates draws an architecture that went through a file, where
// cells that differ have names of their own.
func TestSampledTemplates(t *testing.T) {
	s := graph.Shape{8, 4, 4}
	net := graphtest.New("space", "net", s)
	net.Output = graph.InputRef(0)
	for i, c := range []struct{ name, op string }{{"normal", "f"}, {"normal_2", "f"}, {"normal_3", "g"}, {"other_2", "f"}} {
		b := graphtest.New("cell", c.name, s)
		b.Sum("y", b.Add(graph.Node{Op: c.op}, graph.InputRef(0)))
		net.Nest(fmt.Sprint("n", i), b.Graph, net.Output)
	}
	text := string(draw(t, net.Graph, export.Text))
	for _, want := range []string{"normal 1 ×2", "normal 2 ", "other_2 "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestNestedOnEdge names the motifs of a cell by their index.
func TestNestedOnEdge(t *testing.T) {
	g := architecture(t, "hierarchical", 3)
	text := string(draw(t, g, export.Text))
	for _, want := range []string{"── motif[3] ──", "\nmotif[3]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	svg := string(draw(t, g, export.SVG))
	_, label, _ := strings.Cut(svg, `fill="#3f7f45" text-anchor="middle">`)
	if !strings.HasPrefix(label, "motif[") {
		t.Error("an edge does not have the colour of its panel")
	}
}

// TestVerticesCountAlike counts the vertices of all cells from the same number,
// though one of them reads one of its inputs only.
func TestVerticesCountAlike(t *testing.T) {
	s := graph.Shape{8, 4, 4}
	one := graphtest.New("cell", "one", s)
	one.Sum("n[0]", one.Add(graph.Node{Op: "f"}, graph.InputRef(0)))
	two := graphtest.New("cell", "two", s, s)
	two.Sum("n[0]", two.Add(graph.Node{Op: "f"}, graph.InputRef(0)), graph.InputRef(1))
	net := graphtest.New("space", "net", s)
	a := net.Nest("a", one.Graph, graph.InputRef(0))
	net.Nest("b", two.Graph, graph.InputRef(0), a)
	for _, n := range append(slices.Clone(one.Nodes), two.Nodes...) {
		if n.Fold {
			n.Vertex = n.Name
		}
	}
	text := string(draw(t, net.Graph, export.Text))
	if strings.Count(text, "output: (0)") != 2 {
		t.Errorf("got\n%s", text)
	}
}

// TestInputsInOrder puts the first input of a cell above the second.
func TestInputsInOrder(t *testing.T) {
	for seed := range uint64(6) {
		svg := string(draw(t, architecture(t, "darts", seed), export.SVG))
		ys := map[string][]float64{}
		for _, l := range labels(t, []byte(svg)) {
			ys[l.text] = append(ys[l.text], l.y)
		}
		before, last := ys["k-2"], ys["k-1"]
		if len(before) != 2 || len(last) != 2 {
			t.Fatalf("seed %d: inputs %v, %v", seed, before, last)
		}
		for i := range before {
			if before[i] > last[i] {
				t.Errorf("seed %d: c_{k-2} is below c_{k-1}", seed)
			}
		}
	}
}

// TestNothingLeavesTheDrawing keeps all text inside the picture and the titles
// of panels inside their frames.
func TestNothingLeavesTheDrawing(t *testing.T) {
	s := graph.Shape{8, 4, 4}
	b := graphtest.New("cell", "a_cell_whose_name_is_much_longer_than_what_it_holds", s)
	b.Sum("y", graph.InputRef(0))
	net := graphtest.New("space", "net", s)
	net.Nest("n", b.Graph, graph.InputRef(0))
	for _, g := range []*graph.Graph{net.Graph, architecture(t, "autoformer", 1), architecture(t, "hierarchical", 2)} {
		svg := draw(t, g, export.SVG)
		var w, h float64
		if _, err := fmt.Sscanf(string(svg[bytes.Index(svg, []byte("width=")):]), `width="%g" height="%g"`, &w, &h); err != nil {
			t.Fatal(err)
		}
		for _, l := range labels(t, svg) {
			// The advance of the font's letters is between half and all of the size.
			wide := 0.5 * l.size * float64(len([]rune(l.text)))
			if end := l.x + wide; l.middle {
				wide /= 2
			} else if end > w {
				t.Errorf("%s: %q ends at %g of %g", g.Name, l.text, end, w)
			}
			if l.y > h || l.x < 0 || l.middle && (l.x+wide > w || l.x < wide) {
				t.Errorf("%s: %q stands at %g, %g of %g, %g", g.Name, l.text, l.x, l.y, w, h)
			}
		}
	}
}

type label struct {
	text       string
	x, y, size float64
	middle     bool
}

// labels reads the texts of an SVG.
func labels(t *testing.T, svg []byte) []label {
	t.Helper()
	var out []label
	var at *label
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "text" {
				continue
			}
			out = append(out, label{})
			at = &out[len(out)-1]
			for _, a := range token.Attr {
				v, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "x":
					at.x = v
				case "y":
					at.y = v
				case "font-size":
					at.size = v
				case "text-anchor":
					at.middle = true
				}
			}
		case xml.CharData:
			if at != nil {
				at.text += string(token)
			}
		case xml.EndElement:
			at = nil
		}
	}
}
