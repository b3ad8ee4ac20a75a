package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
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
	s, diags := p.configure(ctx, plugins, store.WorkDir(expected, 0), true)
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
		if s, diags = p.configure(ctx, plugins, store.WorkDir(f.Dir, 0), true); diags.HasErrors() {
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
// may keep files in work, which need not be there. A run that is fresh has no trial.
func (p *Plan) configure(ctx context.Context, plugins Plugins, work string, fresh bool) (_ *Session, diags diag.List) {
	s := &Session{plan: p}
	defer func() {
		if diags.HasErrors() {
			s.release()
		}
	}()
	work, err := filepath.Abs(work) // a plugin may be in another folder
	if err != nil {
		return nil, Explain(err, "")
	}
	s.search = &search.Search{
		Seed: p.Seed, Budget: p.Budget, Batch: p.Batch, Objectives: p.Objectives, Metrics: p.metrics(), Analytic: p.analytic,
		Reuse: p.Reuse, Ends: p.Optimizer.Component.Ends,
	}
	for _, q := range p.Requirements {
		s.search.Require = append(s.search.Require, q)
	}
	if p.Retrain != nil {
		s.search.Retrain = p.carry
	}
	var facts learnt
	var judge *host.Evaluator
	for range p.Workers {
		if judge, diags = s.evaluator(ctx, &p.Evaluator, work); diags.HasErrors() {
			return nil, diags
		}
		s.search.Evaluators = append(s.search.Evaluators, judge)
		facts.evaluator = judge.Facts()
	}
	if p.Report != nil {
		reporter, diags := s.evaluator(ctx, p.Report, work)
		if diags.HasErrors() {
			return nil, diags
		}
		s.search.Report, facts.report = reporter, reporter.Facts()
	}
	if p.oneShot() {
		facts.relaxation, diags = s.oneShot(ctx, judge, work, fresh)
	} else {
		diags = s.blackBox(ctx)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if s.Manifest, err = p.manifest(plugins, facts); err != nil {
		return nil, Explain(err, "")
	}
	return s, nil
}

// evaluator configures one that ends with the session.
func (s *Session) evaluator(ctx context.Context, p *Part, work string) (*host.Evaluator, diag.List) {
	e, err := p.Plugin.Evaluator(ctx, host.EvaluatorConfig{Component: p.Component.Name,
		Settings: p.Settings, Seed: p.Seed, WorkDir: work, Threads: p.Threads, Operations: s.plan.Operations})
	if err != nil {
		return nil, p.place(Explain(err, ""))
	}
	s.closers = append(s.closers, e.Close)
	return e, nil
}

// blackBox configures an optimizer that proposes architectures.
func (s *Session) blackBox(ctx context.Context) diag.List {
	p := s.plan
	objectives := make([]wire.Objective, len(p.Objectives))
	for i, o := range p.Objectives {
		objectives[i] = wire.Objective(o)
	}
	optimizer, err := p.Optimizer.Plugin.Optimizer(ctx, host.OptimizerConfig{Component: p.Optimizer.Component.Name,
		Settings: p.Optimizer.Settings, Seed: p.Optimizer.Seed, Space: p.Space.Space.Space, Objectives: objectives,
		Metrics: p.metrics()})
	if err != nil {
		return p.Optimizer.place(Explain(err, ""))
	}
	s.closers = append(s.closers, optimizer.Close)
	s.search.Optimizer = optimizer
	return nil
}

// release ends the components of the session.
func (s *Session) release() {
	for _, end := range s.closers {
		end()
	}
}

// carry builds the network in which a winner is tested.
func (p *Plan) carry(g space.Genotype) (*graph.Graph, error) {
	h, err := p.Space.Carry(g, p.Retrain.Space)
	if err != nil {
		return nil, err
	}
	return p.Retrain.Bind(h)
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

// share says how much of its time a one-shot search has spent on its supernet; "" for
// another search.
func share(out *search.Outcome) string {
	if out.Searched == 0 {
		return ""
	}
	took := func(seconds float64) time.Duration {
		return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
	}
	return fmt.Sprintf("%v of %v went into the supernet, %.1f %%", took(out.Trained), took(out.Searched), 100*out.Trained/out.Searched)
}

// end notes that the run is finished. What plugins have kept is of no use any more.
func (s *Session) end(out *search.Outcome) error {
	if s.search.Resumed {
		if state, _, err := s.Run.State(); err != nil || state == store.Finished {
			return err
		}
	}
	if err := s.event(store.EventFinished, share(out)); err != nil {
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
