// Package search runs a search: it asks an optimizer for architectures, has an
// evaluator judge them, and keeps the log.
//
//	Ask(n) → admit → bind → reuse or Evaluate → append to the log → Tell in trial order
//
// An optimizer knows the decision tree of a space and nothing of its constraints.
// What it proposes outside of them is told back as rejected and asked for again:
// it is no trial, costs nothing and is in no log. A trial that violates a
// requirement of the search, in contrast, has been measured: it is logged as
// infeasible and counts in the budget, but it can never be the winner.
//
// The host owns all state. An optimizer is a function of its seed and of what
// it was told, so a search that was killed is resumed by asking and telling
// again from the log; the proposals are compared with the log on the way, and
// only what the log does not hold is evaluated.
//
// Seeds come from (run seed, stream name, counter); see compiler/space/stream.
// The wall clock decides nothing, except under a budget of wall seconds, whose
// searches cannot be repeated. With n workers, n architectures are proposed at
// once, judged in parallel and told together in trial order: a search is
// determined by its seed and its number of workers.
package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// Optimizer proposes architectures.
type Optimizer interface {
	// Step reports finished proposals in the order of their numbers, rejected ones
	// before those that they were proposed with. Then it returns up to n genotypes,
	// the next proposals; none, once everything is told, when there is nothing more
	// to propose.
	Step(ctx context.Context, told []wire.Told, n int) ([]space.Genotype, error)
	// Done reports whether it has nothing more to propose.
	Done() bool
}

// Evaluator judges architectures. One Evaluator is used by one goroutine.
type Evaluator interface {
	// Evaluate judges one architecture. A *wire.Problem is the architecture's
	// own failure; any other error stops the search.
	Evaluate(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.ValidationMetrics, error)
	// Test measures one architecture on the held-out test split.
	Test(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.TestMetrics, error)
}

// Space is what the loop needs of the thing that is searched.
type Space interface {
	Check(space.Genotype) error
	Format(space.Genotype) string
	Parse(string) (space.Genotype, error)
	Labels(space.Genotype) []space.Labelled
	Bind(space.Genotype) (*graph.Graph, error)
}

// Reuse says when the result of an earlier trial stands for a new one. A trial
// whose result is reused still counts in the budget, as published protocols
// count it.
type Reuse string

// The kinds of reuse. Tables list isomorphic architectures apart, with results
// of their own, so only equal genotypes are equal unless the user says more.
const (
	ReuseGenotype   Reuse = "genotype"   // the same decisions
	ReuseIsomorphic Reuse = "isomorphic" // the same graph up to isomorphism
	ReuseOff        Reuse = "off"
)

// Observer follows a search. Its functions are called one at a time.
type Observer interface {
	// Trial reports a finished trial; replayed when it was read from the log.
	Trial(t *store.Trial, replayed bool)
	// Progress reports on trials that are being evaluated.
	Progress(trial int64, p wire.Progress)
	// Testing says that the winner is being tested.
	Testing(t *store.Trial)
}

// Requirement is a condition on the metrics of a trial.
type Requirement interface {
	// Violated says how the metrics violate it, "" when they do not.
	Violated(metrics map[string]float64) (string, error)
}

// Search is a search ready to run.
type Search struct {
	Space      Space
	Admits     func(space.Genotype) error // why the space does not admit it; nil: it admits all
	Optimizer  Optimizer
	Evaluators []Evaluator // one per worker, all configured alike
	Log        *store.Run
	Seed       uint64
	Budget     Budget
	Objectives []store.Objective
	// Metrics are the names of what a trial reports, in the order in which the
	// optimizer is told.
	Metrics  []string
	Analytic []string // of Analytic, added to what the evaluator reports
	Require  []Requirement
	Reuse    Reuse
	Ends     bool // the optimizer comes to an end, however much it proposes outside of the space
	Observer Observer
	// Retrain makes the network that is tested of the winner's decisions; nil:
	// the winner itself.
	Retrain func(space.Genotype) (*graph.Graph, error)
}

// Outcome is the end of a search.
type Outcome struct {
	Trials     int
	Failed     int
	Infeasible int
	Reused     int
	Best       *store.Trial
	Genotype   space.Genotype
	Graph      *graph.Graph
	Retrained  *graph.Graph       // what was tested, when it is not Graph
	Test       map[string]float64 // nil when the evaluator cannot test
	TestNote   string             // why not
}

// ErrAllFailed means that no trial had a result.
var ErrAllFailed = errors.New("every trial failed")

// ErrInfeasible means that no trial that had a result satisfies the requirements.
var ErrInfeasible = errors.New("no architecture satisfies the requirements of the search")

// ErrRejected means that an optimizer does not get into the space.
var ErrRejected = fmt.Errorf("the optimizer proposed %d architectures in a row that are outside of the space", maxRejected)

// ErrNeverSpent means that a search would go on for ever.
var ErrNeverSpent = errors.New("the budget is never spent")

