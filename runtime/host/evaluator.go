package host

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// EvaluatorConfig starts an evaluator.
type EvaluatorConfig struct {
	Component string        // empty: the plugin's only evaluator
	Settings  wire.Settings // what the user gave; Plugin.Settings completes it
	Seed      uint64
	WorkDir   string
	Threads   int
	// Operations are the plugins whose operations architectures may have. Each computes
	// them in a process of its own for this evaluator, if that says that it can do with them.
	Operations []*Plugin
}

// Evaluator is an evaluator at work, in a process of its own or, when it can be
// shared, in one with others of its plugin. It may be used by many goroutines, but
// judges one architecture at a time; configure several for more.
type Evaluator struct {
	session    *session
	component  wire.Component
	settings   wire.Settings
	family     uint64                            // of evaluators that are configured alike
	facts      atomic.Pointer[map[string]string] // what it told when it was first configured
	recognises atomic.Bool                       // it keeps what it makes of a graph
	described  bool                              // the component is as configured
	fatal      atomic.Int32                      // architectures in a row that it died of
	operations []*operations                     // of plugins, that it has computed
}

// Evaluator configures the plugin as an evaluator.
func (p *Plugin) Evaluator(ctx context.Context, cfg EvaluatorConfig) (_ *Evaluator, err error) {
	c, err := p.Component(wire.EvaluatorKind, cfg.Component)
	if err != nil {
		return nil, err
	}
	settings, err := p.Settings(c, cfg.Settings)
	if err != nil {
		return nil, err
	}
	e := &Evaluator{component: c, settings: settings}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	addresses, err := e.start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	configuration, err := wire.FromConfiguration(wire.Configuration{Component: c.Name, Settings: settings,
		Seed: cfg.Seed, WorkDir: cfg.WorkDir, Threads: cfg.Threads, Operations: addresses})
	if err != nil {
		return nil, err
	}
	if e.family, err = p.family(configuration); err != nil {
		return nil, err
	}
	e.session = p.session(c, func(ctx context.Context, at place) error {
		m := proto.CloneOf(configuration)
		m.Session = at.number
		resp, err := nascv1.NewEvaluatorClient(at.proc.calls).Configure(ctx,
			&nascv1.EvaluatorConfigureRequest{Configuration: m, Family: e.family})
		if err != nil {
			return err
		}
		return e.configured(resp)
	})
	if len(e.operations) > 0 && e.session.limit > 0 { // it says nothing while it waits for them
		e.session.limit += p.host.opts.Patience.Operation
	}
	if err = e.session.call(ctx, func(context.Context, place) error { return nil }); err != nil {
		return nil, err
	}
	return e, nil
}

// family numbers configurations that differ in seed and folder only.
func (p *Plugin) family(c *nascv1.Configuration) (uint64, error) {
	alike := proto.CloneOf(c)
	alike.Seed, alike.WorkDir, alike.Operations = 0, "", nil
	key, err := proto.MarshalOptions{Deterministic: true}.Marshal(alike)
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.families[string(key)]
	if !ok {
		n = uint64(len(p.families)) + 1
		p.families[string(key)] = n
	}
	return n, nil
}

// configured takes what an evaluator tells of itself, which must be the same each
// time.
func (e *Evaluator) configured(resp *nascv1.EvaluatorConfigureResponse) error {
	p := e.session.plugin
	if len(resp.GetProblems()) > 0 {
		return p.problems(wire.ToProblems(resp.GetProblems()))
	}
	facts := resp.GetFacts()
	size := 0
	for name, v := range facts {
		size += len(name) + len(v)
	}
	if size > maxFacts {
		return p.bad("facts of %d bytes", size)
	}
	if before := e.facts.Load(); before != nil && !maps.Equal(facts, *before) {
		return p.fault(NotReproducible, "started anew, the plugin reads other data than before")
	}
	e.facts.Store(&facts)
	e.recognises.Store(resp.GetRecognises())
	if !e.component.Varies {
		return nil
	}
	r, err := wire.ToReports(resp.GetReports())
	if err != nil {
		return p.bad("what it reports with these settings is wrong: %s", tidy(err.Error(), 200))
	}
	switch c := e.component.With(r); {
	case !e.described:
		e.component, e.described = c, true
	case !reflect.DeepEqual(c, e.component):
		return p.fault(NotReproducible, "started anew, the plugin reports other metrics than before")
	}
	return nil
}

