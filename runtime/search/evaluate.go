package search

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// costly is the wall time, in seconds, from which on an evaluation is worth more
// than a write: its trial is on the disk before the optimizer learns of it.
const costly = 0.01

// evaluate finishes every trial of a batch: by the log, by an equal earlier
// trial, or by an evaluator. Each is appended to the log as soon as it is
// finished.
func (l *ledger) evaluate(ctx context.Context, batch []*proposal) error {
	var open []*proposal
	for _, p := range batch {
		if p.logged {
			l.remember(p)
			l.Observer.Trial(p.trial, true)
		} else {
			open = append(open, p)
		}
	}
	// Of equal trials in one batch the first is evaluated and the others wait
	// for it; when it fails, the next one takes its turn.
	for len(open) > 0 {
		var done, jobs, wait []*proposal
		scheduled := map[any]bool{}
		for _, p := range open {
			if p.trial.Architecture == nil && (l.Reuse != ReuseGenotype || l.first[p.known] == nil) {
				if err := l.describe(p); err != nil {
					return err
				}
			}
			from, key := l.earlier(p), l.key(p)
			switch {
			case p.trial.Status == store.Failed: // it could not be bound
				done = append(done, p)
			case from != nil:
				reuse(p.trial, from)
				done = append(done, p)
			case key != nil && scheduled[key]:
				wait = append(wait, p)
			default:
				scheduled[key] = true
				jobs = append(jobs, p)
			}
		}
		if err := l.append(done...); err != nil {
			return err
		}
		if err := l.judge(ctx, jobs); err != nil {
			return err
		}
		for _, p := range jobs {
			l.remember(p)
		}
		open = wait
	}
	return nil
}

// key is what makes two architectures equal; nil for nothing.
func (l *ledger) key(p *proposal) any {
	switch {
	case l.Reuse == ReuseGenotype:
		return p.known
	case l.Reuse == ReuseIsomorphic && p.trial.Hash != "":
		return p.trial.Hash
	}
	return nil
}

// reuse gives t the result of an equal trial and the seed it was found with.
func reuse(t, from *store.Trial) {
	source := &from.Number
	if from.Reused != nil {
		source = from.Reused
	}
	if t.Architecture == nil {
		t.Architecture = from.Architecture
	}
	t.Reused = source
	t.Status, t.Failure, t.Seed, t.Metrics = from.Status, from.Failure, from.Seed, from.Metrics
	t.Epochs, t.Simulated = from.Epochs, from.Simulated
}

// judge evaluates trials: all at once with one evaluator, otherwise one by one with
// whichever is free.
func (l *ledger) judge(ctx context.Context, jobs []*proposal) error {
	if len(jobs) == 0 {
		return ctx.Err()
	}
	if len(l.Evaluators) == 1 || len(jobs) == 1 {
		return l.judgeAll(ctx, l.Evaluators[0], jobs)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *proposal, len(jobs))
	for _, p := range jobs {
		queue <- p
	}
	close(queue)
	var wg sync.WaitGroup
	var crash atomic.Value
	for _, e := range l.Evaluators[:min(len(l.Evaluators), len(jobs))] {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					crash.Store(fmt.Sprintf("%v\n%s", r, debug.Stack()))
					cancel(nil)
				}
			}()
			for p := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := l.judgeAll(ctx, e, []*proposal{p}); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if r := crash.Load(); r != nil {
		panic(r) // where the command line can tell of it
	}
	return context.Cause(ctx)
}

// judgeAll gives trials to one evaluator.
func (l *ledger) judgeAll(ctx context.Context, e Evaluator, batch []*proposal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jobs := make([]wire.Job, len(batch))
	byNumber := make(map[int64]*proposal, len(batch))
	for i, p := range batch {
		jobs[i] = wire.Job{Number: p.trial.Number, Architecture: uint64(p.trial.ID), Seed: p.trial.Seed,
			Graph: func() (*graph.Graph, error) { return l.Catalogue.bind(p.known) }}
		byNumber[p.trial.Number] = p
	}
	begun := time.Now()
	var broken error
	err := e.EvaluateAll(ctx, jobs, func(ev wire.Event) {
		p := byNumber[ev.Number]
		switch {
		case broken != nil:
		case ev.Result == nil:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.Observer.Progress(ev.Number, *ev.Progress)
		default:
			now := time.Now()
			p.trial.Seconds, begun = now.Sub(begun).Seconds(), now
			if broken = l.result(p, ev.Result); broken != nil {
				cancel(broken)
			}
		}
	})
	if broken != nil {
		return broken
	}
	return err
}

// result finishes a trial that was evaluated.
func (l *ledger) result(p *proposal, r *wire.Result) error {
	t := p.trial
	if r.Failure != nil {
		t.Status, t.Failure = store.Failed, r.Failure.Message
	} else {
		t.Status, t.Epochs, t.Simulated = store.OK, r.Metrics.Epochs, r.Metrics.SimulatedSeconds
		t.Metrics = store.Metrics{Names: l.Metrics, Values: r.Metrics.Values}
		if err := l.analyse(p); err != nil {
			return err
		}
		if bad := notFinite(t.Metrics); bad != "" {
			t.Status, t.Metrics = store.Failed, store.Metrics{}
			t.Failure = fmt.Sprintf("the evaluator's %s is not a number", bad)
		} else if err := l.require(t); err != nil {
			return err
		}
	}
	p.judged()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.append(p)
}

// append puts finished trials into the log and shows them.
func (l *ledger) append(batch ...*proposal) error {
	if len(batch) == 0 {
		return nil
	}
	wait := false
	elapsed := l.before + time.Since(l.started).Seconds()
	trials := make([]*store.Trial, len(batch))
	for i, p := range batch {
		trials[i] = p.trial
		p.trial.Elapsed = elapsed
		wait = wait || p.trial.Seconds > costly
	}
	if err := l.Log.Append(trials, wait); err != nil {
		return err
	}
	for _, t := range trials {
		l.Observer.Trial(t, false)
	}
	return nil
}

// notFinite names a metric that is NaN or infinite, "" when there is none.
func notFinite(m store.Metrics) string {
	for i, v := range m.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return m.Names[i]
		}
	}
	return ""
}
