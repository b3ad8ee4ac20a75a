package draw_test

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/runtime/compare/draw"
	"github.com/nasc-project/nasc/runtime/stages"
)

// history is a search of n stages over so many decisions.
func history(n, decisions int) *stages.History {
	h := &stages.History{}
	for k := range decisions {
		d := stages.Decision{Address: fmt.Sprintf("cell.edge[%d]", k), Options: []string{"zero", "conv(kernel: 3)"}}
		for i := range n {
			x := float64(i+1) / float64(n+1)
			d.Weights = append(d.Weights, []float64{1 - x, x})
		}
		d.Weights[0] = []float64{math.NaN(), math.NaN()}
		h.Decisions = append(h.Decisions, d)
	}
	curve := func(kind stages.Kind, name, unit string) {
		c := stages.Curve{Kind: kind, Name: name, Unit: unit}
		for i := range n {
			c.Values = append(c.Values, float64(i*i))
		}
		c.Values[n/2] = math.NaN()
		h.Curves = append(h.Curves, c)
	}
	for i := range n {
		h.Numbers = append(h.Numbers, int64(i))
	}
	curve(stages.Validation, "accuracy", "%")
	curve(stages.Test, "cifar10", "%")
	for i := range 5 {
		curve(stages.Value, fmt.Sprint("value", i), "")
	}
	curve(stages.Entropies, "mean entropy", "")
	return h
}

// TestSearchPictures: pictures of searches with few and many stages and decisions can be
// read, have the shape of a page, name everything, and are the same each time.
func TestSearchPictures(t *testing.T) {
	for _, c := range []struct{ stages, decisions int }{{1, 1}, {4, 6}, {40, 40}} {
		h := history(c.stages, c.decisions)
		for name, paint := range map[string]func(*stages.History, string) (draw.Picture, error){
			"map": draw.HeatMap, "entropy": draw.Entropy, "curves": draw.Search} {
			p, err := paint(h, "run")
			if err != nil {
				t.Fatal(err)
			}
			again, err := paint(h, "run")
			if err != nil || !bytes.Equal(p.PNG, again.PNG) || !bytes.Equal(p.SVG, again.SVG) {
				t.Errorf("%s of %v is another the second time, %v", name, c, err)
			}
			if c.stages == 1 && name == "curves" && p.SVG == nil {
				continue // nothing was measured
			}
			img, err := png.Decode(bytes.NewReader(p.PNG))
			if err != nil {
				t.Fatal(err)
			}
			if w, h := img.Bounds().Dx(), img.Bounds().Dy(); w > 3*h || h > 3*w {
				t.Errorf("%s of %v has %d by %d pixels", name, c, w, h)
			}
			svg := string(p.SVG)
			want := []string{"run", "stage"}
			switch {
			case name == "map":
				want = append(want, "cell.edge[0]", fmt.Sprintf("cell.edge[%d]", c.decisions-1), "conv(kernel 3)", "mixture weight")
			case name == "curves" && c.stages > 1:
				want = append(want, "accuracy (%)", "validation accuracy", "test cifar10", "value4")
			case name == "entropy" && c.decisions == 6:
				want = append(want, "mean", "cell.edge[5]")
			case name == "entropy" && c.decisions == 40:
				want = append(want, "mean", "each of 40 decisions")
			}
			for _, text := range want {
				if !strings.Contains(svg, text) {
					t.Errorf("%s of %v does not say %q", name, c, text)
				}
			}
			if strings.Contains(svg, "NaN") {
				t.Errorf("%s of %v draws what is no number", name, c)
			}
		}
	}
	if _, err := draw.HeatMap(&stages.History{}, ""); err == nil {
		t.Error("a map of no stages")
	}
}

// TestEvenMixture draws mixtures that have not moved in the middle of the scale, and not as
// settled ones.
func TestEvenMixture(t *testing.T) {
	even := []float64{0.2, 0.2, 0.2, 0.2, 0.2}
	d := stages.Decision{Address: "edge", Options: []string{"a", "b", "c", "d", "e"}, Weights: [][]float64{even, even}}
	p, err := draw.HeatMap(&stages.History{Numbers: []int64{0, 1}, Decisions: []stages.Decision{d}}, "run")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(p.SVG), "0.4: mixture weight") {
		t.Error("the scale of an even mixture of five does not end at 0.4")
	}
}
