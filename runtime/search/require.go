package search

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/runtime/store"
)

// Analytic are the metrics that need no evaluator: they follow from the part of
// the architecture that reaches the output.
var Analytic = map[string]func(*graph.Graph) float64{
	"params": func(g *graph.Graph) float64 { return float64(g.Live().Params()) },
	"macs":   func(g *graph.Graph) float64 { return float64(g.Live().MACs()) },
	"depth":  func(g *graph.Graph) float64 { return float64(g.Depth()) },
}

// analyse adds the analytic metrics that the search asks for.
func (l *ledger) analyse(p *proposal) error {
	if len(l.Analytic) == 0 {
		return nil
	}
	m := &p.trial.Metrics
	m.Values = slices.Clip(m.Values)
	for _, name := range l.Analytic {
		v, err := l.Catalogue.computed(p.known, name)
		if err != nil {
			return err
		}
		m.Values = append(m.Values, v)
	}
	return nil
}

// require marks a trial that violates a requirement. Its metrics stay.
func (l *ledger) require(t *store.Trial) error {
	if len(l.Require) == 0 {
		return nil
	}
	return mark(t, l.Require, t.Metrics.Map())
}

// mark marks a trial whose metrics violate a requirement.
func mark(t *store.Trial, requirements []Requirement, metrics map[string]float64) error {
	for _, r := range requirements {
		violation, err := r.Violated(metrics)
		if err != nil {
			return err
		}
		if violation != "" {
			t.Status, t.Failure = store.Infeasible, violation
			return nil
		}
	}
	return nil
}
