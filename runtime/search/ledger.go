package search

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// ledger is a search under way. It keeps results that can be reused, and of all
// other trials no more than their number.
type ledger struct {
	*Search
	recorded recorded
	first    map[*known]*store.Trial // the first result of an architecture
	alike    map[string]*store.Trial // likewise, by hash
	out      Outcome                 // so far
	failure  string                  // the first
	violated string                  // the first
	asked    int64                   // proposals so far, rejected ones included
	rejected int                     // proposals in a row
	spent    Spent
	idle     int // trials in a row that used nothing of the budget
	started  time.Time
	before   float64 // wall seconds of earlier sessions

	mu sync.Mutex // guards the log and the observer while a batch is evaluated
}

// proposal is what an optimizer proposes, and the trial that it becomes.
type proposal struct {
	*known
	number int64 // among all proposals
	trial  *store.Trial
	logged bool // the log has it already
}

// recorded goes through the trials of earlier sessions.
type recorded struct {
	next *store.Trial // nil: there are no more
	pull func() (*store.Trial, error, bool)
	stop func()
}

func (r *recorded) advance() (err error) {
	t, err, ok := r.pull()
	if r.next = t; !ok {
		r.next = nil
	}
	return err
}

// take is the trial of a number, nil when the log does not hold it.
func (r *recorded) take(number int64) (*store.Trial, error) {
	t := r.next
	if t == nil || t.Number != number {
		return nil, nil
	}
	return t, r.advance()
}

func (s *Search) open() (*ledger, error) {
	l := &ledger{Search: s, first: map[*known]*store.Trial{}, alike: map[string]*store.Trial{}, started: time.Now()}
	l.recorded.stop = func() {}
	if !s.Resumed {
		return l, nil
	}
	tally, err := s.Log.Tally()
	if err != nil {
		return nil, err
	}
	l.before = tally.Seconds
	l.recorded.pull, l.recorded.stop = iter.Pull2(s.Log.Trials())
	return l, l.recorded.advance()
}

// maxRejected is how many proposals in a row may be outside of the space.
const maxRejected = 100_000

// ask tells finished trials and gets up to n proposals that the space admits; none
// when the optimizer has nothing more to propose. What is rejected is told at once
// and asked for again. Whether it is follows from the genotype, so that a resumed
// search asks alike.
func (l *ledger) ask(ctx context.Context, told []wire.Told, n int) ([]*proposal, error) {
	batch := make([]*proposal, 0, n)
	for len(batch) < n {
		missing := n - len(batch)
		got, err := l.Optimizer.Step(ctx, told, missing)
		if err != nil {
			return nil, err
		}
		told = nil
		if len(got) > missing {
			return nil, fmt.Errorf("the optimizer proposed %d architectures when asked for %d", len(got), missing)
		}
		if len(got) == 0 {
			if len(batch) == 0 && !l.Optimizer.Done() {
				return nil, fmt.Errorf("the optimizer waits for results that it has been told")
			}
			break
		}
		made := make([]proposal, len(got))
		for i, g := range got {
			p := &made[i]
			p.number = l.asked
			l.asked++
			if p.known, err = l.Catalogue.meet(g); err != nil {
				return nil, fmt.Errorf("the optimizer's proposal %d is not in the space: %w", p.number, err)
			}
			if p.outside == "" {
				l.rejected = 0
				batch = append(batch, p)
				continue
			}
			if l.rejected++; l.rejected == maxRejected && !l.Ends {
				return nil, fmt.Errorf("%w; the last: %s", ErrRejected, p.outside)
			}
			told = append(told, wire.Told{Trial: p.number, Failure: p.outside, Rejected: true})
		}
		if told == nil {
			return batch, nil
		}
	}
	if told != nil {
		if _, err := l.Optimizer.Step(ctx, told, 0); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

// propose makes trials of proposals, taking from the log those it holds.
func (l *ledger) propose(batch []*proposal) error {
	for i, p := range batch {
		number := int64(l.out.Trials + i)
		t, err := l.recorded.take(number)
		if err != nil {
			return err
		}
		if t != nil {
			if text := l.Catalogue.space.Format(p.genotype); t.Genotype != text {
				return &MismatchError{number, t.Genotype, text}
			}
			p.recall(t.Architecture)
			p.trial, p.logged = t, true
			continue
		}
		p.trial = &store.Trial{Number: number}
	}
	return nil
}

// describe completes a trial that is not a repeat.
func (l *ledger) describe(p *proposal) error {
	a, failure, err := l.Catalogue.describe(p.known)
	if err != nil {
		return err
	}
	p.trial.Architecture = a
	p.trial.Seed = stream.Seed(l.Seed, "trial", uint64(p.trial.Number))
	if failure != "" {
		p.trial.Status, p.trial.Failure = store.Failed, failure
	}
	return nil
}

// told is what the optimizer learns of a trial.
func (p *proposal) told() wire.Told {
	t := p.trial
	out := wire.Told{Trial: p.number, Failure: t.Failure, Infeasible: t.Status == store.Infeasible,
		Metrics: wire.Validation{SimulatedSeconds: t.Simulated, Epochs: t.Epochs}}
	if t.Status != store.Failed {
		out.Metrics.Values = t.Metrics.Values
	}
	return out
}

// earlier is the trial whose result stands for p; nil when there is none.
func (l *ledger) earlier(p *proposal) *store.Trial {
	switch l.Reuse {
	case ReuseGenotype:
		return l.first[p.known]
	case ReuseIsomorphic:
		if p.trial.Architecture != nil && p.trial.Hash != "" {
			return l.alike[p.trial.Hash]
		}
	}
	return nil
}

// remember keeps a result that can stand for later trials.
func (l *ledger) remember(p *proposal) {
	switch t := p.trial; {
	case t.Status == store.Failed:
	case l.Reuse == ReuseGenotype && l.first[p.known] == nil:
		l.first[p.known] = t
	case l.Reuse == ReuseIsomorphic && t.Hash != "" && l.alike[t.Hash] == nil:
		l.alike[t.Hash] = t
	}
}

// count books a trial that is in the log.
func (l *ledger) count(p *proposal) {
	t := p.trial
	l.spent.Add(t)
	l.remember(p)
	l.out.Trials++
	switch t.Status {
	case store.Failed:
		l.out.Failed++
		if l.failure == "" {
			l.failure = t.Failure
		}
		return
	case store.Infeasible:
		l.out.Infeasible++
		if l.violated == "" {
			l.violated = t.Failure
		}
	}
	if t.Reused != nil {
		l.out.Reused++
	}
	if t.Status == store.OK && (l.out.Best == nil || Better(l.Objectives, t, l.out.Best)) {
		l.out.Best, l.out.Genotype = t, p.genotype
	}
}

// idle is how many trials in a row may use nothing of the budget.
const idle = 100

// moves reports a search that would never end: its evaluator does not know the
// unit of the budget, or every trial fails without cost.
func (l *ledger) moves(batch []*proposal) error {
	for _, p := range batch {
		t := p.trial
		var one Spent
		one.Add(t)
		switch {
		case l.Budget.Unit == Wall, one.of(l.Budget.Unit) > 0:
			l.idle = 0
		case t.Status != store.Failed:
			return fmt.Errorf("%w: the evaluator reports no %s", ErrNeverSpent, measured[l.Budget.Unit])
		default:
			l.idle++
		}
		if l.idle == idle {
			return fmt.Errorf("%d trials in a row failed and used nothing of the budget; the last: %s", idle, t.Failure)
		}
	}
	return nil
}
