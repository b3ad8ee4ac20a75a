package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/runtime/store"
)

// manifest is that of a search of a small space by a plugin with one parameter.
func manifest(plugin string, population, seed int) *store.Manifest {
	return &store.Manifest{
		Format: 3, Nasc: "0.1.0", Name: fmt.Sprint(plugin, seed), Started: fmt.Sprint("2026-01-01T00:00:0", seed%10, "Z"),
		Space:     store.Space{File: "s.nas", Name: "tiny", Args: map[string]any{"c": 4}, Hash: "h", Size: "15625", Sources: "s"},
		Search:    "it",
		Optimizer: store.Component{Plugin: "nasc/" + plugin, Version: "1", Component: "main", Checksum: "sha256:0123456789abcdef", Parameters: map[string]any{"population": population}, Seed: uint64(seed) + 7, Threads: 1, Deterministic: true},
		Evaluator: store.Component{Plugin: "nasc/table", Version: "1", Component: "table", Checksum: "sha256:fedcba", Parameters: map[string]any{"dataset": "cifar10"},
			Seed: uint64(seed) + 9, Threads: 2, Facts: map[string]string{"sha256": "abc"}, Units: map[string]string{"accuracy": "%"},
			Higher: map[string]bool{"accuracy": true, "loss": false}, Deterministic: true},
		Objectives:   []store.Objective{{Metric: "accuracy", Maximize: true}},
		Requirements: []string{"params <= 1000"}, Analytic: []string{"params"},
		Retrain: &store.Space{File: "s.nas", Name: "large", Args: map[string]any{"c": 16}, Hash: "h2", Size: "15625", Sources: "s"},
		Report: &store.Component{Plugin: "nasc/table", Version: "1", Component: "table", Checksum: "sha256:fedcba", Parameters: map[string]any{"dataset": "cifar100"},
			Seed: uint64(seed) + 11, Threads: 2, Facts: map[string]string{"sha256": "abc"}, Units: map[string]string{"accuracy": "%", "top5": "%"},
			Higher: map[string]bool{"accuracy": true, "top5": true}, Deterministic: true},
		Budget: store.Budget{Unit: "evaluations", Amount: 100}, Seed: uint64(seed), Batch: 1, Workers: 1, Reuse: "genotype",
		Metrics: []string{"accuracy", "params"},
		Machine: store.Machine{OS: "linux", Arch: "amd64", CPU: "some", Cores: 2},
		Sources: []store.SourceFile{{File: "s.nas", SHA256: "x", Text: "space tiny"}},
	}
}

// run is a finished run of a manifest that ended with an accuracy.
func run(t *testing.T, m *store.Manifest, accuracy float64) *Run {
	t.Helper()
	r := &Run{Address: "runs/" + m.Name}
	var err error
	if r.Fields, err = flatten(m); err != nil {
		t.Fatal(err)
	}
	r.describe(m)
	r.Validation = map[string]float64{"accuracy": accuracy}
	r.Test = map[string]float64{"accuracy": accuracy - 1, "loss": 100 - accuracy}
	r.Trials = []Trial{{Value: accuracy - 2, Simulated: 10, Elapsed: 1}, {Value: math.NaN(), Simulated: 10, Elapsed: 2}, {Value: accuracy, Simulated: 10, Elapsed: 3}}
	return r
}

// study is two methods with the same seeds; the second is better by about 1.
func study(t *testing.T, seeds int, change func(*store.Manifest)) []*Run {
	t.Helper()
	var runs []*Run
	random := rand.New(rand.NewPCG(1, 2))
	for s := range seeds {
		for i, plugin := range []string{"evolution", "local"} {
			m := manifest(plugin, 10, s)
			if change != nil {
				change(m)
			}
			runs = append(runs, run(t, m, 90+float64(i)+0.1*random.NormFloat64()))
		}
	}
	return runs
}

