package reproduce

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/spaces"
)

// Every study compiles, its grid is each method with each seed, and every method has
// a value for each column from every source.
func TestStudies(t *testing.T) {
	for _, s := range Studies() {
		if found, ok := Find(s.Name); !ok || found.Title != s.Title {
			t.Errorf("%s is not found", s.Name)
		}
		for _, seeds := range []int{1, 2, s.Seeds, s.Seeds + 7} {
			text, err := s.Text(seeds)
			if err != nil {
				t.Fatal(err)
			}
			m, diags := compiler.Load(s.File, func(name string) ([]byte, error) {
				if name == s.File {
					return text, nil
				}
				if strings.HasPrefix(name, "plugin ") || strings.HasPrefix(name, "nasc/") {
					return nil, nil
				}
				return spaces.Files.ReadFile(name)
			})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			all, diags := m.Searches()
			if diags.HasErrors() || len(all) != 1 {
				t.Fatalf("%d searches, %v", len(all), diags)
			}
			g, diags := all[0].Grid(nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			count := map[string]int{}
			for n := range g.Size() {
				p, diags := g.At(n)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				label, _, _ := strings.Cut(p.Label, " seed=")
				count[label]++
			}
			if len(count) != len(s.Methods) {
				t.Errorf("%s: the points are of %v", s.Name, count)
			}
			for _, method := range s.Methods {
				if count[method.Point] != seeds {
					t.Errorf("%s: %d points of %s for %d seeds", s.Name, count[method.Point], method.Title, seeds)
				}
			}
		}
		for _, method := range s.Methods {
			for _, r := range method.Reports {
				if r.Source >= len(s.Sources) || len(r.Values) != len(s.Columns) {
					t.Errorf("%s: the report %v is not complete", method.Title, r)
				}
			}
		}
	}
	if _, ok := Find("nothing"); ok {
		t.Error("there is a study called nothing")
	}
}

// Known answers: 2, 4, 4, 4, 5, 5, 7, 9 have the mean 5 and the sample variance 32/7.
func TestSummary(t *testing.T) {
	v := Summary([]float64{2, 4, 4, 4, 5, 5, 7, 9})
	if v.Mean != 5 || math.Abs(v.Std-math.Sqrt(32./7)) > 1e-15 || v.Runs != 8 {
		t.Errorf("%+v", v)
	}
	if v := Summary([]float64{3}); v != (Value{3, 0, 1}) {
		t.Errorf("of one run: %+v", v)
	}
	if v := Summary(nil); v != (Value{}) {
		t.Errorf("of none: %+v", v)
	}
}

// The standard error of a difference of means of 100 runs with deviation 3 and 400
// with deviation 8 is sqrt(9/100 + 64/400) = 0.5.
func TestAbove(t *testing.T) {
	v, w := Value{94, 3, 100}, Value{93, 8, 400}
	if got, ok := v.Above(w); !ok || math.Abs(got-2) > 1e-12 {
		t.Errorf("%v, %v", got, ok)
	}
	if got, ok := w.Above(v); !ok || math.Abs(got+2) > 1e-12 {
		t.Errorf("the other way round: %v, %v", got, ok)
	}
	for _, c := range []struct {
		v, w Value
		ok   bool
	}{
		{Value{1, 0, 1}, w, false},
		{v, Value{}, false},
		{Value{1, 0, 5}, Value{2, 0, 5}, false},
		{Value{1, 0, 5}, Value{1, 0, 5}, true},
	} {
		if got, ok := c.v.Above(c.w); ok != c.ok || got != 0 {
			t.Errorf("%v above %v: %v, %v", c.v, c.w, got, ok)
		}
	}
}

// sample has a method of two runs each 1 apart around a mean.
func sample(mean float64) []float64 { return []float64{mean - 0.5, mean + 0.5} }

var small = Study{
	Name: "small", Title: "Two methods", Protocol: "Something is measured.",
	Columns: []Column{{"a", "A"}, {"b", "B"}},
	Methods: []Method{
		{"optimizer=x", "method x", []Report{
			{0, []Value{{10, 0.5, 4}, {20, 0.5, 4}}},
			{1, []Value{{90, 0.1, 4}, {90, 0.1, 4}}},
		}},
		{"optimizer=y", "method y", []Report{{0, []Value{{30, 0.5, 4}, {40, 0.5, 4}}}}},
	},
	Sources: []Source{{"the same", true}, {"another protocol", false}},
}

// What is far from a source of another protocol is shown and not held against us.
func TestCompare(t *testing.T) {
	results := map[string]map[string][]float64{
		"optimizer=x": {"a": sample(10.5), "b": sample(20)},
		"optimizer=y": {"a": sample(28), "b": sample(40)},
	}
	c := small.Compare(results)
	if len(c.Far) != 1 || c.Far[0].Method != "method y" || c.Far[0].Column != "A" || c.Far[0].Above > -3 {
		t.Errorf("far are %+v", c.Far)
	}
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"method    runs  A                     B\n",
		"method x  2     10.50 ± 0.71          20.00 ± 0.71\n",
		"  [1]     4     10.00 ± 0.50  +0.9    20.00 ± 0.50  +0.0\n",
		"  [2]     4     90.00 ± 0.10  -158.2 ", // 79.5 / sqrt(0.5/2 + 0.01/4)
		"[2] another protocol\n",
		"Not reproduced: more than 3 standard errors from [1] are\n  method y on A (-3.6 from [1])\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	results["optimizer=y"]["a"] = sample(30)
	out.Reset()
	if err := small.Compare(results).Write(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "Reproduced: all 4 means are within 3 standard errors of [1].\n") {
		t.Error(out.String())
	}
	out.Reset()
	one := map[string]map[string][]float64{"optimizer=x": {"a": {1}, "b": {2}}}
	if err := small.Compare(one).Write(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "method x  1     1.00") || !strings.Contains(out.String(), "says nothing") {
		t.Error(out.String())
	}
}

func TestWrap(t *testing.T) {
	text := wrap(strings.Repeat("word ", 40), "[1] ", "    ")
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if len(line) > width || i > 0 && !strings.HasPrefix(line, "    word") {
			t.Errorf("line %d is %q", i, line)
		}
	}
	if strings.Count(text, "word") != 40 || !strings.HasPrefix(text, "[1] word") {
		t.Errorf("%q", text)
	}
}

