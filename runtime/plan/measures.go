package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// measures takes the block's objectives, or else the evaluator's first metric,
// and the block's requirements. Both may name what the evaluator reports and what
// nasc computes itself.
func (p *Plan) measures(b *compiler.Search, evaluator part, diags *diag.List) {
	metrics := p.Evaluator.Component.Metrics
	if len(metrics) == 0 {
		if !diags.HasErrors() {
			d := diags.Add(UnknownMetric, evaluator.span, "%s has no validation results with these settings, which a search needs", p.Evaluator.Title())
			d.Help = "`nasc eval --test` shows what it tests"
		}
		return
	}
	var reported []string
	for _, m := range metrics {
		reported = append(reported, m.Name)
	}
	computed := slices.Sorted(maps.Keys(search.Analytic))
	find := func(name string, at diag.Span) *diag.Diagnostic {
		if slices.Contains(reported, name) {
			return nil
		}
		if slices.Contains(computed, name) {
			if !slices.Contains(p.analytic, name) {
				p.analytic = append(p.analytic, name)
			}
			return nil
		}
		if !p.Evaluator.settled() {
			return nil
		}
		d := diags.Add(UnknownMetric, at, "%s reports no metric `%s`", p.Evaluator.Title(), name)
		d.Help = "it reports " + strings.Join(reported, ", ") + "; nasc computes " + strings.Join(computed, ", ")
		if near, ok := diag.Suggest(name, slices.Concat(reported, computed)); ok {
			d.Help = "did you mean `" + near + "`?"
		}
		return d
	}
	if b != nil {
		for _, o := range b.Objectives {
			d := find(o.Metric, o.Span)
			if d == nil {
				p.Objectives = append(p.Objectives, store.Objective{Metric: o.Metric, Maximize: o.Maximize})
			} else if evaluator.flagged { // the block was written for another evaluator
				d.Severity = diag.Warning
			}
		}
		for _, q := range b.Requirements {
			names, at := q.Metrics()
			for i, name := range names {
				find(name, at[i])
			}
			if p.Evaluator.settled() {
				*diags = append(*diags, q.Measure(units(p.Evaluator.Component))...)
			}
			p.Requirements = append(p.Requirements, q)
		}
	}
	if len(p.Objectives) == 0 {
		p.Objectives = []store.Objective{{Metric: metrics[0].Name, Maximize: metrics[0].HigherIsBetter}}
	}
	slices.Sort(p.analytic)
}

// units are those of what an evaluator reports.
func units(c wire.Component) map[string]string {
	out := map[string]string{}
	for _, m := range slices.Concat(c.TestMetrics, c.Metrics) {
		if m.Unit != "" {
			out[m.Name] = m.Unit
		}
	}
	return out
}

// higher tells of what an evaluator reports whether more is better.
func higher(c wire.Component) map[string]bool {
	out := map[string]bool{}
	for _, m := range slices.Concat(c.TestMetrics, c.Metrics) {
		out[m.Name] = m.HigherIsBetter
	}
	return out
}

// retrain is the space in which the winner is tested; nil: that of the search.
func (o Options) retrain(b *compiler.Search) *compiler.Target {
	switch {
	case o.Retrain == nothing:
		return nil
	case o.Retrain != "":
		return &compiler.Target{Space: o.Retrain}
	case b != nil:
		return b.Retrain
	}
	return nil
}

// again compiles the space in which the winner is tested.
func (p *Plan) again(target *compiler.Target, set []Setting, diags *diag.List) {
	if target == nil {
		return
	}
	args := target.Args
	for _, s := range set {
		if s.Scope == retrainScope {
			args = setArgument(args, s.Name, literal(s.Text))
		}
	}
	to, more := p.stock.space(p.Module, target.Space, args)
	if *diags = append(*diags, more...); more.HasErrors() {
		return
	}
	if p.Retrain = to; p.Space.Lacks(to.Space) != "" {
		diags.Add("E0557", target.Span, "%s cannot hold what is found in %s: %s", to.Name, p.Space.Name, p.Space.Lacks(to.Space))
	}
}
