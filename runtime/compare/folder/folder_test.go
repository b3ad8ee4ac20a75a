package folder_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/runtime/compare"
	"github.com/nasc-project/nasc/runtime/compare/folder"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/store"
)

// stored writes a finished study of three methods with six seeds each, one of which
// has another budget where that is asked for.
func stored(t *testing.T, confounded bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	var points []store.Point
	for _, method := range []string{"a", "b", "c"} {
		for seed := range uint64(6) {
			m := &store.Manifest{Name: "study", Space: store.Space{Name: "tiny"}, Optimizer: store.Component{Plugin: "me/" + method},
				Evaluator:  store.Component{Plugin: "me/table", Deterministic: true, Units: map[string]string{"accuracy": "%"}},
				Objectives: []store.Objective{{Metric: "accuracy", Maximize: true}}, Budget: store.Budget{Unit: "evaluations", Amount: 3},
				Seed: seed, Metrics: []string{"accuracy"}}
			if confounded && method == "b" {
				m.Budget.Amount = 4
			}
			points = append(points, store.Point{Label: fmt.Sprint(method, seed), Group: method, Manifest: m})
		}
	}
	f, err := store.Create(dir, &store.Folder{Name: "study", Options: json.RawMessage("{}")}, points)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := f.Add("0", json.RawMessage("{}"), "h")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range f.Runs {
		if err := r.Begin(points[i].Manifest); err != nil {
			t.Fatal(err)
		}
		var trials []*store.Trial
		for n := range int64(3) {
			trials = append(trials, &store.Trial{Number: n, Architecture: a, Status: store.OK, Simulated: 100, Elapsed: float64(n + 1),
				Metrics: store.Metrics{Names: []string{"accuracy"}, Values: []float64{90 + float64(n) + float64(i)/10}}})
		}
		if err := r.Append(trials, true); err != nil {
			t.Fatal(err)
		}
		if err := r.SetTest(2, map[string]float64{"accuracy": 90 + float64(i*i%7)}); err != nil {
			t.Fatal(err)
		}
		if err := r.Finish(2); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// compared writes a comparison of a study into a new folder and reads it.
func compared(t *testing.T, study string, o compare.Options) map[string][]byte {
	t.Helper()
	runs, left, diags := compare.Load([]string{study, filepath.Join(study, "3")}) // one of them twice
	if diags.HasErrors() || left != nil || len(runs) != 18 {
		t.Fatalf("%d runs, left out %v: %v", len(runs), left, diags)
	}
	c, diags := compare.Compare(runs, left, o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	dir := filepath.Join(t.TempDir(), "deep", "report")
	if diags := folder.Write(dir, c, folder.Options{}); diags.HasErrors() {
		t.Fatal(diags)
	}
	if diags := folder.Write(dir, c, folder.Options{}); !diags.HasErrors() || diags[0].Code != plan.RunExists {
		t.Errorf("written twice: %v", diags)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v is left beside the folder: %v", entries, err)
	}
	if entries, err = os.ReadDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestWrite(t *testing.T) {
	const stamp = "NOT COMPARABLE: differs in budget.amount"
	study := stored(t, false)
	plain, again := compared(t, study, compare.Options{}), compared(t, study, compare.Options{})
	stamped := compared(t, stored(t, true), compare.Options{By: []string{"optimizer"}, Anyway: true})
	want := []string{
		"critical-difference-test-accuracy.png", "critical-difference-test-accuracy.svg",
		"critical-difference-validation-accuracy.png", "critical-difference-validation-accuracy.svg",
		"curves-evaluations.png", "curves-evaluations.svg", "curves-simulated.png", "curves-simulated.svg", "curves-wall.png", "curves-wall.svg",
		"curves.csv", "report.json", "report.md", "runs.csv", "table.csv",
	}
	if got := slices.Sorted(maps.Keys(plain)); !slices.Equal(got, want) {
		t.Errorf("the folder has %v, want %v", got, want)
	}
	for name, data := range plain {
		if !bytes.Equal(data, again[name]) {
			t.Errorf("%s is another one the second time", name)
		}
		if bytes.Contains(data, []byte("NOT COMPARABLE")) {
			t.Errorf("%s has a stamp", name)
		}
		if bytes.Equal(data, stamped[name]) || !strings.HasSuffix(name, ".png") && !bytes.Contains(stamped[name], []byte(stamp)) {
			t.Errorf("%s has no stamp", name)
		}
		if strings.HasSuffix(name, ".csv") {
			for i, line := range strings.Split(strings.TrimSpace(string(stamped[name])), "\n") {
				if i > 0 && !strings.HasSuffix(line, ","+stamp) {
					t.Errorf("%s, line %d has no stamp: %s", name, i+1, line)
				}
			}
		}
	}
	tables := strings.Count(string(stamped["report.md"]), "|---|---|")
	if stamps := strings.Count(string(stamped["report.md"]), stamp); stamps < 7 || tables < 4 { // two measures and five pictures
		t.Errorf("report.md has %d stamps:\n%s", stamps, stamped["report.md"])
	}
}

// TestUnwritable: a file in the place of a folder stays what it is.
func TestUnwritable(t *testing.T) {
	runs, left, _ := compare.Load([]string{stored(t, false)})
	c, _ := compare.Compare(runs, left, compare.Options{})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if diags := folder.Write(dir, c, folder.Options{}); !diags.HasErrors() || diags[0].Code != plan.CannotWrite {
			t.Errorf("%s: %v", dir, diags)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the file says %q, %v", text, err)
	}
}