// MismatchError means that an optimizer did not repeat what the log says that
// it proposed: the plugin, or something it reads, is not what it was.
type MismatchError struct {
	Trial         int64
	Logged, Asked string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the optimizer proposes %s for trial %d, the log says %s", e.Asked, e.Trial, e.Logged)
}

// Run searches until the budget is spent, tests the best trial and records its
// test metrics. It goes on from whatever the log holds already. When ctx is
// cancelled it returns ctx's error; everything finished is in the log.
func (s *Search) Run(ctx context.Context) (*Outcome, error) {
	l, err := s.replay()
	if err != nil {
		return nil, err
	}
	var told []wire.Told
	for {
		n := s.Budget.batch(l.spent, len(s.Evaluators))
		if n == 0 {
			break
		}
		asked, err := l.ask(ctx, told, n)
		if err != nil {
			return nil, err
		}
		told = nil
		if len(asked) == 0 {
			break
		}
		batch, err := l.propose(asked)
		if err != nil {
			return nil, err
		}
		if err := l.evaluate(ctx, batch); err != nil {
			return nil, err
		}
		told = make([]wire.Told, len(batch))
		for i, t := range batch {
			told[i] = s.told(asked[i].number, t)
			l.count(t)
		}
		if err := l.moves(batch); err != nil {
			return nil, err
		}
	}
	if _, err := s.Optimizer.Step(ctx, told, 0); err != nil {
		return nil, err
	}
	if len(l.recorded) > 0 {
		return nil, fmt.Errorf("the log has %d trials more than the budget allows", len(l.recorded))
	}
	return l.finish(ctx)
}

// told is what the optimizer learns of a trial.
func (s *Search) told(number int64, t *store.Trial) wire.Told {
	out := wire.Told{Trial: number, Failure: t.Failure, Infeasible: t.Status == store.Infeasible,
		Metrics: wire.Validation{SimulatedSeconds: t.Simulated, Epochs: t.Epochs}}
	if t.Status != store.Failed {
		for _, name := range s.Metrics {
			out.Metrics.Values = append(out.Metrics.Values, t.Metrics[name])
		}
	}
	return out
}

// Better reports whether trial a is better than b: by the first objective in
// which they differ.
func Better(objectives []store.Objective, a, b *store.Trial) bool {
	for _, o := range objectives {
		x, y := a.Metrics[o.Metric], b.Metrics[o.Metric]
		if x != y {
			return (x > y) == o.Maximize
		}
	}
	return false
}

// Best returns the best trial that has a result, the first of several equal
// ones; nil when there is none.
func Best(objectives []store.Objective, trials []*store.Trial) *store.Trial {
	var best *store.Trial
	for _, t := range trials {
		if t.Status == store.OK && (best == nil || Better(objectives, t, best)) {
			best = t
		}
	}
	return best
}

// ledger is a search under way.
type ledger struct {
	*Search
	recorded map[int64]*store.Trial  // in the log, not yet replayed
	first    map[string]*store.Trial // the first result for a reuse key
	graphs   map[int64]*graph.Graph  // of the trials of the current batch
	trials   []*store.Trial
	asked    int64 // proposals so far, rejected ones included
	rejected int   // proposals in a row
	spent    Spent
	idle     int // trials in a row that used nothing of the budget
	started  time.Time
	before   float64 // wall seconds of earlier sessions
}

func (s *Search) replay() (*ledger, error) {
	trials, err := s.Log.Trials()
	if err != nil {
		return nil, err
	}
	l := &ledger{
		Search:   s,
		recorded: make(map[int64]*store.Trial, len(trials)),
		first:    map[string]*store.Trial{},
		started:  time.Now(),
	}
	for _, t := range trials {
		l.recorded[t.Number] = t
		l.before = max(l.before, t.Elapsed)
	}
	return l, nil
}

// proposal is what an optimizer proposes, with its number among all proposals.
type proposal struct {
	number   int64
	genotype space.Genotype
}

// maxRejected is how many proposals in a row may be outside of the space.
const maxRejected = 100_000

// ask tells the trials that are finished and gets up to n proposals that the space
// admits; none when the optimizer has nothing more to propose. What is rejected is
// told at once and asked for again. Whether it is follows from the genotype, so that
// a resumed search asks alike.
func (l *ledger) ask(ctx context.Context, told []wire.Told, n int) ([]proposal, error) {
	var batch []proposal
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
		for _, g := range got {
			p := proposal{l.asked, g}
			l.asked++
			if err := l.Space.Check(g); err != nil {
				return nil, fmt.Errorf("the optimizer's proposal %d is not in the space: %w", p.number, err)
			}
			reason := l.outside(g)
			if reason == "" {
				l.rejected = 0
				batch = append(batch, p)
				continue
			}
			if l.rejected++; l.rejected == maxRejected && !l.Ends {
				return nil, fmt.Errorf("%w; the last: %s", ErrRejected, reason)
			}
			told = append(told, wire.Told{Trial: p.number, Failure: reason, Rejected: true})
		}
		if told == nil {
			break
		}
	}
	if told != nil { // the batch is full
		_, err := l.Optimizer.Step(ctx, told, 0)
		return batch, err
	}
	return batch, nil
}