// maxFacts is how many bytes the facts of an evaluator may have, which go into manifests.
const maxFacts = 1 << 20

// Component describes the evaluator, as it is configured.
func (e *Evaluator) Component() wire.Component { return e.component }

// Settings are all parameters with their values, for the run's manifest.
func (e *Evaluator) Settings() wire.Settings { return e.settings }

// Facts are for the run's manifest: data set and split hashes, table versions.
func (e *Evaluator) Facts() map[string]string {
	out := map[string]string{}
	maps.Copy(out, *e.facts.Load())
	return out
}

// Source is how diagnostics name the plugin: "nasc/train 0.1.0".
func (e *Evaluator) Source() string { return e.session.plugin.Source() }

// Close ends the evaluator, and its process unless that is shared.
func (e *Evaluator) Close() {
	if e.session != nil { // it was configured
		e.session.close()
	}
	for _, o := range e.operations {
		o.close()
	}
}

// Evaluate judges one architecture. A [*wire.Problem] is the architecture's own
// failure (its metrics were not finite, or it killed the plugin again and
// again); any other error is the plugin's.
func (e *Evaluator) Evaluate(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.ValidationMetrics, error) {
	var result wire.Result
	err := e.EvaluateAll(ctx, []wire.Job{job}, func(ev wire.Event) {
		switch {
		case ev.Result != nil:
			result = *ev.Result
		case progress != nil:
			progress(*ev.Progress)
		}
	})
	if err == nil && result.Failure != nil {
		return wire.ValidationMetrics{}, result.Failure
	}
	return result.Metrics.Unpack(e.names()), err
}

// hopeless is how many architectures in a row an evaluator may die of before
// the evaluator is at fault and not the architectures.
const hopeless = 3

// maxUnderWay is how many jobs of one call are sent before the first is finished.
const maxUnderWay = 4096

// EvaluateAll judges architectures, whose numbers differ, and calls observe one
// event at a time, in the order in which things happen. On an error the jobs
// without a result are unfinished. It may be called by many goroutines.
func (e *Evaluator) EvaluateAll(ctx context.Context, jobs []wire.Job, observe func(wire.Event)) error {
	open := make([]int, len(jobs))
	for i := range open {
		open[i] = i
	}
	var d deaths // with the same job first
	for len(open) > 0 {
		// After a death jobs are sent one by one, so that an architecture that kills
		// the plugin each time fails alone.
		// So does one that kills what computes operations.
		now := open[:min(len(open), maxUnderWay)]
		if d.n > 0 || len(e.operations) > 0 {
			now = open[:1]
		}
		if err := e.ready(ctx); err != nil {
			return err
		}
		first, before := open[0], d
		finished := make([]bool, len(jobs))
		_, err := e.session.attempt(ctx, &d, func(ctx context.Context, at place) error {
			return e.judge(ctx, at, jobs, now, finished, observe)
		})
		if hung := e.heed(); hung != nil {
			err = hung
		}
		if err != nil {
			return err
		}
		open = slices.DeleteFunc(open, func(i int) bool { return finished[i] })
		switch {
		case len(open) == 0:
		case open[0] != first: // of which it has died now, if it has
			d = d.since(before)
		case d.over():
			if n := int(e.fatal.Add(1)); n >= hopeless {
				return e.session.died(deaths{n * d.n, n * d.hangs, d.proc})
			}
			open = open[1:]
			_, times := d.times()
			observe(wire.Event{Number: jobs[first].Number, Result: &wire.Result{Failure: &wire.Problem{Path: "architecture",
				Message: fmt.Sprintf("the evaluator %s %s on it", e.Source(), times)}}})
			d = deaths{}
		}
	}
	return nil
}

