package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// evaluate finishes every trial of a batch: by the log, by an equal earlier
// trial, or by an evaluator. Each is appended to the log as soon as it is
// finished.
func (l *ledger) evaluate(ctx context.Context, batch []*store.Trial) error {
	var open []*store.Trial
	for _, t := range batch {
		switch {
		case l.recorded[t.Number] != nil:
			l.remember(t)
			l.Observer.Trial(t, true)
		case t.Status == store.Failed: // it could not be bound
			if err := l.append(t); err != nil {
				return err
			}
		default:
			open = append(open, t)
		}
	}
	// Of equal trials in one batch the first is evaluated and the others wait
	// for it; when it fails, the next one takes its turn.
	for len(open) > 0 {
		var jobs, wait []*store.Trial
		scheduled := map[string]bool{}
		for _, t := range open {
			k := l.key(t)
			switch from := l.first[k]; {
			case k != "" && from != nil:
				reuse(t, from)
				if err := l.append(t); err != nil {
					return err
				}
			case k != "" && scheduled[k]:
				wait = append(wait, t)
			default:
				scheduled[k] = true
				jobs = append(jobs, t)
			}
		}
		if err := l.judge(ctx, jobs); err != nil {
			return err
		}
		for _, t := range jobs {
			l.remember(t)
		}
		open = wait
	}
	return nil
}

// reuse gives t the result of an equal trial and the seed it was found with.
func reuse(t, from *store.Trial) {
	source := from.Number
	if from.Reused != nil {
		source = *from.Reused
	}
	t.Reused = &source
	t.Status, t.Failure, t.Seed, t.Metrics = from.Status, from.Failure, from.Seed, from.Metrics
	t.Epochs, t.Simulated = from.Epochs, from.Simulated
}

// judge evaluates trials in parallel, one evaluator each.
func (l *ledger) judge(ctx context.Context, jobs []*store.Trial) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *store.Trial, len(jobs))
	for _, t := range jobs {
		queue <- t
	}
	close(queue)
	var mu sync.Mutex // guards the log and the observer
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
			for t := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := l.judgeOne(ctx, e, t, &mu); err != nil {
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

func (l *ledger) judgeOne(ctx context.Context, e Evaluator, t *store.Trial, mu *sync.Mutex) error {
	begun := time.Now()
	job := wire.Job{Number: t.Number, Graph: wire.OneGraph(l.graphs[t.Number]), Seed: t.Seed}
	result, err := e.Evaluate(ctx, job, func(p wire.Progress) {
		mu.Lock()
		defer mu.Unlock()
		l.Observer.Progress(t.Number, p)
	})
	t.Seconds = time.Since(begun).Seconds()
	var failed *wire.Problem
	switch {
	case errors.As(err, &failed):
		t.Status, t.Failure = store.Failed, failed.Message
	case err != nil:
		return err
	default:
		t.Status, t.Metrics, t.Epochs, t.Simulated = store.OK, result.Values, result.Epochs, result.SimulatedSeconds
		l.analyse(t, l.graphs[t.Number])
		for _, o := range l.Objectives {
			if _, ok := t.Metrics[o.Metric]; !ok {
				return fmt.Errorf("the evaluator reports no metric called %s", o.Metric)
			}
		}
		if bad := notFinite(t.Metrics); bad != "" {
			t.Status, t.Metrics = store.Failed, nil
			t.Failure = fmt.Sprintf("the evaluator's %s is not a number", bad)
		} else if err := l.require(t); err != nil {
			return err
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return l.append(t)
}

// append makes a finished trial durable and shows it.
func (l *ledger) append(t *store.Trial) error {
	t.Elapsed = l.before + time.Since(l.started).Seconds()
	if err := l.Log.Append(t); err != nil {
		return err
	}
	l.Observer.Trial(t, false)
	return nil
}

// labels is a JSON object in the order of the decisions.
func labels(taken []space.Labelled) json.RawMessage {
	out := []byte{'{'}
	for i, d := range taken {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, quote(d.Address)...)
		out = append(out, ':')
		out = append(out, quote(d.Label)...)
	}
	return append(out, '}')
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string can always be written
		return []byte(`""`)
	}
	return b
}