// outside is why the space does not admit a genotype, "" when it does.
func (l *ledger) outside(g space.Genotype) string {
	if l.Admits == nil {
		return ""
	}
	if err := l.Admits(g); err != nil {
		return err.Error()
	}
	return ""
}

// propose makes trials of proposals, taking from the log those it holds.
func (l *ledger) propose(asked []proposal) ([]*store.Trial, error) {
	l.graphs = make(map[int64]*graph.Graph, len(asked))
	batch := make([]*store.Trial, len(asked))
	for i, p := range asked {
		number, g := int64(len(l.trials)+i), p.genotype
		text := l.Space.Format(g)
		if t, ok := l.recorded[number]; ok {
			if t.Genotype != text {
				return nil, &MismatchError{number, t.Genotype, text}
			}
			batch[i] = t
			continue
		}
		t := &store.Trial{
			Number:   number,
			Genotype: text,
			Labels:   labels(l.Space.Labels(g)),
			Seed:     stream.Seed(l.Seed, "trial", uint64(number)),
		}
		bound, err := l.Space.Bind(g)
		if err != nil {
			t.Status, t.Failure = store.Failed, err.Error()
		} else {
			t.Hash = bound.Hash().String()
			l.graphs[number] = bound
		}
		batch[i] = t
	}
	return batch, nil
}

// key names what makes two architectures equal; "" for never.
func (l *ledger) key(t *store.Trial) string {
	switch l.Reuse {
	case ReuseGenotype:
		return t.Genotype
	case ReuseIsomorphic:
		return t.Hash
	}
	return ""
}

// count books a trial that is in the log.
func (l *ledger) count(t *store.Trial) {
	l.trials = append(l.trials, t)
	l.spent.Add(t)
	l.remember(t)
	delete(l.recorded, t.Number)
}

func (l *ledger) remember(t *store.Trial) {
	if k := l.key(t); k != "" && t.Status != store.Failed && l.first[k] == nil {
		l.first[k] = t
	}
}

// idle is how many trials in a row may use nothing of the budget.
const idle = 100

// moves reports a search that would never end: its evaluator does not know the
// unit of the budget, or every trial fails without cost.
func (l *ledger) moves(batch []*store.Trial) error {
	for _, t := range batch {
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

// finish tests the winner, unless the log has its test metrics already.
func (l *ledger) finish(ctx context.Context) (*Outcome, error) {
	out := &Outcome{Trials: len(l.trials), Best: Best(l.Objectives, l.trials)}
	var failure, violation string
	for _, t := range l.trials {
		switch {
		case t.Status == store.Failed:
			out.Failed++
			failure = cmp.Or(failure, t.Failure)
			continue
		case t.Status == store.Infeasible:
			out.Infeasible++
			violation = cmp.Or(violation, t.Failure)
		}
		if t.Reused != nil {
			out.Reused++
		}
	}
	switch {
	case out.Best != nil:
	case violation != "":
		return nil, fmt.Errorf("%w; the first: %s", ErrInfeasible, violation)
	case failure != "":
		return nil, fmt.Errorf("%w; the first: %s", ErrAllFailed, failure)
	default:
		return nil, errors.New("the optimizer proposed no architecture")
	}
	var err error
	if out.Genotype, err = l.Space.Parse(out.Best.Genotype); err != nil {
		return nil, fmt.Errorf("trial %d: %w", out.Best.Number, err)
	}
	if out.Graph, err = l.Space.Bind(out.Genotype); err != nil {
		return nil, err
	}
	tested := out.Graph
	if l.Retrain != nil {
		if out.Retrained, err = l.Retrain(out.Genotype); err != nil {
			return nil, fmt.Errorf("trial %d: %w", out.Best.Number, err)
		}
		tested = out.Retrained
	}
	if _, out.Test, err = l.Log.Test(); err != nil || out.Test != nil {
		return out, err
	}
	l.Observer.Testing(out.Best)
	job := wire.Job{Number: out.Best.Number, Graph: wire.OneGraph(tested), Seed: out.Best.Seed}
	result, err := l.Evaluators[0].Test(ctx, job, func(p wire.Progress) { l.Observer.Progress(job.Number, p) })
	var failed *wire.Problem
	switch {
	case errors.As(err, &failed):
		out.TestNote = failed.Message
		return out, nil
	case err != nil:
		return nil, err
	}
	if bad := notFinite(result.Values); bad != "" {
		out.TestNote = fmt.Sprintf("the evaluator's %s on the test split is not a number", bad)
		return out, nil
	}
	out.Test = result.Values
	if err := l.Log.SetTest(out.Best.Number, out.Test); err != nil {
		return nil, err
	}
	return out, nil
}

// notFinite names a metric that is NaN or infinite, "" when there is none.
func notFinite(metrics map[string]float64) string {
	var bad []string
	for name, v := range metrics {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			bad = append(bad, name)
		}
	}
	if bad == nil {
		return ""
	}
	return slices.Min(bad)
}
