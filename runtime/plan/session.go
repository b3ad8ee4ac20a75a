package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// Plugins are the plugins that can be used, and the host that runs them.
type Plugins struct {
	Host     *host.Host
	Commands map[string]host.Command
}

// Session is a run that is ready to search: its plugins are at work and its
// folder is open.
type Session struct {
	Run      *store.Run
	Warnings diag.List
	search   *search.Search
	plan     *Plan
	resumed  bool
}

// Start configures the plugins and makes the run folder: dir, or with an empty
// dir a free name below runs. Nothing is written before everything is checked.
func (p *Plan) Start(ctx context.Context, plugins Plugins, runs, dir string) (*Session, diag.List) {
	s, m, diags := p.configure(ctx, plugins)
	if diags.HasErrors() {
		return nil, diags
	}
	for {
		at := dir
		if dir == "" {
			at = filepath.Join(runs, store.Name(runs, p.Name()))
		}
		m.Name = filepath.Base(at)
		m.Started = now()
		run, err := store.Create(at, m)
		if errors.Is(err, store.ErrExists) && dir == "" {
			continue // somebody was faster
		}
		if err != nil {
			return nil, Explain(err, at)
		}
		s.Run, s.search.Log = run, run
		return s, nil
	}
}

// configure brings the plugins to work and describes the run that results.
func (p *Plan) configure(ctx context.Context, plugins Plugins) (*Session, *store.Manifest, diag.List) {
	var evaluators []search.Evaluator
	var facts map[string]string
	for i := range p.Workers {
		plugin := p.Evaluator.Plugin
		if i > 0 {
			var err error
			if plugin, err = plugins.Host.Start(ctx, plugin.Description().Name); err != nil {
				return nil, nil, Explain(err, "")
			}
		}
		e, err := plugin.Evaluator(ctx, host.EvaluatorConfig{Component: p.Evaluator.Component.Name,
			Settings: p.Evaluator.Settings, Seed: p.Evaluator.Seed, Threads: p.Evaluator.Threads})
		if err != nil {
			return nil, nil, p.Evaluator.place(Explain(err, ""))
		}
		evaluators = append(evaluators, e)
		facts = e.Facts()
	}
	objectives := make([]wire.Objective, len(p.Objectives))
	for i, o := range p.Objectives {
		objectives[i] = wire.Objective(o)
	}
	optimizer, err := p.Optimizer.Plugin.Optimizer(ctx, host.OptimizerConfig{Component: p.Optimizer.Component.Name,
		Settings: p.Optimizer.Settings, Seed: p.Optimizer.Seed, Space: p.Space.Space, Objectives: objectives,
		Metrics: p.metrics()})
	if err != nil {
		return nil, nil, p.Optimizer.place(Explain(err, ""))
	}
	m, err := p.manifest(plugins, facts)
	if err != nil {
		return nil, nil, Explain(err, "")
	}
	s := &search.Search{
		Space: p.Space, Optimizer: optimizer, Evaluators: evaluators, Seed: p.Seed, Budget: p.Budget,
		Objectives: p.Objectives, Metrics: p.metrics(), Analytic: p.analytic, Reuse: p.Reuse, Ends: p.Optimizer.Component.Ends,
	}
	for _, q := range p.Requirements {
		s.Require = append(s.Require, q)
	}
	if p.Space.Constrained() {
		s.Admits = p.Space.Admits
	}
	if p.Retrain != nil {
		s.Retrain = p.carry
	}
	return &Session{plan: p, search: s}, m, nil
}

