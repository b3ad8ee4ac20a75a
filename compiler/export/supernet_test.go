package export_test

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/spaces"
)

// supernet relaxes a shipped space.
func supernet(t *testing.T, file string, r lower.Relaxation) (*compiler.Space, *lower.Supernet) {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(r)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s, n
}

// soft are weights of a supernet as a softmax makes them, of logits of a certain size.
func soft(n *lower.Supernet, size float64) export.Weights {
	at := map[string]int{}
	for i, d := range n.Decisions {
		at[d.Address] = i
	}
	return func(address string) (options []string, weights []float64) {
		i, ok := at[address]
		if !ok {
			return nil, nil
		}
		sum := 0.0
		for k, o := range n.Decisions[i].Options {
			options, weights = append(options, o.Label), append(weights, math.Exp(size*math.Sin(float64(5*i*i+7*k))))
			sum += weights[k]
		}
		for k := range weights {
			weights[k] /= sum
		}
		return options, weights
	}
}

// widths are the stroke widths of ribbons of a colour, from thin to thick.
func widths(svg []byte, colour string) (out []float64) {
	for _, m := range regexp.MustCompile(`<path d="[^"]*" fill="none" stroke="`+colour+`" stroke-width="([0-9.e-]+)"`).FindAllSubmatch(svg, -1) {
		w, err := strconv.ParseFloat(string(m[1]), 64)
		if err == nil {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// The first colours of candidates, in their order.
const blue, vermilion = "#0072b2", "#c04f00"

func drawn(t *testing.T, s *compiler.Space, w export.Weights) []byte {
	t.Helper()
	o := export.Options{Format: export.SVG, Title: "t", Note: "after stage 3"}
	b, err := s.DrawSupernet(w, o)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.DrawSupernet(w, o); err != nil || !bytes.Equal(again, b) {
		t.Error("drawn again it is another")
	}
	return b
}

// TestSupernetRibbons: an edge is parted among its candidates by their weights, and the
// strongest is written on it.
func TestSupernetRibbons(t *testing.T) {
	s, _ := supernet(t, "nasbench201/nasbench201.nas", lower.Relaxation{})
	options := []string{"zero", "skip", "relu_conv_bn(kernel: 1)", "relu_conv_bn(kernel: 3)", "avg_pool(kernel: 3)"}
	svg := drawn(t, s, func(address string) ([]string, []float64) {
		switch address {
		case "normal.n[0].edge[0]":
			return options, []float64{0, 0.75, 0.25, 0, 0}
		case "normal.n[1].edge[0]":
			return options, []float64{0, 3, 1, 0, 0} // no shares: as wide as the whole
		}
		return options, []float64{0, 0, 0, 0, 1}
	})
	const sample = 2.2 // of the list
	if got, want := widths(svg, blue), []float64{sample, 9, 9}; !slices.Equal(got, want) {
		t.Errorf("skip is %v wide, want %v", got, want)
	}
	if got, want := widths(svg, vermilion), []float64{sample, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("the convolution is %v wide, want %v", got, want)
	}
	for _, text := range []string{">skip</text>", ">0.75</text>", ">3.00</text>", ">avg_pool 3×3</text>", ">1.00</text>", ">after stage 3</text>"} {
		if !bytes.Contains(svg, []byte(text)) {
			t.Errorf("it does not say %s", text)
		}
	}
	if bytes.Contains(svg, []byte("architectures")) {
		t.Error("it says how many architectures there are")
	}
}

// TestSupernetEdges: the weight of an edge narrows what is on it: that of a decision which
// picks edges, and that which a relaxation adds to a sum.
func TestSupernetEdges(t *testing.T) {
	for file, c := range map[string]struct {
		address string
		weights []float64
		want    []float64
	}{
		"darts/darts.nas":             {"normal.n[1].prev", []float64{0.5, 0.25, 0}, []float64{0.8, 3, 6}},
		"nasbench201/nasbench201.nas": {"normal.n[2].edges", []float64{0.5, 0.25, 0}, []float64{0.8, 3, 6}},
	} {
		s, n := supernet(t, file, lower.Relaxation{EdgeWeights: true})
		svg := drawn(t, s, func(address string) (options []string, weights []float64) {
			for _, d := range n.Decisions {
				if d.Address != address {
					continue
				}
				for _, o := range d.Options {
					options, weights = append(options, o.Label), append(weights, 0)
					if o.Label == "skip" || o.Label == "skip(stride: stride)" || d.Edges {
						weights[len(weights)-1] = 1
					}
				}
				if address == c.address {
					weights = c.weights
				}
			}
			return options, weights
		})
		got := widths(svg, blue)
		for _, w := range c.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no edge is %v wide, but %v", file, w, got)
			}
		}
	}
}

// TestSupernetVertices: candidates in boxes are dots as large as they weigh, and edges
// without candidates lines as wide.
func TestSupernetVertices(t *testing.T) {
	s, n := supernet(t, "nasbench1shot1/space1.nas", lower.Relaxation{})
	svg := drawn(t, s, soft(n, 3))
	thick := widths(svg, "#6b6b6b")
	if len(thick) < 8 || thick[0] > 0.8 || thick[len(thick)-1] < 2.5 {
		t.Errorf("edges are %v wide", thick)
	}
	dots := map[string]bool{}
	for _, m := range regexp.MustCompile(`<path d="M[0-9.]+ [0-9.]+C[^"]*" fill="`+blue+`"/>`).FindAll(svg, -1) {
		dots[string(m)] = true
	}
	if len(dots) < 4 {
		t.Errorf("%d dots", len(dots))
	}
}

// TestSupernetTellsApart: cells that look alike but weigh something else are drawn each.
func TestSupernetTellsApart(t *testing.T) {
	s, _ := supernet(t, "darts/darts.nas", lower.Relaxation{})
	same := drawn(t, s, func(address string) ([]string, []float64) { return nil, nil })
	plain, err := s.Draw(export.Options{Format: export.SVG, Title: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bytes.Count(same, []byte("<path")), bytes.Count(plain, []byte("<path")); got != want {
		t.Errorf("without weights there are %d lines, want %d", got, want)
	}
	h, hn := supernet(t, "hierarchical/hierarchical.nas", lower.Relaxation{})
	count := func(svg []byte) int { return bytes.Count(svg, []byte(`font-size="13"`)) } // titles of panels
	alike := drawn(t, h, func(address string) ([]string, []float64) { return nil, nil })
	if a, b := count(alike), count(drawn(t, h, soft(hn, 2))); b <= a {
		t.Errorf("%d panels without weights and %d with", a, b)
	}
}
