package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
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
	Manifest *store.Manifest
	Warnings diag.List
	search   *search.Search
	plan     *Plan
	closers  []func() // of components
}

// Start configures the plugins and makes the run folder: dir, or with an empty
// dir a free name below runs. Nothing is written before everything is checked.
func (p *Plan) Start(ctx context.Context, plugins Plugins, runs, dir string) (*Session, diag.List) {
	expected := dir
	if dir == "" {
		expected = filepath.Join(runs, store.Name(runs, p.Name()))
	}
	s, diags := p.configure(ctx, plugins, store.WorkDir(expected, 0))
	if diags.HasErrors() {
		return nil, diags
	}
	f, err := create(runs, dir, p.Name(), func(name string) (*store.Folder, []store.Point, error) {
		m := s.Manifest
		m.Name, m.Started = name, now()
		return &store.Folder{Nasc: m.Nasc, Name: name, Started: m.Started, Sources: m.Sources}, []store.Point{{Manifest: m}}, nil
	})
	if err != nil {
		return nil, err
	}
	if f.Dir != filepath.Clean(expected) { // somebody was faster, whose folder it is now
		m := s.Manifest
		s.release()
		if s, diags = p.configure(ctx, plugins, store.WorkDir(f.Dir, 0)); diags.HasErrors() {
			f.Close()
			return nil, diags
		}
		s.Manifest = m
	}
	s.open(f.Runs[0])
	return s, nil
}

// create makes a new folder: dir, or with an empty dir one below runs whose name
// begins with name.
func create(runs, dir, name string, describe func(name string) (*store.Folder, []store.Point, error)) (*store.Folder, diag.List) {
	for {
		at := dir
		if dir == "" {
			at = filepath.Join(runs, store.Name(runs, name))
		}
		f, points, err := describe(filepath.Base(at))
		if err == nil {
			f, err = store.Create(at, f, points)
		}
		if errors.Is(err, store.ErrExists) && dir == "" {
			continue // somebody was faster
		}
		if err != nil {
			return nil, Explain(err, at)
		}
		return f, nil
	}
}

// open lets the search write to a run that has begun.
func (s *Session) open(r *store.Run) {
	s.Run, s.search.Log = r, r
	s.search.Catalogue = s.plan.Space.in(r.Folder)
}

// configure brings the plugins to work and describes the run that results. Evaluators
// may keep files in work, which need not be there.
func (p *Plan) configure(ctx context.Context, plugins Plugins, work string) (_ *Session, diags diag.List) {
	s := &Session{plan: p}
	defer func() {
		if diags.HasErrors() {
			s.release()
		}
	}()
	var evaluators []search.Evaluator
	var facts map[string]string
	work, err := filepath.Abs(work) // a plugin may be in another folder
	if err != nil {
		return nil, Explain(err, "")
	}
	for range p.Workers {
		e, err := p.Evaluator.Plugin.Evaluator(ctx, host.EvaluatorConfig{Component: p.Evaluator.Component.Name,
			Settings: p.Evaluator.Settings, Seed: p.Evaluator.Seed, WorkDir: work, Threads: p.Evaluator.Threads})
		if err != nil {
			return nil, p.Evaluator.place(Explain(err, ""))
		}
		s.closers = append(s.closers, e.Close)
		evaluators = append(evaluators, e)
		facts = e.Facts()
	}
	objectives := make([]wire.Objective, len(p.Objectives))
	for i, o := range p.Objectives {
		objectives[i] = wire.Objective(o)
	}
	optimizer, err := p.Optimizer.Plugin.Optimizer(ctx, host.OptimizerConfig{Component: p.Optimizer.Component.Name,
		Settings: p.Optimizer.Settings, Seed: p.Optimizer.Seed, Space: p.Space.Space.Space, Objectives: objectives,
		Metrics: p.metrics()})
	if err != nil {
		return nil, p.Optimizer.place(Explain(err, ""))
	}
	s.closers = append(s.closers, optimizer.Close)
	if s.Manifest, err = p.manifest(plugins, facts); err != nil {
		return nil, Explain(err, "")
	}
	s.search = &search.Search{
		Optimizer: optimizer, Evaluators: evaluators, Seed: p.Seed, Budget: p.Budget, Batch: p.Batch,
		Objectives: p.Objectives, Metrics: p.metrics(), Analytic: p.analytic, Reuse: p.Reuse, Ends: p.Optimizer.Component.Ends,
	}
	for _, q := range p.Requirements {
		s.search.Require = append(s.search.Require, q)
	}
	if p.Retrain != nil {
		s.search.Retrain = p.carry
	}
	return s, nil
}

// release ends the components of the session.
func (s *Session) release() {
	for _, end := range s.closers {
		end()
	}
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
	h, err := p.Space.Carry(g, p.Retrain.Space)
	if err != nil {
		return nil, err
	}
	return p.Retrain.Bind(h)
}