// metrics are the names of what a trial reports: what the evaluator measures, then
// what nasc computes.
func (p *Plan) metrics() []string {
	var out []string
	for _, m := range p.Evaluator.Component.Metrics {
		out = append(out, m.Name)
	}
	for _, name := range p.analytic {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// carry builds the network in which a winner is tested.
func (p *Plan) carry(g space.Genotype) (*graph.Graph, error) {
	h, err := p.Space.Carry(g, p.Retrain)
	if err != nil {
		return nil, err
	}
	return p.Retrain.Bind(h)
}

func (p *Plan) manifest(plugins Plugins, facts map[string]string) (*store.Manifest, error) {
	optimizer, err := p.Optimizer.manifest(plugins)
	if err != nil {
		return nil, err
	}
	evaluator, err := p.Evaluator.manifest(plugins)
	if err != nil {
		return nil, err
	}
	evaluator.Facts = facts
	evaluator.Units, evaluator.Higher = units(p.Evaluator.Component), higher(p.Evaluator.Component)
	m := &store.Manifest{
		Nasc: Version(), Space: p.described(p.Space, p.args),
		Search: p.Search, Optimizer: optimizer, Evaluator: evaluator, Objectives: p.Objectives, Analytic: p.analytic,
		Budget: store.Budget(p.Budget), Seed: p.Seed, Workers: p.Workers, Reuse: string(p.Reuse),
		Machine: thisMachine(), Sources: p.read,
	}
	for _, q := range p.Requirements {
		m.Requirements = append(m.Requirements, q.Text)
	}
	if p.Retrain != nil {
		r := p.described(p.Retrain, p.retrain)
		m.Retrain = &r
	}
	return m, nil
}

// described is a space as manifests keep it.
func (p *Plan) described(s *compiler.Space, args []compiler.Argument) store.Space {
	out := store.Space{File: p.file, Name: s.Name, Args: map[string]any{}, Hash: s.Digest(), Size: s.Size().String(),
		Sources: p.Module.Hash()}
	for _, a := range args {
		out.Args[a.Name] = a.Value
	}
	return out
}

func (p *Part) manifest(plugins Plugins) (store.Component, error) {
	d := p.Plugin.Description()
	sum, err := checksum(plugins.Commands[d.Name])
	return store.Component{Plugin: d.Name, Version: d.Version, Component: p.Component.Name, Checksum: sum,
		Parameters: p.Settings, Seed: p.Seed, Threads: p.Threads, Deterministic: p.Component.Deterministic}, err
}

// Resume makes the session of an existing run from its manifest, whatever has
// become of the files that it was made from.
func Resume(ctx context.Context, plugins Plugins, dir string) (*Session, diag.List) {
	run, err := store.Open(dir)
	if err != nil {
		return nil, Explain(err, dir)
	}
	s, diags := resume(ctx, plugins, run)
	if diags.HasErrors() {
		run.Close()
		return nil, diags
	}
	return s, nil
}

func resume(ctx context.Context, plugins Plugins, run *store.Run) (*Session, diag.List) {
	m := run.Manifest
	p, diags := restore(m)
	if diags.HasErrors() {
		return nil, diags
	}
	if diags = p.start(ctx, plugins.Host,
		part{kind: wire.OptimizerKind, plugin: m.Optimizer.Plugin, name: m.Optimizer.Component},
		part{kind: wire.EvaluatorKind, plugin: m.Evaluator.Plugin, name: m.Evaluator.Component}); diags.HasErrors() {
		return nil, diags
	}
	p.Optimizer.recall(m.Optimizer)
	p.Evaluator.recall(m.Evaluator)
	if p.Evaluator.describe(ctx, &diags); diags.HasErrors() {
		return nil, diags
	}
	s, again, diags := p.configure(ctx, plugins)
	if diags.HasErrors() {
		return nil, diags
	}
	same(&diags, m.Optimizer, again.Optimizer)
	same(&diags, m.Evaluator, again.Evaluator)
	if diags.HasErrors() {
		return nil, diags
	}
	s.Run, s.search.Log, s.resumed, s.Warnings = run, run, true, diags
	return s, nil
}

// restore compiles the space of a manifest and takes from it what was decided.
func restore(m *store.Manifest) (*Plan, diag.List) {
	if wrong := senseless(m); wrong != "" {
		var diags diag.List
		diags.Add(NotARun, diag.Span{}, "the manifest of the run has been changed: %s", wrong)
		return nil, diags
	}
	module, diags := Reload(m)
	if diags.HasErrors() {
		return nil, diags
	}
	p := &Plan{
		Module: module, Budget: search.Budget(m.Budget), Seed: m.Seed, Objectives: m.Objectives, Reuse: search.Reuse(m.Reuse),
		Workers: m.Workers, Search: m.Search, file: m.Space.File, space: m.Space.Name, read: m.Sources,
		args: arguments(m.Space.Args), analytic: m.Analytic,
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
		p.retrain = arguments(m.Retrain.Args)
		if p.Retrain, diags = module.Space(m.Retrain.Name, p.retrain); diags.HasErrors() {
			return nil, diags
		}
	}
	if p.Space, diags = module.Space(p.space, p.args); diags.HasErrors() {
		return nil, diags
	}
	if p.Space.Digest() != m.Space.Hash || m.Retrain != nil && p.Retrain.Digest() != m.Retrain.Hash {
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
	case m.Evaluator.Threads < 1:
		return fmt.Sprintf("%d threads", m.Evaluator.Threads)
	case len(m.Objectives) == 0:
		return "it has no objective"
	case m.Optimizer.Seed != stream.Seed(m.Seed, "optimizer", 0), m.Evaluator.Seed != stream.Seed(m.Seed, "evaluator", 0):
		return fmt.Sprintf("its seeds do not follow from seed %d", m.Seed)
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

// Close ends the session; the run can be resumed.
func (s *Session) Close() error { return s.Run.Close() }

// Resumed reports whether the run was there before.
func (s *Session) Resumed() bool { return s.resumed }

// Logged is how many trials the log holds.
func (s *Session) Logged() (int, error) {
	trials, err := s.Run.Trials()
	return len(trials), err
}

// Search runs the search to its end and puts the winner into the run folder.
func (s *Session) Search(ctx context.Context, o search.Observer) (*report.Winner, diag.List) {
	s.search.Observer = o
	kind := store.EventStarted
	if s.resumed {
		kind = store.EventResumed
	}
	if err := s.event(kind, ""); err != nil {
		return nil, Explain(err, s.Run.Dir)
	}
	out, err := s.search.Run(ctx)
	if err != nil {
		kind := store.EventStopped
		if ctx.Err() != nil {
			kind = store.EventInterrupted
		}
		_ = s.event(kind, err.Error()) // the search's own error says more
		return nil, Explain(err, s.Run.Dir)
	}
	w := &report.Winner{
		Run: s.Run.Manifest, Dir: s.Run.Dir, Trials: out.Trials, Failed: out.Failed, Infeasible: out.Infeasible,
		Reused: out.Reused, Best: out.Best, Graph: out.Graph, Retrained: out.Retrained, Test: out.Test, TestNote: out.TestNote,
		Source: export.Source(out.Graph, fmt.Sprintf("The best architecture of %s.", s.Run.Manifest.Name), s.Run.Dir),
	}
	if err := s.keep(w); err != nil {
		return nil, Explain(err, s.Run.Dir)
	}
	return w, nil
}

// keep writes the winner's files and ends the run.
func (s *Session) keep(w *report.Winner) error {
	var text bytes.Buffer
	if err := w.Write(&text); err != nil {
		return err
	}
	if err := s.Run.WriteFile(store.BestFile, text.Bytes()); err != nil {
		return err
	}
	drawing, err := export.Draw(w.Graph, export.Options{Format: export.SVG, Title: w.Run.Name})
	if err != nil {
		return err
	}
	if err := s.Run.WriteFile(store.DrawingFile, drawing); err != nil {
		return err
	}
	if w.Retrained != nil {
		source := export.Source(w.Retrained, fmt.Sprintf("The best architecture of %s, as it is trained again.", w.Run.Name), s.Run.Dir)
		if err := s.Run.WriteFile(store.RetrainedFile, []byte(source)); err != nil {
			return err
		}
	}
	if done, err := s.Run.Finished(); done || err != nil {
		return err
	}
	return s.event(store.EventFinished, "")
}

func (s *Session) event(kind, text string) error {
	return s.Run.AddEvent(store.Event{At: now(), Kind: kind, Text: text})
}

// now is the time for people to read.
func now() string { return time.Now().UTC().Format(time.RFC3339) }
