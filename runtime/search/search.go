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
// searches cannot be repeated. A batch of architectures is proposed at once, judged
// by as many workers as there are, and told together in trial order: a search is
// determined by its seed and the size of its batches.
//
// A one-shot search ([OneShot]) has stages in the place of batches: the optimizer calls
// for steps of a supernet, which the evaluator does, and what it would end with after
// each stage is a trial of the log. The winner is that of the last stage. Such an
// optimizer cannot be asked again, so its state is kept in the log.
//
//	Stage → calls → evaluator → replies → derive → report → save → append to the log
//
// Searches of one space may run at the same time and share a [Catalogue], so that
// an architecture is bound, hashed and described once however many of them meet it.
package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
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

// Evaluator judges architectures.
type Evaluator interface {
	// EvaluateAll judges architectures and calls observe with one event at a time.
	// An error stops the search; what had its result keeps it.
	EvaluateAll(ctx context.Context, jobs []wire.Job, observe func(wire.Event)) error
	// Test measures one architecture on the held-out test split.
	Test(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.TestMetrics, error)
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
	// Reported tells what the report said of the architecture of a stage, before Trial,
	// or why it said nothing.
	Reported(t *store.Trial, metrics map[string]float64, note string)
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
	Catalogue  *Catalogue
	Optimizer  Optimizer   // nil: the search is one-shot
	OneShot    *OneShot    // of a search of a supernet
	Evaluators []Evaluator // one per worker, all configured alike
	// Report tests what is tested in the place of the first evaluator, and each stage
	// of a one-shot search; nil: nothing does.
	Report     Evaluator
	Log        *store.Run // begun
	Resumed    bool       // the log may hold trials
	Seed       uint64
	Budget     Budget
	Batch      int // how many architectures are proposed at once
	Objectives []store.Objective
	// Metrics are the names of what a trial reports, in the order in which the
	// optimizer is told: those of the evaluator, then the analytic ones.
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
	Genotype   space.Genotype     // of the best
	Retrained  *graph.Graph       // what was tested, when it is another graph
	Test       map[string]float64 // nil when the evaluator cannot test
	TestNote   string             // why not

	// Of a one-shot search: wall seconds of the stages of this session, and how many of
	// them the evaluator spent on its supernet.
	Searched, Trained float64
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
	if s.OneShot != nil {
		return s.stages(ctx)
	}
	l, err := s.open()
	if err != nil {
		return nil, err
	}
	defer l.recorded.stop()
	var told []wire.Told
	for {
		n := s.Budget.batch(l.spent, max(1, s.Batch))
		if n == 0 {
			break
		}
		batch, err := l.ask(ctx, told, n)
		if err != nil {
			return nil, err
		}
		told = nil
		if len(batch) == 0 {
			break
		}
		if err := l.propose(batch); err != nil {
			return nil, err
		}
		if err := l.evaluate(ctx, batch); err != nil {
			return nil, err
		}
		told = make([]wire.Told, len(batch))
		for i, p := range batch {
			told[i] = p.told()
			l.count(p)
		}
		if err := l.moves(batch); err != nil {
			return nil, err
		}
	}
	if _, err := s.Optimizer.Step(ctx, told, 0); err != nil {
		return nil, err
	}
	if l.recorded.next != nil {
		return nil, fmt.Errorf("the log goes on with trial %d after the budget is spent", l.recorded.next.Number)
	}
	return l.finish(ctx)
}

// Better reports whether trial a is better than b: by the first objective in
// which they differ.
func Better(objectives []store.Objective, a, b *store.Trial) bool {
	for _, o := range objectives {
		x, y := a.Metrics.Get(o.Metric), b.Metrics.Get(o.Metric)
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

// finish tests the best trial.
func (l *ledger) finish(ctx context.Context) (*Outcome, error) {
	out := &l.out
	switch {
	case out.Best != nil:
	case l.violated != "":
		return nil, fmt.Errorf("%w; the first: %s", ErrInfeasible, l.violated)
	case l.failure != "":
		return nil, fmt.Errorf("%w; the first: %s", ErrAllFailed, l.failure)
	default:
		return nil, errors.New("the optimizer proposed no architecture")
	}
	return l.conclude(ctx, out, nil)
}

// conclude tests the winner of a search and records its test metrics, unless the log
// has them already or a test has said what they are.
func (s *Search) conclude(ctx context.Context, out *Outcome, known map[string]float64) (*Outcome, error) {
	job, retrained, err := s.job(out.Best, out.Genotype)
	if err != nil {
		return nil, err
	}
	out.Retrained = retrained
	if s.Resumed {
		if _, out.Test, err = s.Log.Test(); err != nil || out.Test != nil {
			return out, err
		}
	}
	if out.Test = known; known == nil {
		s.Observer.Testing(out.Best)
		if out.Test, out.TestNote, err = s.test(ctx, job); err != nil {
			return nil, err
		}
	}
	if out.Test == nil {
		return out, nil
	}
	return out, s.Log.SetTest(out.Best.Number, out.Test)
}

// job is the test of the architecture of a trial, as it is trained again if the search
// says so.
func (s *Search) job(t *store.Trial, g space.Genotype) (job wire.Job, retrained *graph.Graph, err error) {
	job = wire.Job{Number: t.Number, Architecture: uint64(t.ID), Seed: t.Seed,
		Graph: func() (*graph.Graph, error) { return s.Catalogue.space.Bind(g) }}
	if s.Retrain != nil {
		if retrained, err = s.Retrain(g); err != nil {
			return job, nil, fmt.Errorf("trial %d: %w", t.Number, err)
		}
		job.Architecture, job.Graph = 0, wire.OneGraph(retrained)
	}
	return job, retrained, nil
}

// test measures an architecture on the test split, by what reports or else by the
// evaluator of the search; without a result it says why there is none.
func (s *Search) test(ctx context.Context, job wire.Job) (metrics map[string]float64, note string, err error) {
	by := s.Report
	if by == nil {
		by = s.Evaluators[0]
	}
	result, err := by.Test(ctx, job, func(p wire.Progress) { s.Observer.Progress(job.Number, p) })
	var failed *wire.Problem
	switch {
	case errors.As(err, &failed):
		return nil, failed.Message, nil
	case err != nil:
		return nil, "", err
	}
	for _, name := range slices.Sorted(maps.Keys(result.Values)) {
		if v := result.Values[name]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Sprintf("the evaluator's %s on the test split is not a number", name), nil
		}
	}
	return result.Values, "", nil
}
