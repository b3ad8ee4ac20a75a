package draw_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/runtime/compare"
	"github.com/nasc-project/nasc/runtime/compare/draw"
)

func curves(maximize bool) compare.Curves {
	return compare.Curves{Axis: compare.Simulated, Metric: "accuracy", Unit: "%", Stratum: "cifar10", Maximize: maximize, Groups: []compare.Curve{
		{Group: "evolution", Place: 0, X: []float64{1, 2, 3}, Mean: []float64{1, 2, 3}, Low: []float64{0, 1, 2}, High: []float64{2, 3, 4}, Lower: []float64{0, 1, 2}, Upper: []float64{2, 3, 4}},
		{Group: "<random> & more", Place: 1, X: []float64{2, 5}, Mean: []float64{1, 1}, Low: []float64{1, 1}, High: []float64{1, 1}, Lower: []float64{1, 1}, Upper: []float64{1, 1}},
	}}
}

// pictures are one of each kind, with and without a stamp.
func pictures(t *testing.T, stamp string) []draw.Picture {
	t.Helper()
	var out []draw.Picture
	add := func(p draw.Picture, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	for _, maximize := range []bool{false, true} {
		for _, band := range []draw.Band{draw.Interval, draw.Quartiles} {
			add(draw.Curves(curves(maximize), stamp, band))
		}
	}
	one := compare.Curves{Axis: compare.Evaluations, Metric: "accuracy", Groups: []compare.Curve{
		{Group: "evolution", X: []float64{1}, Mean: []float64{1}, Low: []float64{1}, High: []float64{1}, Lower: []float64{1}, Upper: []float64{1}}}}
	add(draw.Curves(one, stamp, draw.Interval)) // a single point
	add(draw.Ranks(&compare.Ranks{Blocks: 14, Groups: []string{"C4.5", "C4.5+m", "evolution", "C4.5+m+cf"}, Average: []float64{3.143, 2, 2.893, 1.964},
		Critical: 1.12, Cliques: [][]string{{"C4.5+m+cf", "C4.5+m", "evolution"}, {"evolution", "C4.5"}}}, "test accuracy", stamp))
	add(draw.Ranks(&compare.Ranks{Blocks: 2, Groups: []string{"evolution", "b", "c"}, Average: []float64{2, 2, 2}, Critical: 9}, "test accuracy", stamp))
	return out
}

// TestPictures: both forms can be read, hold what they are about, are the same each
// time, and have the stamp exactly when there is one.
func TestPictures(t *testing.T) {
	const stamp = "NOT COMPARABLE: differs in budget.amount"
	plain, again, stamped := pictures(t, ""), pictures(t, ""), pictures(t, stamp)
	for i, p := range plain {
		small, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil {
			t.Fatal(err)
		}
		large, err := png.Decode(bytes.NewReader(stamped[i].PNG))
		if err != nil {
			t.Fatal(err)
		}
		if small.Bounds().Dy() >= large.Bounds().Dy() {
			t.Errorf("picture %d: the stamp takes no room", i)
		}
		if !bytes.Equal(p.PNG, again[i].PNG) || !bytes.Equal(p.SVG, again[i].SVG) {
			t.Errorf("picture %d is another one the second time", i)
		}
		svg := string(p.SVG)
		if !strings.Contains(svg, "evolution") || strings.Contains(svg, "NOT COMPARABLE") || strings.Contains(svg, "NaN") {
			t.Errorf("picture %d: %s", i, svg)
		}
		if !strings.Contains(string(stamped[i].SVG), stamp) {
			t.Errorf("picture %d has no stamp", i)
		}
	}
}

func TestName(t *testing.T) {
	if got := draw.Name("curves", "wall", "", "evaluator: \"CIFAR 10\"/x"); got != "curves-wall-evaluator-CIFAR-10-x" {
		t.Error(got)
	}
}
