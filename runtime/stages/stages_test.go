package stages

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/nasc-project/nasc/runtime/store"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestEntropy(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		weights []float64
		want    float64
	}{
		{[]float64{0.25, 0.25, 0.25, 0.25}, 1},
		{[]float64{3, 3}, 1}, // shares
		{[]float64{0, 1, 0}, 0},
		{[]float64{0.5, 0.25, 0.25}, 1.5 * math.Ln2 / math.Log(3)},
		{[]float64{0.5, nan, 0.5}, 1}, // of two
		{[]float64{1}, nan},
		{[]float64{0, 0}, nan},
		{[]float64{-0.1, 1.1}, nan},
		{nil, nan},
	} {
		near(t, "entropy", Entropy(c.weights), c.want)
	}
}

func TestSpark(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		most   int
		want   string
	}{
		{[]float64{0, 0.5, 1}, 10, "▁▅█"},
		{[]float64{-5, 7}, 10, "▁█"}, // beyond the range
		{[]float64{0, 1, 1, 1}, 2, "▅█"},
		{[]float64{nan, nan, 1, nan}, 2, " █"},
		{nil, 5, ""},
	} {
		if got := Spark(c.values, 0, 1, c.most); got != c.want {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
		}
	}
	if got := Spark([]float64{4, 4}, 4, 4, 9); got != "▅▅" {
		t.Errorf("of equal numbers: %q", got)
	}
}

// search is a one-shot search of three stages, the last of which weighs edges too and
// has lost a candidate.
func search(t *testing.T) *store.Run {
	t.Helper()
	m := &store.Manifest{Format: store.ManifestFormat, Name: "r", Space: store.Space{Name: "s", Size: "4"}, Metrics: []string{"accuracy"},
		Objectives: []store.Objective{{Metric: "accuracy", Maximize: true}}, Evaluator: store.Component{Units: map[string]string{"accuracy": "%"}},
		Report: &store.Component{Units: map[string]string{"cifar10": "%"}}}
	f, err := store.Create(filepath.Join(t.TempDir(), "r"), &store.Folder{Nasc: "test", Name: "r"}, []store.Point{{Manifest: m}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	a, err := f.Add("0", json.RawMessage(`{}`), "h")
	if err != nil {
		t.Fatal(err)
	}
	op := store.Weighed{Address: "op", Min: 1, Max: 1, Options: []string{"zero", "skip", "conv"}}
	late := []store.Weighed{{Address: "edges", Edges: true, Min: 2, Max: 2, Options: []string{"x", "y"}},
		{Address: "op", Min: 1, Max: 1, Options: []string{"conv", "skip"}}}
	for i, s := range []*store.Stage{
		{Mixture: [][]float64{{0.25, 0.25, 0.5}}, Weighed: []store.Weighed{op}, Values: map[string]float64{"tau": 10}},
		{Mixture: [][]float64{{0.5, 0.25, 0.25}}, Weighed: []store.Weighed{op}, Values: map[string]float64{"tau": 5, "eigenvalue": 0.5}, Text: "guard: it rises"},
		{Mixture: [][]float64{{1.5, 1}, {0.75, 0.25}}, Weighed: late, Report: map[string]float64{"cifar10": 91}},
	} {
		s.Number = int64(i)
		tr := &store.Trial{Number: s.Number, Architecture: a, Status: store.OK}
		if i > 0 {
			tr.Metrics = store.Metrics{Names: m.Metrics, Values: []float64{40 + float64(i)}}
		}
		if err := f.Runs[0].AppendStage(tr, s, &store.Checkpoint{}); err != nil {
			t.Fatal(err)
		}
	}
	return f.Runs[0]
}

// TestRead: options keep their rows when a relaxation puts them in other places, and what
// a stage does not weigh is missing in it.
func TestRead(t *testing.T) {
	h, err := Read(search(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Numbers) != 3 || len(h.Decisions) != 2 || h.Decisions[0].Address != "edges" || !h.Decisions[0].Edges || h.Decisions[1].Address != "op" {
		t.Fatalf("%+v", h)
	}
	nan := math.NaN()
	edges, op := h.Decisions[0], h.Decisions[1]
	for i, want := range [][]float64{{0.5, 0.25, 0.75}, {0.25, 0.25, 0.25}, {0.25, 0.5, nan}} { // conv, skip, zero
		for k, v := range op.Option(i) {
			near(t, "weight of "+op.Options[i], v, want[k])
		}
	}
	for k, want := range []float64{nan, nan, 1.5} {
		near(t, "weight of an edge", edges.Option(0)[k], want)
	}
	if op.Strongest() != 0 || op.Options[0] != "conv" || op.Top() != 1 || edges.Top() != 1.5 {
		t.Errorf("the strongest of %v is %d, at most %v and %v", op.Options, op.Strongest(), op.Top(), edges.Top())
	}
	var names []string
	for _, c := range h.Curves {
		names = append(names, c.Title()+" "+c.Unit)
		switch c.Name {
		case "accuracy":
			near(t, "accuracy of a stage without metrics", c.Values[0], nan)
			near(t, "accuracy", c.Values[2], 42)
		case "eigenvalue":
			near(t, "eigenvalue", c.Values[1], 0.5)
			near(t, "eigenvalue", c.Values[2], nan)
		case "mean entropy": // of the candidates alone
			near(t, "mean entropy", c.Values[2], Entropy([]float64{0.75, 0.25}))
		}
	}
	want := []string{"validation accuracy %", "test cifar10 %", "eigenvalue ", "tau ", "mean entropy "}
	for i, name := range want {
		if i >= len(names) || names[i] != name {
			t.Fatalf("curves %q, want %q", names, want)
		}
	}
	if len(h.Notes) != 1 || h.Notes[0] != (Note{1, "guard: it rises"}) {
		t.Errorf("notes %v", h.Notes)
	}
}
