package plan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// oneShot reports whether the search is that of a supernet.
func (p *Plan) oneShot() bool { return p.Optimizer.Component.OneShot }

// maxEpochs bounds the budget of a one-shot search.
const maxEpochs = 1_000_000

// paired demands of a search what a one-shot optimizer needs: an evaluator that trains
// supernets, a budget of epochs, and nothing that is for many architectures at once.
func (p *Plan) paired(b *compiler.Search, o Options, evaluator part, diags *diag.List) {
	name := p.Optimizer.Title()
	if !p.Evaluator.Component.Supernets {
		d := diags.Add(NoSupernets, evaluator.span, "%s searches a supernet, and the evaluator %s trains none", name,
			p.Evaluator.Title())
		d.Help = "`nasc plugin list` tells which evaluators train supernets; a search that only reports by this one says so with `--report`"
	}
	at := diag.Span{}
	if o.Budget == nil && b != nil && b.Budget != nil {
		at = b.Budget.Span
	}
	switch n := p.Budget.Amount; {
	case p.Budget.Unit != search.Epochs:
		diags.Add("E0553", at, "%s trains a supernet, which is counted in epochs, not %s", name, p.Budget).Help =
			"write `--budget 50epochs`, or epochs(50) in the search block"
	case n != math.Trunc(n) || n > maxEpochs:
		diags.Add("E0553", at, "%v is not a number of epochs for %s: it takes whole ones, at most %d", n, name, maxEpochs)
	}
	if o.Workers > 1 || o.Batch > 1 {
		diags.Add(NoSupernets, diag.Span{}, "%s has one supernet, which one worker trains: --workers and --batch are for searches that evaluate architectures", name).Help =
			"leave them out; the evaluator uses all processors"
	}
}

// relaxable reports what the optimizer cannot relax, decision by decision.
func (p *Plan) relaxable(diags *diag.List) {
	if diags.HasErrors() {
		return
	}
	_, more := p.Space.Relax(lower.Relaxation{})
	if *diags = append(*diags, more...); more.HasErrors() {
		return
	}
	kinds := p.Optimizer.Component.DecisionKinds
	if len(kinds) == 0 {
		return
	}
	for _, d := range p.Space.Space.Space.Decisions {
		if !slices.Contains(kinds, d.Kind) {
			e := diags.Add("E0540", diag.Span{Start: d.Pos}, "`%s` cannot be relaxed: %s relaxes no %s decision", d.Address, p.Optimizer.Title(), d.Kind)
			e.Source = p.Optimizer.Plugin.Source()
			e.Help = "another relaxation may; a black-box optimizer searches the space as it is"
		}
	}
}

// reports demands that what reports tests something.
func (p *Plan) reports(report part, diags *diag.List) {
	if !diags.HasErrors() && p.Report.settled() && len(p.Report.Component.TestMetrics) == 0 {
		diags.Add(UnknownMetric, report.span, "%s tests nothing with these settings, so it cannot report", p.Report.Title()).Help =
			"`nasc plugin info` tells what an evaluator tests"
	}
}

// relaxed configures the one-shot optimizer and relaxes the space as it wants. The
// optimizer has to be closed unless there are errors.
func (p *Plan) relaxed(ctx context.Context) (*host.OneShot, *lower.Supernet, diag.List) {
	// The optimizer learns of mixtures what the evaluator measures. What nasc computes
	// of architectures, it can ask for with a check.
	measured := p.measured()
	var objectives []wire.Objective
	for _, o := range p.Objectives {
		if slices.Contains(measured, o.Metric) {
			objectives = append(objectives, wire.Objective(o))
		}
	}
	if objectives == nil {
		first := p.Evaluator.Component.Metrics[0]
		objectives = []wire.Objective{{Metric: first.Name, Maximize: first.HigherIsBetter}}
	}
	one, err := p.Optimizer.Plugin.OneShot(ctx, host.OptimizerConfig{Component: p.Optimizer.Component.Name,
		Settings: p.Optimizer.Settings, Seed: p.Optimizer.Seed, Space: p.Space.Space.Space, Objectives: objectives, Metrics: measured})
	if err != nil {
		return nil, nil, p.Optimizer.place(Explain(err, ""))
	}
	net, diags := p.Space.Relax(one.Relaxation())
	if diags.HasErrors() {
		_ = one.Close()
	}
	return one, net, diags
}

// oneShot brings the two sides of a one-shot search to work. Of one that is fresh, it
// opens the supernet and hears what the optimizer has against it.
func (s *Session) oneShot(ctx context.Context, trainer *host.Evaluator, work string, fresh bool) (*store.Relaxation, diag.List) {
	p := s.plan
	one, net, diags := p.relaxed(ctx)
	if diags.HasErrors() {
		return nil, diags
	}
	s.closers = append(s.closers, func() { _ = one.Close() })
	s.search.OneShot = &search.OneShot{Optimizer: one, Trainer: trainer, Net: net, Work: work,
		Relax: func(r lower.Relaxation) (*lower.Supernet, error) {
			net, diags := p.Space.Relax(r)
			return net, diags.Err()
		}}
	for _, q := range p.Requirements {
		names, _ := q.Metrics()
		if !slices.ContainsFunc(names, func(name string) bool { return search.Analytic[name] == nil }) {
			s.search.OneShot.Require = append(s.search.OneShot.Require, q)
		}
	}
	if fresh {
		if err := s.search.OneShot.Try(ctx, int(p.Budget.Amount), p.Seed); err != nil {
			diags := Explain(err, "")
			for _, d := range diags {
				if d.Source == p.Optimizer.Plugin.Source() {
					p.Optimizer.place(diag.List{d})
				} else {
					p.Evaluator.place(diag.List{d})
				}
			}
			return nil, p.refused(diags)
		}
	}
	r := store.Relaxation(one.Relaxation())
	return &r, nil
}

// refused puts what an optimizer has against decisions where they are written.
func (p *Plan) refused(diags diag.List) diag.List {
	for _, e := range diags {
		address, about := strings.CutPrefix(e.Path, "decisions.")
		if !about {
			continue
		}
		e.Code, e.Message = "E0540", fmt.Sprintf("`%s` cannot be relaxed: %s", address, e.Message)
		for _, d := range p.Space.Space.Space.Decisions {
			if d.Address == address {
				e.Span = diag.Span{Start: d.Pos}
				break
			}
		}
	}
	return diags
}
