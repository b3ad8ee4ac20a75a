package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// Resume makes the session of an existing run from its manifest, whatever has
// become of the files that it was made from.
func Resume(ctx context.Context, plugins Plugins, dir string) (*Session, diag.List) {
	if in, number := store.Split(dir); number > 0 {
		return nil, diag.List{{Code: NotARun, Message: fmt.Sprintf("%s is a run of a study", dir),
			Help: fmt.Sprintf("go on with all of it: `nasc resume %s`", in)}}
	}
	f, err := store.Open(dir)
	if err != nil {
		return nil, Explain(err, dir)
	}
	p, diags := newStock().recall(ctx, plugins, nil, f.Runs[0])
	var s *Session
	if !diags.HasErrors() {
		s, diags = p.resume(ctx, plugins, f.Runs[0])
	}
	if diags.HasErrors() {
		f.Close()
		return nil, diags
	}
	s.open(f.Runs[0])
	return s, nil
}

// recall makes the plan of a run that has begun from its manifest. A module is given
// where it is compiled already.
func (s *stock) recall(ctx context.Context, plugins Plugins, module *compiler.Module, run *store.Run) (*Plan, diag.List) {
	m, err := run.Manifest()
	if err != nil {
		return nil, Explain(err, run.Address())
	}
	p, diags := s.restore(module, m)
	if diags.HasErrors() {
		return nil, diags
	}
	var report *part
	if m.Report != nil {
		report = &part{scope: reportScope, plugin: m.Report.Plugin, name: m.Report.Component}
	}
	if diags = p.start(ctx, plugins.Host,
		part{scope: optimizerScope, plugin: m.Optimizer.Plugin, name: m.Optimizer.Component},
		part{scope: evaluatorScope, plugin: m.Evaluator.Plugin, name: m.Evaluator.Component}, report); diags.HasErrors() {
		return nil, diags
	}
	p.Optimizer.recall(m.Optimizer)
	p.Evaluator.recall(m.Evaluator)
	s.describe(ctx, &p.Evaluator, &diags)
	if p.Report != nil {
		p.Report.recall(*m.Report)
		s.describe(ctx, p.Report, &diags)
	}
	p.compute(ctx, plugins.Host, &diags)
	return p, diags
}

// resume brings the plugins to work for a run that was begun with the same plan.
func (p *Plan) resume(ctx context.Context, plugins Plugins, run *store.Run) (*Session, diag.List) {
	m, err := run.Manifest()
	if err != nil {
		return nil, Explain(err, run.Address())
	}
	session, diags := p.configure(ctx, plugins, run.WorkDir(), false)
	if diags.HasErrors() {
		return nil, diags
	}
	again := session.Manifest
	same(&diags, m.Optimizer, again.Optimizer)
	same(&diags, m.Evaluator, again.Evaluator)
	if m.Report != nil {
		same(&diags, *m.Report, *again.Report)
	}
	for i, p := range m.Operations {
		if i < len(again.Operations) {
			q := again.Operations[i]
			same(&diags, store.Component{Plugin: p.Plugin, Version: p.Version, Checksum: p.Checksum}, store.Component{Version: q.Version, Checksum: q.Checksum})
		}
	}
	if !slices.Equal(m.Metrics, again.Metrics) {
		diags.Add(Changed, diag.Span{}, "%s reports other metrics than when the run was started", m.Evaluator.Plugin)
	}
	if diags.HasErrors() {
		session.release()
		return nil, diags
	}
	session.Manifest, session.Warnings, session.search.Resumed = m, diags, true
	return session, nil
}

