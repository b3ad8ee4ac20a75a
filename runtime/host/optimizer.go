package host

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// OptimizerConfig starts an optimizer.
type OptimizerConfig struct {
	Component  string        // empty: the plugin's only optimizer
	Settings   wire.Settings // what the user gave; Plugin.Settings completes it
	Seed       uint64        // derived from the run's
	Space      *space.Space
	Objectives []wire.Objective // in order of importance
	// Metrics name what finished trials are told with, in this order; all
	// objectives are among them.
	Metrics []string
	WorkDir string
	Threads int
}

// Optimizer is an optimizer at work, in a process of its own or, when it can be
// shared, in one with others of its plugin. Calls come one at a time.
//
// Trials are numbered here from 0 in the order in which their architectures are
// proposed; proposals that the space rejects count as well, though the log of a
// run does not hold them.
type Optimizer struct {
	session    *session
	component  wire.Component
	settings   wire.Settings
	space      *space.Space
	objectives []int // among the metrics
	configure  *nascv1.OptimizerConfigureRequest

	mu     sync.Mutex
	past   history
	untold untold
	done   bool
	ready  chan reply // for the answer of the next step
}

// Optimizer configures the plugin as an optimizer.
func (p *Plugin) Optimizer(ctx context.Context, cfg OptimizerConfig) (*Optimizer, error) {
	c, settings, configure, err := p.toConfigure(cfg)
	if err != nil {
		return nil, err
	}
	if c.OneShot {
		return nil, p.fault(UnknownComponent, "the optimizer %s is one-shot and proposes nothing to evaluate", c.Name)
	}
	o := &Optimizer{component: c, settings: settings, space: cfg.Space, ready: make(chan reply, 1), configure: configure}
	for _, m := range cfg.Objectives {
		o.objectives = append(o.objectives, slices.Index(cfg.Metrics, m.Metric))
	}
	o.session = p.session(c, o.open)
	if err := o.session.call(ctx, func(context.Context, place) error { return nil }); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// toConfigure checks what starts an optimizer, and makes the message that does.
func (p *Plugin) toConfigure(cfg OptimizerConfig) (c wire.Component, settings wire.Settings, m *nascv1.OptimizerConfigureRequest, err error) {
	if c, err = p.Component(wire.OptimizerKind, cfg.Component); err != nil {
		return c, nil, nil, err
	}
	if settings, err = p.Settings(c, cfg.Settings); err != nil {
		return c, nil, nil, err
	}
	if err := p.handles(c, cfg.Space); err != nil {
		return c, nil, nil, err
	}
	if len(cfg.Objectives) == 0 {
		return c, nil, nil, fmt.Errorf("an optimizer needs an objective")
	}
	configuration, err := wire.FromConfiguration(wire.Configuration{Component: c.Name, Settings: settings,
		Seed: cfg.Seed, WorkDir: cfg.WorkDir, Threads: cfg.Threads})
	if err != nil {
		return c, nil, nil, err
	}
	m = &nascv1.OptimizerConfigureRequest{Configuration: configuration, Space: wire.FromSpace(cfg.Space), Metrics: cfg.Metrics}
	for _, o := range cfg.Objectives {
		if !slices.Contains(cfg.Metrics, o.Metric) {
			return c, nil, nil, fmt.Errorf("the objective %s is not among the metrics", o.Metric)
		}
		m.Objectives = append(m.Objectives, &nascv1.Objective{Metric: o.Metric, Maximize: o.Maximize})
	}
	return c, settings, m, nil
}

// Component describes the optimizer.
func (o *Optimizer) Component() wire.Component { return o.component }

// Settings are all parameters with their values, for the run's manifest.
func (o *Optimizer) Settings() wire.Settings { return o.settings }

// Source is how diagnostics name the plugin: "nasc/evolution 0.1.0".
func (o *Optimizer) Source() string { return o.session.plugin.Source() }

// Close ends the optimizer, and its process unless that is shared.
func (o *Optimizer) Close() { o.session.close() }

// Done reports whether the optimizer has said that it has nothing more to
// propose.
func (o *Optimizer) Done() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done
}

