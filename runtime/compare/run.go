package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/nasc-project/nasc/runtime/store"
)

// Run is a finished run as far as a comparison needs it.
type Run struct {
	Address    string
	Fields     Fields // its manifest
	Seed       uint64
	Objectives []store.Objective
	Metrics    map[string]Metric
	Tested     map[string]Metric  // on the test split, where what reports has its own
	Trials     []Trial            // in the order of their numbers
	Validation map[string]float64 // of the winner
	Test       map[string]float64 // of the winner; nil when it was not tested

	manifest *store.Manifest
	stages   bool // trials are stages of a one-shot search, of which the last is the winner
}

// Metric says how to read a number.
type Metric struct {
	Unit     string
	Maximize bool
}

// Trial is what one evaluation adds to an anytime curve.
type Trial struct {
	// Value is that of the first objective, NaN when the trial can be no winner.
	Value     float64
	Simulated float64 // seconds that it took
	Elapsed   float64 // wall seconds of the run until it was finished
}

// Left is a run that is not compared.
type Left struct {
	Run string `json:"run"`
	Why string `json:"why"`
}

// newRun takes what a comparison needs from a finished run.
func newRun(result *store.Result) (*Run, error) {
	m := result.Manifest
	fields, err := flatten(m)
	if err != nil {
		return nil, err
	}
	r := &Run{Address: result.Address, Fields: fields, Validation: result.Winner.Metrics.Map(), Test: result.Test}
	r.describe(m)
	for t, err := range result.Trials() {
		if err != nil {
			return nil, err
		}
		v := math.NaN()
		if t.Status == store.OK {
			v = t.Metrics.Get(m.Objectives[0].Metric)
		}
		r.Trials = append(r.Trials, Trial{v, t.Simulated, t.Elapsed})
	}
	return r, nil
}

// describe takes from a manifest what says how to read the results.
func (r *Run) describe(m *store.Manifest) {
	r.stages = m.OneShot()
	r.manifest, r.Seed, r.Objectives, r.Metrics = m, m.Seed, m.Objectives, map[string]Metric{}
	for name, higher := range m.Evaluator.Higher {
		r.Metrics[name] = Metric{m.Evaluator.Units[name], higher}
	}
	if m.Report != nil {
		r.Tested = map[string]Metric{}
		for name, higher := range m.Report.Higher {
			r.Tested[name] = Metric{m.Report.Units[name], higher}
		}
	}
	for _, o := range m.Objectives {
		r.Metrics[o.Metric] = Metric{m.Evaluator.Units[o.Metric], o.Maximize}
	}
}

// metric is how to read a metric of a split; what no manifest tells of is as good as
// the first objective.
func (r *Run) metric(split, name string) Metric {
	if m, ok := r.Tested[name]; ok && split == "test" {
		return m
	}
	if m, ok := r.Metrics[name]; ok {
		return m
	}
	return Metric{Maximize: r.Objectives[0].Maximize}
}

func sortRuns(runs []*Run) {
	slices.SortFunc(runs, func(a, b *Run) int {
		return cmp.Or(natural(a.Address, b.Address), cmp.Compare(a.Address, b.Address))
	})
}