// judge sends jobs, those numbered by which, and reads events until each has its
// result.
func (e *Evaluator) judge(ctx context.Context, at place, jobs []wire.Job, which []int, finished []bool, observe func(wire.Event)) error {
	t, err := at.proc.trials()
	if err != nil {
		return err
	}
	c := newCall()
	if err := t.submit(c, e, at, jobs, which, false); err != nil {
		t.abandon(c)
		return err
	}
	var mail []letter
	for left := len(which); left > 0; {
		if _, err := receive(ctx, t.in, c.wake); err != nil {
			t.abandon(c)
			return err
		}
		at.wait.hear()
		var broken *brokenError
		mail, broken = c.take(mail[:0])
		results := make([]wire.Result, len(mail))
		for i := range mail {
			ended, err := e.hear(t, c, at, jobs, &mail[i], &results[i], observe)
			if err != nil {
				t.abandon(c)
				return err
			}
			if ended {
				finished[mail[i].job] = true
				left--
			}
		}
		clear(mail)
		if broken != nil && left > 0 {
			return broken
		}
	}
	return nil
}

// hear takes a letter, and tells whether its job has ended, with which result.
func (e *Evaluator) hear(t *trials, c *call, at place, jobs []wire.Job, l *letter, result *wire.Result, observe func(wire.Event)) (ended bool, err error) {
	number := jobs[l.job].Number
	switch ev := l.event.GetEvent().(type) {
	case nil:
		err = e.result(l.result, result)
	case *nascv1.EvaluateEvent_Progress:
		progress := wire.ToProgress(ev.Progress)
		progress.Text = tidy(progress.Text, maxProgress)
		observe(wire.Event{Number: number, Progress: &progress})
		return false, nil
	case *nascv1.EvaluateEvent_Unknown:
		return false, t.submit(c, e, at, jobs, []int{l.job}, true)
	case *nascv1.EvaluateEvent_Error:
		err = e.session.plugin.problem(wire.ToProblem(ev.Error))
	case *nascv1.EvaluateEvent_Failure:
		result.Failure = cleaned(ev.Failure)
	}
	if err != nil {
		return false, err
	}
	if e.fatal.Load() != 0 {
		e.fatal.Store(0)
	}
	observe(wire.Event{Number: number, Result: result})
	return true, nil
}

// result checks the metrics of a job.
func (e *Evaluator) result(v wire.Validation, result *wire.Result) error {
	p := e.session.plugin
	if got, want := len(v.Values), len(e.component.Metrics); got != want {
		return p.bad("a result of %d metrics, not %d", got, want)
	}
	if !(v.SimulatedSeconds >= 0 && v.SimulatedSeconds < 1e300) || !(v.Epochs >= 0 && v.Epochs < 1e300) {
		return p.bad("an evaluation of %v s and %v epochs", v.SimulatedSeconds, v.Epochs)
	}
	for i, x := range v.Values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			result.Failure = &wire.Problem{Path: "architecture",
				Message: fmt.Sprintf("the metric %s is %v, says %s", tidy(e.component.Metrics[i].Name, 200), x, p.Source())}
			return nil
		}
	}
	result.Metrics = v
	return nil
}

// names are those of the metrics.
func (e *Evaluator) names() []string {
	out := make([]string, len(e.component.Metrics))
	for i, m := range e.component.Metrics {
		out[i] = m.Name
	}
	return out
}

func cleaned(m *nascv1.Problem) *wire.Problem {
	w := wire.ToProblem(m)
	return &wire.Problem{Path: tidy(w.Path, 200), Message: tidy(w.Message, 2000), Help: tidy(w.Help, 2000)}
}

// Resolve reads an architecture in the evaluator's own notation, such as a
// benchmark's string, as a genotype of s. It is not recognised when the
// evaluator does not know the notation.
func (e *Evaluator) Resolve(ctx context.Context, architecture string, s *space.Space) (g space.Genotype, recognised bool, err error) {
	p := e.session.plugin
	var resp *nascv1.ResolveResponse
	err = e.session.call(ctx, func(ctx context.Context, at place) (err error) {
		resp, err = nascv1.NewEvaluatorClient(at.proc.calls).Resolve(ctx,
			&nascv1.ResolveRequest{Architecture: architecture, Decisions: wire.FromChoices(s), Session: at.number})
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if len(resp.GetProblems()) > 0 {
		return nil, true, p.problems(wire.ToProblems(resp.GetProblems()))
	}
	if !resp.GetRecognised() {
		return nil, false, nil
	}
	if g, err = s.FromLabels(resp.GetLabels()); err != nil {
		return nil, true, p.bad("labels that are not in the space: %s", tidy(err.Error(), 500))
	}
	return g, true, nil
}
