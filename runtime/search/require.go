package search

import (
	"maps"

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
func (l *ledger) analyse(t *store.Trial, g *graph.Graph) {
	if len(l.Analytic) == 0 {
		return
	}
	all := map[string]float64{}
	maps.Copy(all, t.Metrics)
	for _, name := range l.Analytic {
		all[name] = Analytic[name](g)
	}
	t.Metrics = all
}

// require marks a trial that violates a requirement. Its metrics stay.
func (l *ledger) require(t *store.Trial) error {
	for _, r := range l.Require {
		violation, err := r.Violated(t.Metrics)
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