// What a user names, or has in a folder, is taken for what it is.
func TestFind(t *testing.T) {
	study, _ := Find("nasbench201")
	d := study.Data
	dir, empty := t.TempDir(), t.TempDir()
	put := func(name string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, ok := d.Find("", empty, filepath.Join(empty, "nowhere")); ok {
		t.Error("found in an empty folder")
	}
	csv := put("nasbench201.csv.gz")
	if f, ok := d.Find("", empty, dir); !ok || f != (Found{csv, "csv"}) {
		t.Errorf("%v, %v", f, ok)
	}
	table := put("nasbench201.nasb")
	if f, ok := d.Find(dir); !ok || f != (Found{table, ""}) {
		t.Errorf("%v, %v", f, ok)
	}
	meta := put("renamed/meta.pickle.pbz2")
	for path, want := range map[string]Found{
		dir:                     {table, ""},
		table:                   {table, ""},
		csv:                     {csv, "csv"},
		put("other.NASB"):       {filepath.Join(dir, "other.NASB"), ""},
		put("mine.csv"):         {filepath.Join(dir, "mine.csv"), "csv"},
		put("mine.csv.gz"):      {filepath.Join(dir, "mine.csv.gz"), "csv"},
		put("NB201.pth"):        {filepath.Join(dir, "NB201.pth"), "nasbench201-pth"},
		filepath.Dir(meta):      {filepath.Dir(meta), "nats-tss"},
		put("picture.png"):      {},
		put("no-extension"):     {},
		filepath.Join(dir, "x"): {},
		empty:                   {},
	} {
		f, ok := d.Open(path)
		if f != want || ok != (want.Path != "") {
			t.Errorf("%s: %v, %v", path, f, ok)
		}
	}
}
