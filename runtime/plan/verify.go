package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
)

// Verify tells what is wrong with the searches of a file, by what plugins say of
// themselves: settings that a component does not have or whose values it refuses, metrics
// that nobody reports, an optimizer and an evaluator that do not fit. What the command
// line may still add is not missed. Of a plugin that h does not know a warning says that
// its settings were not checked. h may be a host that starts nothing.
func Verify(ctx context.Context, h *host.Host, m *compiler.Module, file string) diag.List {
	all, diags := m.Searches()
	if diags.HasErrors() {
		return nil // they were told when the file was checked
	}
	v := &verifier{module: m, host: h, stock: newStock(), options: Options{File: file}}
	v.operations(ctx)
	for _, b := range all {
		g, diags := b.Grid(nil)
		if diags.HasErrors() {
			continue
		}
		for _, n := range g.Cover(isSeed) {
			if point, diags := g.At(n); !diags.HasErrors() {
				v.search(ctx, point.Search)
			}
		}
	}
	v.diags.Sort()
	return v.diags
}

// verifier goes through searches. Points of one sweep have most mistakes in common, which
// are told once.
type verifier struct {
	module  *compiler.Module
	host    *host.Host
	stock   *stock
	options Options
	diags   diag.List
}

// operations checks that the plugins whose operations are made use of are there in the
// versions that are wanted. What they offer is known without them.
func (v *verifier) operations(ctx context.Context) {
	for _, o := range v.module.Operations() {
		p, err := v.stock.claim(o.Plugin).start(ctx, v.host, o.Plugin)
		if err != nil {
			continue
		}
		if d := packages.Wanted(p.Description(), o.Version); d != nil {
			v.add(placed(diag.List{d}, o.Span))
		}
	}
}

// search checks a search of which nothing is swept any more.
func (v *verifier) search(ctx context.Context, b *compiler.Search) {
	var diags diag.List
	defer func() { v.add(diags) }()
	p := &Plan{Module: v.module, file: v.options.File, Workers: 1, stock: v.stock}
	p.decide(b, v.options, &diags)
	c := chooser{v.module, b, v.host.Names(), &diags}
	find := func(scope string, says *compiler.Component) (Part, part) {
		if says == nil {
			return Part{}, part{}
		}
		chosen := c.choose(scope, "")
		var wrong diag.List
		found := start(ctx, v.host, v.stock.claim(chosen.plugin), chosen, &wrong)
		if found.Plugin != nil {
			found.settle(chosen, nil, v.options, &wrong)
		} else if !strings.HasPrefix(chosen.plugin, "nasc/") {
			wrong = unchecked(wrong)
		}
		diags = append(diags, wrong...)
		return found, chosen
	}
	p.Optimizer, _ = find(optimizerScope, b.Optimizer)
	var evaluator part
	p.Evaluator, evaluator = find(evaluatorScope, b.Evaluator)
	report, reporting := find(reportScope, b.Report)
	if report.Plugin != nil {
		p.Report = &report
		p.reports(reporting, &diags)
	}
	if p.Optimizer.Plugin != nil && p.oneShot() {
		if p.Evaluator.Plugin != nil && b.Budget != nil {
			p.paired(b, v.options, evaluator, &diags)
		}
		if s, more := v.stock.space(v.module, b.Space, b.Args); !more.HasErrors() {
			p.Space = s
			var wrong diag.List
			p.relaxable(&wrong)
			diags = append(diags, wrong...)
		}
	}
	if p.Evaluator.Plugin != nil {
		p.measures(b, evaluator, &diags)
	}
}

// unchecked makes warnings of why nothing is known of a plugin of somebody else: that is no
// mistake of the file.
func unchecked(diags diag.List) diag.List {
	var out diag.List
	for _, d := range diags {
		if slices.Contains([]string{host.UnknownPlugin, packages.NotLocked, packages.NotThere, packages.NotDescribed}, d.Code) {
			known := *d
			known.Severity = diag.Warning
			known.Notes = append(slices.Clone(d.Notes), diag.Note{Text: "its settings are not checked"})
			d = &known
		}
		out = append(out, d)
	}
	return out
}

// add keeps diagnostics that are new, and drops what the command line may put right.
func (v *verifier) add(diags diag.List) {
	for _, d := range diags {
		known := func(w *diag.Diagnostic) bool { return w.Code == d.Code && w.Span == d.Span && w.Message == d.Message }
		if d.Code != NothingChosen && d.Code != host.MissingParameter && !slices.ContainsFunc(v.diags, known) {
			v.diags = append(v.diags, d)
		}
	}
}

// settled reports whether it is known what a part reports, which may depend on its
// settings.
func (p *Part) settled() bool { return !p.Component.Varies || p.Plugin.Starts() }