func must(t *testing.T, runs []*Run, o Options) *Comparison {
	t.Helper()
	c, diags := Compare(runs, nil, o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

// refused compares runs that must be refused with a code, and returns what is said.
func refused(t *testing.T, code string, runs []*Run, o Options) string {
	t.Helper()
	_, diags := Compare(runs, nil, o)
	if !diags.HasErrors() || diags[0].Code != code {
		t.Fatalf("%v, want %s", diags, code)
	}
	text := diags[0].Message
	for _, n := range diags[0].Notes {
		text += "\n" + n.Text
	}
	return text + "\n" + diags[0].Help
}

func holds(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}

// TestEveryField: a field that manifests have is known to the rules, and one that
// they do not have changes the result.
func TestEveryField(t *testing.T) {
	m := manifest("evolution", 10, 1)
	m.Relaxation = &store.Relaxation{Channels: 1}
	m.Optimizer.Method, m.Evaluator.Method = "ours", "theirs"
	m.Operations = []store.Program{{Plugin: "me/turn", Version: "0.1.0", Checksum: "sha256:1"}}
	fields, err := flatten(m)
	if err != nil {
		t.Fatal(err)
	}
	var all func(path string, of reflect.Type)
	all = func(path string, of reflect.Type) {
		for f := range of.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			name = strings.TrimPrefix(path+"."+name, ".")
			if within(name, "sources") {
				continue
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(fields)), func(p string) bool { return within(p, name) }) && f.Type.Kind() != reflect.Map {
				t.Errorf("the manifest of this test has no %s", name)
			}
			if f.Type.Kind() == reflect.Struct {
				all(name, f.Type)
			}
		}
	}
	all("", reflect.TypeFor[store.Manifest]())
	for p := range fields {
		if _, reason, _ := (circumstances{dependent: true}).judge(p); reason == rules[0].reason {
			t.Errorf("no rule knows %s", p)
		}
		if strings.HasPrefix(p, "sources") {
			t.Errorf("%s is the text of the sources", p)
		}
	}
	for _, p := range []string{"invented", "invented.below", "spaces", "seeds"} {
		if changes, _, _ := (circumstances{}).judge(p); !changes {
			t.Errorf("%s is unknown and held to be harmless", p)
		}
	}
}