func (p *Plan) manifest(plugins Plugins, facts map[string]string) (*store.Manifest, error) {
	optimizer, err := p.Optimizer.manifest(plugins, p.stock)
	if err != nil {
		return nil, err
	}
	evaluator, err := p.Evaluator.manifest(plugins, p.stock)
	if err != nil {
		return nil, err
	}
	evaluator.Facts = facts
	evaluator.Units, evaluator.Higher = units(p.Evaluator.Component), higher(p.Evaluator.Component)
	m := &store.Manifest{
		Nasc: Version(), Space: p.described(p.Space),
		Search: p.Search, Optimizer: optimizer, Evaluator: evaluator, Objectives: p.Objectives, Analytic: p.analytic,
		Budget: store.Budget(p.Budget), Seed: p.Seed, Batch: p.Batch, Workers: p.Workers, Reuse: string(p.Reuse), Metrics: p.metrics(),
		Machine: thisMachine(), Sources: p.read,
	}
	for _, q := range p.Requirements {
		m.Requirements = append(m.Requirements, q.Text)
	}
	if p.Retrain != nil {
		r := p.described(p.Retrain)
		m.Retrain = &r
	}
	return m, nil
}

// described is a space as manifests keep it.
func (p *Plan) described(s *compiled) store.Space {
	out := s.described
	out.File = p.file
	return out
}

func (p *Part) manifest(plugins Plugins, s *stock) (store.Component, error) {
	d := p.Plugin.Description()
	sum, err := s.checksum(plugins, d.Name)
	return store.Component{Plugin: d.Name, Version: d.Version, Component: p.Component.Name, Checksum: sum,
		Parameters: p.Settings, Seed: p.Seed, Threads: p.Threads, Deterministic: p.Component.Deterministic}, err
}

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
	if diags = p.start(ctx, plugins.Host,
		part{kind: wire.OptimizerKind, plugin: m.Optimizer.Plugin, name: m.Optimizer.Component},
		part{kind: wire.EvaluatorKind, plugin: m.Evaluator.Plugin, name: m.Evaluator.Component}); diags.HasErrors() {
		return nil, diags
	}
	p.Optimizer.recall(m.Optimizer)
	p.Evaluator.recall(m.Evaluator)
	s.describe(ctx, &p.Evaluator, &diags)
	return p, diags
}

// resume brings the plugins to work for a run that was begun with the same plan.
func (p *Plan) resume(ctx context.Context, plugins Plugins, run *store.Run) (*Session, diag.List) {
	m, err := run.Manifest()
	if err != nil {
		return nil, Explain(err, run.Address())
	}
	session, diags := p.configure(ctx, plugins, run.WorkDir())
	if diags.HasErrors() {
		return nil, diags
	}
	again := session.Manifest
	same(&diags, m.Optimizer, again.Optimizer)
	same(&diags, m.Evaluator, again.Evaluator)
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
func (s *Session) Close() error { return s.Run.Folder.Close() }

// Resumed reports whether the run was there before.
func (s *Session) Resumed() bool { return s.search.Resumed }

// Logged is how many trials the log holds.
func (s *Session) Logged() (int, error) {
	tally, err := s.Run.Tally()
	return tally.Trials, err
}

// Search runs the search to its end and puts the winner into the run folder.
func (s *Session) Search(ctx context.Context, o search.Observer) (*report.Winner, diag.List) {
	out, diags := s.run(ctx, o)
	if diags.HasErrors() {
		return nil, diags
	}
	dir := s.Run.Folder.Dir
	g, err := s.plan.Space.Bind(out.Genotype)
	if err != nil {
		return nil, Explain(err, dir)
	}
	w := &report.Winner{
		Run: s.Manifest, Dir: dir, Trials: out.Trials, Failed: out.Failed, Infeasible: out.Infeasible,
		Reused: out.Reused, Best: out.Best, Graph: g, Retrained: out.Retrained, Test: out.Test, TestNote: out.TestNote,
		Source: export.Source(g, fmt.Sprintf("The best architecture of %s.", s.Manifest.Name), dir),
	}
	if err := s.keep(w); err != nil {
		return nil, Explain(err, dir)
	}
	if err := s.end(out); err != nil {
		return nil, Explain(err, dir)
	}
	return w, nil
}

// run searches.
func (s *Session) run(ctx context.Context, o search.Observer) (*search.Outcome, diag.List) {
	s.search.Observer = o
	kind := store.EventStarted
	if s.search.Resumed {
		kind = store.EventResumed
	}
	err := s.event(kind, "")
	var out *search.Outcome
	if err == nil {
		out, err = s.search.Run(ctx)
	}
	if err != nil {
		kind := store.EventStopped
		if ctx.Err() != nil {
			kind = store.EventInterrupted
		}
		_ = s.event(kind, err.Error()) // the search's own error says more
		return nil, Explain(err, s.Run.Folder.Dir)
	}
	return out, nil
}

// end notes that the run is finished. What plugins have kept is of no use any more.
func (s *Session) end(out *search.Outcome) error {
	if s.search.Resumed {
		if state, _, err := s.Run.State(); err != nil || state == store.Finished {
			return err
		}
	}
	if err := s.event(store.EventFinished, ""); err != nil {
		return err
	}
	return errors.Join(s.Run.Finish(out.Best.Number), os.RemoveAll(s.Run.WorkDir()))
}

// keep writes the winner's files, once the log is on the disk.
func (s *Session) keep(w *report.Winner) error {
	if err := s.Run.Folder.Sync(); err != nil {
		return err
	}
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
	if w.Retrained == nil {
		return nil
	}
	source := export.Source(w.Retrained, fmt.Sprintf("The best architecture of %s, as it is trained again.", w.Run.Name), w.Dir)
	return s.Run.WriteFile(store.RetrainedFile, []byte(source))
}

func (s *Session) event(kind, text string) error {
	return s.Run.AddEvent(store.Event{At: now(), Kind: kind, Text: text})
}

// now is the time for people to read.
func now() string { return time.Now().UTC().Format(time.RFC3339) }