// restore compiles the space of a manifest, unless it is compiled already, and takes
// from the manifest what was decided.
func (s *stock) restore(module *compiler.Module, m *store.Manifest) (*Plan, diag.List) {
	if wrong := senseless(m); wrong != "" {
		var diags diag.List
		diags.Add(NotARun, diag.Span{}, "the manifest of the run has been changed: %s", wrong)
		return nil, diags
	}
	var diags diag.List
	if module == nil {
		if module, diags = Reload(m); diags.HasErrors() {
			return nil, diags
		}
	}
	p := &Plan{
		Module: module, Budget: search.Budget(m.Budget), Seed: m.Seed, Objectives: m.Objectives, Reuse: search.Reuse(m.Reuse),
		Workers: m.Workers, Batch: m.Batch, Search: m.Search, file: m.Space.File, read: m.Sources, analytic: m.Analytic, stock: s,
	}
	for _, text := range m.Requirements {
		q, err := compiler.ParseRequirement(text)
		if err != nil {
			diags.Add(NotARun, diag.Span{}, "the manifest of the run has been changed: %q is no requirement", text)
			return nil, diags
		}
		q.Measure(m.Evaluator.Units)
		p.Requirements = append(p.Requirements, q)
	}
	if m.Retrain != nil {
		if p.Retrain, diags = s.space(module, m.Retrain.Name, arguments(m.Retrain.Args)); diags.HasErrors() {
			return nil, diags
		}
	}
	if p.Space, diags = s.space(module, m.Space.Name, arguments(m.Space.Args)); diags.HasErrors() {
		return nil, diags
	}
	if p.Space.described.Hash != m.Space.Hash || m.Retrain != nil && p.Retrain.described.Hash != m.Retrain.Hash {
		diags.Add(Changed, diag.Span{}, "this nasc makes another space of the run's file than nasc %s did", m.Nasc).Help =
			"use the version of nasc that the run was started with"
	} else if module.Hash() != m.Space.Sources {
		diags.Add(Changed, diag.Span{}, "the standard library is not the one of nasc %s, which started the run", m.Nasc).Help =
			"use the version of nasc that the run was started with"
	}
	return p, diags
}

func arguments(args map[string]any) []compiler.Argument {
	var out []compiler.Argument
	for _, name := range slices.Sorted(maps.Keys(args)) {
		out = setArgument(out, name, args[name])
	}
	return out
}

// senseless says what no manifest can hold that nasc has written.
func senseless(m *store.Manifest) string {
	if _, err := search.NewBudget(m.Budget.Unit, m.Budget.Amount); err != nil {
		return err.Error()
	}
	switch search.Reuse(m.Reuse) {
	case search.ReuseGenotype, search.ReuseIsomorphic, search.ReuseOff:
	default:
		return fmt.Sprintf("there is no reuse called %q", m.Reuse)
	}
	for _, name := range m.Analytic {
		if search.Analytic[name] == nil {
			return fmt.Sprintf("nasc computes no %q", name)
		}
	}
	switch {
	case m.Workers < 1 || m.Workers > MaxWorkers:
		return fmt.Sprintf("%d workers", m.Workers)
	case m.Batch < 1 || m.Batch > MaxBatch:
		return fmt.Sprintf("batches of %d", m.Batch)
	case m.Evaluator.Threads < 1:
		return fmt.Sprintf("%d threads", m.Evaluator.Threads)
	case len(m.Objectives) == 0:
		return "it has no objective"
	case m.Optimizer.Seed != stream.Seed(m.Seed, "optimizer", 0), m.Evaluator.Seed != stream.Seed(m.Seed, "evaluator", 0):
		return fmt.Sprintf("its seeds do not follow from seed %d", m.Seed)
	case m.Report != nil && (m.Report.Seed != stream.Seed(m.Seed, reportScope, 0) || m.Report.Threads < 1):
		return fmt.Sprintf("its report does not follow from seed %d", m.Seed)
	}
	return ""
}

func (p *Part) recall(c store.Component) {
	p.Settings, p.Seed, p.Threads = c.Parameters, c.Seed, c.Threads
}

// same compares a component with what the manifest says of it.
func same(diags *diag.List, was, is store.Component) {
	switch {
	case was.Version != is.Version:
		diags.Add(Changed, diag.Span{}, "the run was started with %s %s, this is %s", was.Plugin, was.Version, is.Version)
	case !maps.Equal(was.Facts, is.Facts):
		d := diags.Add(Changed, diag.Span{}, "%s reads other data than when the run was started", was.Plugin)
		for _, name := range slices.Sorted(maps.Keys(was.Facts)) {
			if was.Facts[name] != is.Facts[name] {
				d.Notes = append(d.Notes, diag.Note{Text: fmt.Sprintf("%s was %s, is %s", name, was.Facts[name], is.Facts[name])})
			}
		}
	case was.Checksum != is.Checksum:
		diags.Add(Changed, diag.Span{}, "%s is not the same program as when the run was started", was.Plugin).Severity = diag.Warning
	}
}