// TestConfounders: each field by itself, changed in the runs of one method.
func TestConfounders(t *testing.T) {
	const never, physical, always = 0, 1, 2
	for name, c := range map[string]struct {
		when   int
		change func(*store.Manifest)
	}{
		"nasc":                         {always, func(m *store.Manifest) { m.Nasc = "0.2.0" }},
		"space.hash":                   {always, func(m *store.Manifest) { m.Space.Hash = "other" }},
		"space.args.c":                 {always, func(m *store.Manifest) { m.Space.Args["c"] = 8 }},
		"space.sources":                {always, func(m *store.Manifest) { m.Space.Sources = "other" }},
		"space.file":                   {never, func(m *store.Manifest) { m.Space.File = "../s.nas" }},
		"evaluator.version":            {always, func(m *store.Manifest) { m.Evaluator.Version = "2" }},
		"evaluator.checksum":           {always, func(m *store.Manifest) { m.Evaluator.Checksum = "2" }},
		"evaluator.parameters.dataset": {always, func(m *store.Manifest) { m.Evaluator.Parameters["dataset"] = "cifar10-valid" }},
		"evaluator.facts.sha256":       {always, func(m *store.Manifest) { m.Evaluator.Facts["sha256"] = "other" }},
		"evaluator.threads":            {physical, func(m *store.Manifest) { m.Evaluator.Threads = 1 }},
		"objectives":                   {always, func(m *store.Manifest) { m.Objectives[0].Metric = "loss" }},
		"requirements":                 {always, func(m *store.Manifest) { m.Requirements = nil }},
		"retrain.name":                 {always, func(m *store.Manifest) { m.Retrain.Name = "huge" }},
		"budget.amount":                {always, func(m *store.Manifest) { m.Budget.Amount = 200 }},
		"reuse":                        {always, func(m *store.Manifest) { m.Reuse = "off" }},
		"batch":                        {always, func(m *store.Manifest) { m.Batch = 8 }},
		"workers":                      {physical, func(m *store.Manifest) { m.Workers = 2 }},
		"machine.cpu":                  {physical, func(m *store.Manifest) { m.Machine.CPU = "other" }},
		"search":                       {never, func(m *store.Manifest) { m.Search = "other" }},
	} {
		for _, depends := range []bool{false, true} {
			runs := study(t, 3, func(m *store.Manifest) {
				if m.Evaluator.Deterministic = !depends; m.Optimizer.Plugin == "nasc/local" {
					c.change(m)
				}
			})
			if c.when == always || c.when == physical && depends {
				holds(t, refused(t, NotComparable, runs, Options{By: []string{"optimizer"}}), "they differ in "+name, name+" is ", "3 runs of evolution", "--anyway")
				if got := must(t, runs, Options{By: []string{"optimizer"}, Anyway: true}); got.Stamp != "NOT COMPARABLE: differs in "+name {
					t.Errorf("%s: stamp %q", name, got.Stamp)
				}
				continue
			}
			got := must(t, runs, Options{})
			if i := slices.IndexFunc(got.Differences, func(d Difference) bool { return d.Path == name }); i < 0 || got.Differences[i].Changes || got.Stamp != "" {
				t.Errorf("%s: %+v, stamp %q", name, got.Differences, got.Stamp)
			}
		}
	}
	// A clock that decides makes the machine matter, too.
	runs := study(t, 3, func(m *store.Manifest) {
		if m.Budget = (store.Budget{Unit: "wall", Amount: 60}); m.Optimizer.Plugin == "nasc/local" {
			m.Machine.Cores = 64
		}
	})
	holds(t, refused(t, NotComparable, runs, Options{By: []string{"optimizer"}}), "machine.cores is 2 (3 runs of evolution), 64 (3 runs of local)")
}

func TestBy(t *testing.T) {
	sizes := func(populations ...int) (runs []*Run) {
		for s := range 3 {
			for i, p := range populations {
				m := manifest("evolution", p, s)
				m.Name += fmt.Sprint("-", p)
				runs = append(runs, run(t, m, 90+float64(s)+float64(i)/10))
			}
		}
		return runs
	}
	labels := func(c *Comparison) string {
		var out []string
		for _, g := range c.Groups {
			out = append(out, g.Label)
		}
		return strings.Join(out, " | ")
	}
	for _, c := range []struct {
		by   []string
		want string
	}{
		{nil, "evolution(population: 4) | evolution(population: 16)"},
		{[]string{"optimizer"}, "evolution(population: 4) | evolution(population: 16)"},
		{[]string{"optimizer.parameters.population"}, "4 | 16"},
		{[]string{"population"}, "4 | 16"},
		{[]string{"budget"}, ""},
	} {
		if c.want == "" {
			holds(t, refused(t, NotComparable, sizes(4, 16), Options{By: c.by}), "optimizer.parameters.population is 4 (3 runs), 16 (3 runs)")
			continue
		}
		if got := labels(must(t, sizes(4, 16), Options{By: c.by})); got != c.want {
			t.Errorf("by %v: %s, want %s", c.by, got, c.want)
		}
	}
	holds(t, refused(t, UnknownField, sizes(4, 16), Options{By: []string{"populatoin"}}), "no field \"populatoin\"", "did you mean population?")
	holds(t, refused(t, UnknownField, sizes(4, 16), Options{Across: []string{"args.c"}}), "space.args.c", "retrain.args.c")
	both := append(sizes(4, 16), study(t, 3, func(m *store.Manifest) { m.Budget.Amount = 50 })...)
	holds(t, refused(t, NotSaid, both, Options{}), "differ in budget, optimizer", "--by optimizer", "budget.amount is 50 (6 runs), 100 (6 runs)")
	one := must(t, sizes(4), Options{})
	if labels(one) != "evolution" || len(one.Notes) == 0 || one.Strata[0].Measures[0].Pairs != nil {
		t.Errorf("one group: %s, %v", labels(one), one.Notes)
	}
	holds(t, refused(t, Nothing, nil, Options{}), "no finished run")
}

