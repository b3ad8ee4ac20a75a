package compare

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/runtime/store"
)

// TestReports: what tests winners in the place of the evaluator is a confounder, how a
// method has the space relaxed is none, and tests are read as the report says.
func TestReports(t *testing.T) {
	var runs []*Run
	for i, plugin := range []string{"one", "two"} {
		for seed := range 4 {
			m := manifest(plugin, 1, seed)
			m.Relaxation = &store.Relaxation{Channels: 1 + i}
			r := run(t, m, 90)
			r.describe(m)
			r.Test = map[string]float64{"accuracy": 80 + float64(i+seed), "top5": 95, "loss": 1}
			runs = append(runs, r)
		}
	}
	c := must(t, runs, Options{})
	if fmt.Sprint(c.By) != "[optimizer]" || c.Stamp != "" {
		t.Errorf("by %v, %q", c.By, c.Stamp)
	}
	if len(c.Groups) != 2 || c.Groups[0].Label != "one" {
		t.Errorf("groups %+v", c.Groups)
	}
	for _, m := range c.Strata[0].Measures {
		if m.Split == "test" && m.Metric == "top5" && (m.Unit != "%" || !m.Maximize) {
			t.Errorf("test top5 is %+v", m)
		}
	}
	m := manifest("two", 1, 9)
	m.Report.Parameters["dataset"] = "cifar10"
	with := run(t, m, 90)
	if _, diags := Compare(append(slices.Clone(runs), with), nil, Options{By: []string{"optimizer"}}); !diags.HasErrors() || diags[0].Code != NotComparable {
		t.Errorf("another report: %v", diags)
	}
	m = manifest("two", 1, 9)
	m.Report = nil
	if _, diags := Compare(append(slices.Clone(runs), run(t, m, 90)), nil, Options{By: []string{"optimizer"}}); !diags.HasErrors() {
		t.Error("no report is another report")
	}
}

// TestStageCurve: the incumbent of a one-shot search is what the last stage has, good or
// bad, and that of other searches the best.
func TestStageCurve(t *testing.T) {
	r := &Run{Trials: []Trial{{Value: 3}, {Value: 5}, {Value: 4}}}
	if steps, _ := incumbents(r, Evaluations, true); fmt.Sprint(steps) != "[{1 3} {2 5}]" {
		t.Errorf("the best of trials: %v", steps)
	}
	m := manifest("one", 1, 1)
	m.Relaxation = &store.Relaxation{Channels: 1}
	r.describe(m)
	if steps, _ := incumbents(r, Evaluations, true); fmt.Sprint(steps) != "[{1 3} {2 5} {3 4}]" {
		t.Errorf("stages: %v", steps)
	}
	m.Relaxation = nil
	r.describe(m)
	if steps, _ := incumbents(r, Evaluations, true); len(steps) != 2 {
		t.Errorf("trials: %v", steps)
	}
}

// TestMethodNames: groups are called by the names of methods where those set them apart,
// and are not set apart by them.
func TestMethodNames(t *testing.T) {
	one := func(method string, population, seed int) *Run {
		m := manifest("one", population, seed)
		m.Optimizer.Method = method
		return run(t, m, 90)
	}
	labels := func(runs ...*Run) (out []string) {
		for _, g := range must(t, runs, Options{By: []string{"optimizer"}}).Groups {
			out = append(out, g.Label)
		}
		return out
	}
	if got := labels(one("darts", 1, 0), one("darts", 1, 1), one("gdas", 2, 0), one("gdas", 2, 1), one("", 3, 0)); fmt.Sprint(got) != "[darts gdas one(population: 3)]" {
		t.Errorf("groups are called %q", got)
	}
	if got := labels(one("darts", 1, 0), one("darts", 2, 0)); fmt.Sprint(got) != "[one(population: 1) one(population: 2)]" {
		t.Errorf("one name for two methods: %q", got)
	}
	if got := labels(one("darts", 1, 0), one("ours", 1, 1)); len(got) != 1 {
		t.Errorf("two names for one method: %q", got)
	}
}