// Step tells finished trials, each once and in any order, and then asks for up to
// n genotypes; with n = 0 it only tells. A trial that did not fail has a finite
// value of every objective.
//
// All genotypes lie in the space. The first of them is the proposal after those of
// earlier steps, which are numbered from 0. There are none when the optimizer has
// nothing more to propose, which Done tells, or waits for trials that have not been
// told.
func (o *Optimizer) Step(ctx context.Context, told []wire.Told, n int) ([]space.Genotype, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n < 0 || n > math.MaxInt32 {
		return nil, fmt.Errorf("cannot ask for %d architectures", n)
	}
	if o.done {
		n = 0
	}
	if len(told) == 0 && n == 0 {
		return nil, nil
	}
	m := &nascv1.Step{Ask: int32(n), FirstTrial: o.untold.next()}
	var err error
	if told, err = o.finished(told); err != nil {
		return nil, err
	}
	m.Told = wire.FromTold(told, len(o.configure.Metrics))
	var all []space.Genotype
	var d deaths
	for {
		died, err := o.session.attempt(ctx, &d, func(ctx context.Context, at place) (err error) {
			all, err = o.step(ctx, at, m)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !died {
			break
		}
		if d.over() {
			return nil, o.session.died(d)
		}
	}
	for _, t := range told {
		o.untold.take(t.Trial)
	}
	o.untold.add(len(all))
	return all, o.past.add(m, all, o.done && n > 0)
}

// step makes a step in a process. When it fails, the session is where nobody knows,
// and has to be opened again.
func (o *Optimizer) step(ctx context.Context, at place, m *nascv1.Step) ([]space.Genotype, error) {
	answer, err := o.ask(ctx, at, m)
	if err == nil {
		var all []space.Genotype
		if all, err = o.check(answer, m); err == nil {
			o.done = o.done || answer.GetDone() && len(all) == 0
			return all, nil
		}
	}
	o.session.leave(at)
	return nil, err
}

// ask sends a step and waits for its answer.
func (o *Optimizer) ask(ctx context.Context, at place, m *nascv1.Step) (*nascv1.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	stream, err := at.proc.steps()
	if err != nil {
		return nil, err
	}
	m.Session = at.number
	answer, err := stream.step(ctx, m, o.ready)
	if err != nil {
		o.ready = make(chan reply, 1) // an answer may still come
		return nil, err
	}
	if answer.GetError() != nil {
		return nil, o.session.plugin.problem(wire.ToProblem(answer.GetError()))
	}
	return answer, nil
}

// check tests the answer to a step.
func (o *Optimizer) check(answer *nascv1.Answer, m *nascv1.Step) ([]space.Genotype, error) {
	p := o.session.plugin
	if got := int(answer.GetCount()); got > int(m.GetAsk()) {
		return nil, p.bad("%d architectures where at most %d were asked for", got, m.GetAsk())
	}
	all, err := wire.ToGenotypes(answer, int(m.GetAsk()), len(o.space.Decisions))
	for i := 0; err == nil && i < len(all); i++ {
		err = o.space.Check(all[i])
	}
	if err != nil {
		return nil, p.bad("an architecture outside of the space: %s", tidy(err.Error(), 500))
	}
	if m.GetAsk() > 0 && len(all) == 0 && !answer.GetDone() && o.untold.open == len(m.GetTold().GetTrials()) {
		return nil, p.bad("no architecture although it was told all results")
	}
	return all, nil
}

// finished checks trials, and puts them into the order of their numbers.
func (o *Optimizer) finished(trials []wire.Told) ([]wire.Told, error) {
	byNumber := func(a, b wire.Told) int { return cmp.Compare(a.Trial, b.Trial) }
	if !slices.IsSortedFunc(trials, byNumber) {
		trials = slices.SortedFunc(slices.Values(trials), byNumber)
	}
	for i, t := range trials {
		if !o.untold.has(t.Trial) || i > 0 && trials[i-1].Trial == t.Trial {
			return nil, fmt.Errorf("trial %d was never proposed or is already told", t.Trial)
		}
		if t.Failure != "" && !t.Infeasible {
			continue // whatever its metrics
		}
		if got, want := len(t.Metrics.Values), len(o.configure.Metrics); got != want {
			return nil, fmt.Errorf("trial %d has %d metrics, not %d", t.Trial, got, want)
		}
		if t.Failure == "" {
			for k, at := range o.objectives {
				if v := t.Metrics.Values[at]; math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("trial %d has no value of %s", t.Trial, o.configure.Objectives[k].Metric)
				}
			}
		}
	}
	return trials, nil
}

// open configures the session in a process and repeats every step made so far. The
// answers must be the ones that it gave before.
func (o *Optimizer) open(ctx context.Context, at place) error {
	p := o.session.plugin
	req := &nascv1.OptimizerConfigureRequest{Configuration: proto.CloneOf(o.configure.Configuration),
		Space: o.configure.Space, Objectives: o.configure.Objectives, Metrics: o.configure.Metrics}
	req.Configuration.Session = at.number
	resp, err := nascv1.NewOptimizerClient(at.proc.calls).Configure(ctx, req)
	if err != nil {
		return err
	}
	if len(resp.GetProblems()) > 0 {
		return p.problems(wire.ToProblems(resp.GetProblems()))
	}
	for s, err := range o.past.steps() {
		if err != nil {
			return err
		}
		answer, err := o.ask(ctx, at, s.step)
		if err != nil {
			return err
		}
		at.wait.hear()
		all, err := wire.ToGenotypes(answer, int(s.step.GetAsk()), len(o.space.Decisions))
		if err != nil || s.answer != fingerprint(all, answer.GetDone() && len(all) == 0) {
			return p.fault(NotReproducible,
				"started anew with the same seed, the plugin proposes something else than before (trial %d)", s.step.GetFirstTrial())
		}
	}
	return nil
}