// TestAcross: data sets are compared each by itself, and ranks over all of them.
func TestAcross(t *testing.T) {
	var runs []*Run
	for _, plugin := range []string{"a", "b", "c"} {
		for s := range 8 {
			for i, dataset := range []string{"cifar10", "cifar100"} {
				m := manifest(plugin, 10, s)
				m.Name += dataset
				m.Evaluator.Parameters["dataset"] = dataset
				runs = append(runs, run(t, m, 90-20*float64(i)+float64(s)/100+float64(plugin[0]-'a')))
			}
		}
	}
	refused(t, NotSaid, runs, Options{})
	refused(t, NotComparable, runs, Options{By: []string{"optimizer"}})
	c := must(t, runs, Options{Across: []string{"dataset"}})
	if len(c.Strata) != 2 || c.Strata[0].Label != "cifar10" || c.Strata[1].Label != "cifar100" || c.Stamp != "" {
		t.Fatalf("%+v", c.Strata)
	}
	if mean := c.Strata[1].Measures[0].Rows[2].Mean; math.Abs(mean-72.035) > 1e-9 {
		t.Errorf("mean %v, want 72.035", mean)
	}
	r := c.Overall[0].Ranks
	if r.Blocks != 16 || !slices.Equal(r.Average, []float64{3, 2, 1}) || r.Cliques != nil {
		t.Errorf("%+v", r)
	}
}

// TestMeasures: paired tests when all groups have the same seeds, others when not.
func TestMeasures(t *testing.T) {
	runs := study(t, 8, nil)
	c := must(t, runs, Options{})
	m := c.Strata[0].Measures
	if len(m) != 3 || m[0].Name() != "validation accuracy" || m[1].Name() != "test accuracy" || m[2].Name() != "test loss" || m[2].Maximize {
		t.Fatalf("%+v", m)
	}
	if !c.Paired || m[0].Test != signedRank || m[0].Pairs[0].P != 2.0/256 || *m[0].Pairs[0].A12 != 0 || *m[2].Pairs[0].A12 != 0 {
		t.Errorf("paired %v: %+v", c.Paired, m[0])
	}
	c = must(t, runs[1:], Options{})
	m = c.Strata[0].Measures
	if c.Paired || m[0].Test != mannWhitney || math.Abs(m[0].Pairs[0].P-2.0/6435) > 1e-12 { // 2 / C(15, 7)
		t.Errorf("paired %v: %+v", c.Paired, m[0])
	}
	holds(t, strings.Join(c.Notes, "\n"), "different numbers of runs: 7 of evolution, 8 of local", "different seeds")
	few := must(t, study(t, 3, nil), Options{})
	holds(t, strings.Join(few.Notes, "\n"), "3 pairs are too few to find a difference at the 5 % level: the smallest p there is for a pair is 0.250")
	// A run that was done twice counts once, unless results depend on the machine.
	again := *runs[0]
	again.Address += "-2"
	c = must(t, append(slices.Clone(runs), &again), Options{})
	if len(c.Left) != 1 || c.Left[0].Run != again.Address || !c.Paired {
		t.Errorf("%+v", c.Left)
	}
	runs[3].Test = nil
	c = must(t, runs, Options{})
	holds(t, strings.Join(c.Notes, "\n"), "test accuracy is left out: 15 of 16 runs have it")
}

// TestEqualGroups: what is the same is not told apart.
func TestEqualGroups(t *testing.T) {
	var runs []*Run
	for s := range 20 {
		for _, plugin := range []string{"a", "b", "c"} {
			runs = append(runs, run(t, manifest(plugin, 10, s), 90+float64(s*s%7)))
		}
	}
	for _, m := range must(t, runs, Options{}).Strata[0].Measures {
		if m.Omnibus.P != 1 || m.Omnibus.Statistic != 0 || len(m.Ranks.Cliques) != 1 || len(m.Ranks.Cliques[0]) != 3 {
			t.Errorf("%s: %+v, %+v", m.Name(), m.Omnibus, m.Ranks)
		}
		for _, p := range m.Pairs {
			if p.P != 1 || p.Adjusted != 1 || *p.A12 != 0.5 || *p.Difference != 0 || *p.Interval != [2]float64{} {
				t.Errorf("%s: %+v", m.Name(), p)
			}
		}
	}
}

// TestOrder: the order in which runs are given changes nothing.
func TestOrder(t *testing.T) {
	runs := study(t, 6, nil)
	all := func() []byte {
		c := must(t, runs, Options{})
		var b bytes.Buffer
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
		for _, err := range []error{c.Write(&b), c.CSV(&b), c.RunsCSV(&b), c.CurvesCSV(&b, c.Curves()), c.Markdown(&b, nil)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	want := all()
	random := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		random.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		if got := all(); !bytes.Equal(got, want) {
			t.Fatalf("%s\nwas\n%s", got, want)
		}
	}
}

func TestCurves(t *testing.T) {
	a, b := run(t, manifest("a", 10, 0), 90), run(t, manifest("a", 10, 1), 80)
	a.Trials = []Trial{{math.NaN(), 5, 1}, {70, 5, 2}, {60, 5, 3}, {90, 5, 4}}
	b.Trials = []Trial{{50, 10, 2}, {80, 10, 1}, {75, 10, 6}}
	curves := must(t, []*Run{a, b}, Options{}).Curves()
	at := map[string]Curve{}
	for _, k := range curves {
		at[k.Axis] = k.Groups[0]
	}
	// a has its first result at evaluation 2, b ends at 3.
	if c := at[Evaluations]; !slices.Equal(c.X, []float64{2, 3}) || !slices.Equal(c.Mean, []float64{75, 75}) {
		t.Errorf("evaluations: %v %v", c.X, c.Mean)
	}
	// The clocks: a has 70 at 10 s and 90 at 20 s, where it ends; b 50 at 10 s, 80 at 20 s.
	c := at[Simulated]
	if n := len(c.X); c.X[0] != 10 || c.X[n-1] != 20 || c.Mean[0] != 60 || c.Mean[n-2] != 60 || c.Mean[n-1] != 85 || c.Lower[0] != 55 || c.Upper[0] != 65 {
		t.Errorf("simulated: %v %v", c.X, c.Mean)
	}
	// Wall time: b had 80 after a second, before the 50; the curve begins with a's 70 at 2 s.
	c = at[Wall]
	if n := len(c.X); c.X[0] != 2 || c.X[n-1] != 4 || c.Mean[0] != 75 || c.Mean[n-1] != 85 {
		t.Errorf("wall: %v %v", c.X, c.Mean)
	}
	b.Trials[1].Simulated, b.Trials[0].Simulated, b.Trials[2].Simulated = 0, 0, 0
	for _, k := range must(t, []*Run{a, b}, Options{}).Curves() {
		if k.Axis == Simulated {
			t.Error("curves on a clock that does not run")
		}
	}
	// Less is better: the incumbent falls.
	m := manifest("a", 10, 0)
	m.Objectives[0].Maximize = false
	d := run(t, m, 90)
	d.Trials = []Trial{{70, 5, 2}, {60, 5, 3}, {90, 5, 4}}
	if c := must(t, []*Run{d}, Options{}).Curves()[0].Groups[0]; !slices.Equal(c.Mean, []float64{70, 60, 60}) {
		t.Errorf("falling: %v", c.Mean)
	}
}

func TestNatural(t *testing.T) {
	want := []string{"a", "a2", "a10", "a10b", "b", "b007", "b07c"}
	got := slices.Sorted(maps.Keys(map[string]bool{"a10": true, "b": true, "a2": true, "a": true, "b07c": true, "a10b": true, "b007": true}))
	slices.SortFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
