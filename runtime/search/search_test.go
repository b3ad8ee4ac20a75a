package search

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// small is a space of 16 architectures: two decisions of four alternatives.
type small struct{ *space.Space }

func newSmall(t *testing.T) small {
	t.Helper()
	decision := func(address string) *space.Decision {
		d := &space.Decision{Address: address, Kind: space.OneOf, Min: 1, Max: 1}
		for _, label := range []string{"a", "b", "c", "d"} {
			d.Alts = append(d.Alts, &space.Alt{Label: label})
		}
		return d
	}
	s, err := space.New("small", &space.Group{Decisions: []*space.Decision{decision("x"), decision("y")}})
	if err != nil {
		t.Fatal(err)
	}
	return small{s}
}

// Bind makes two ops that are added, so that (a, b) and (b, a) are isomorphic.
func (s small) Bind(g space.Genotype) (*graph.Graph, error) {
	shape := graph.Shape{1, 1, 1}
	out := &graph.Graph{Name: "small", Kind: "space", Inputs: []graph.Input{{Name: "image", Shape: shape}}, Output: 2}
	for _, l := range s.Labels(g) {
		out.Nodes = append(out.Nodes, &graph.Node{Name: l.Address, Op: l.Label, Inputs: []graph.Ref{graph.InputRef(0)}, Shape: shape})
	}
	out.Nodes = append(out.Nodes, &graph.Node{Name: "sum", Op: "sum", Inputs: []graph.Ref{0, 1}, Shape: shape, Commutative: true})
	return out, nil
}

// climber mutates the best it was told of every other time, so a wrong or missing Tell shows in
// what it proposes.
type climber struct {
	space    *space.Space
	rng      *rand.Rand
	best     space.Genotype
	proposed []space.Genotype
	score    float64
	limit    int // proposals in all; 0: no limit
	asked    int
	told     map[int64]bool
}

func (c *climber) Step(_ context.Context, told []wire.Told, n int) ([]space.Genotype, error) {
	for _, t := range told {
		if c.told[t.Trial] {
			return nil, fmt.Errorf("trial %d is told twice", t.Trial)
		}
		c.told[t.Trial] = true
		if v := t.Metrics.Values; v != nil && (c.best == nil || v[0] > c.score) {
			c.best, c.score = c.proposed[t.Trial], v[0]
		}
	}
	var out []space.Genotype
	for range n {
		if c.limit > 0 && c.asked == c.limit {
			break
		}
		c.asked++
		if c.best == nil || c.asked%2 == 0 {
			out = append(out, c.space.Sample(c.rng))
		} else {
			out = append(out, c.space.Mutate(c.rng, c.best))
		}
	}
	c.proposed = append(c.proposed, out...)
	return out, nil
}

func (c *climber) Done() bool { return c.limit > 0 && c.asked == c.limit }

// judge scores graphs by their ops.
type judge struct {
	mu     sync.Mutex
	seen   []int64 // trials in the order of evaluation
	begun  int     // evaluations
	before func(n int)
	refuse string  // the op that fails
	fault  error   // instead of any result
	nan    bool    // instead of any number
	free   bool    // without simulated seconds
	value  float64 // added, per evaluation before
}

func (j *judge) Evaluate(ctx context.Context, job wire.Job) (wire.ValidationMetrics, error) {
	j.mu.Lock()
	n := j.begun
	j.begun++
	j.mu.Unlock()
	if j.before != nil {
		j.before(n)
	}
	if err := ctx.Err(); err != nil {
		return wire.ValidationMetrics{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seen = append(j.seen, job.Number)
	if j.fault != nil {
		return wire.ValidationMetrics{}, j.fault
	}
	v := j.value * float64(n)
	g, _ := job.Graph()
	for i, node := range g.Nodes[:2] {
		if node.Op == j.refuse {
			return wire.ValidationMetrics{}, &wire.Problem{Message: "no " + node.Op + " please"}
		}
		v += float64(int(node.Op[0]-'a') * (i + 1))
	}
	if j.nan {
		v = math.NaN()
	}
	result := wire.ValidationMetrics{Values: map[string]float64{"score": v}, SimulatedSeconds: 10, Epochs: 2}
	if j.free {
		result.SimulatedSeconds = 0
	}
	return result, nil
}

// EvaluateAll judges one after the other.
func (j *judge) EvaluateAll(ctx context.Context, jobs []wire.Job, observe func(wire.Event)) error {
	for _, job := range jobs {
		m, err := j.Evaluate(ctx, job)
		var failed *wire.Problem
		if err != nil && !errors.As(err, &failed) {
			return err
		}
		r := wire.Result{Failure: failed}
		if failed == nil {
			r.Metrics = wire.Validation{Values: []float64{m.Values["score"]}, SimulatedSeconds: m.SimulatedSeconds, Epochs: m.Epochs}
		}
		observe(wire.Event{Number: job.Number, Result: &r})
	}
	return nil
}

func (j *judge) Test(_ context.Context, job wire.Job, _ func(wire.Progress)) (wire.TestMetrics, error) {
	return wire.TestMetrics{Values: map[string]float64{"test": float64(job.Seed % 1000)}}, nil
}

type quiet struct{}

func (quiet) Trial(*store.Trial, bool)      {}
func (quiet) Progress(int64, wire.Progress) {}
func (quiet) Testing(*store.Trial)          {}

func (quiet) Reported(*store.Trial, map[string]float64, string) {}

type setup struct {
	dir     string
	seed    uint64
	workers int
	batch   int // 0: as workers
	budget  Budget
	reuse   Reuse
	judge   *judge
	limit   int
}

// open opens or makes a run whose trials have the metrics score and, perhaps, more.
func open(t *testing.T, dir string, more ...string) (log *store.Run, resumed bool) {
	t.Helper()
	f, err := store.Open(dir)
	if errors.Is(err, store.ErrNotRun) {
		f, err = store.Create(dir, &store.Folder{}, []store.Point{{Manifest: &store.Manifest{Metrics: append([]string{"score"}, more...)}}})
	} else {
		resumed = true
	}
	if err != nil {
		t.Fatal(err)
	}
	return f.Runs[0], resumed
}

// logged is the log of a run.
func logged(t *testing.T, log *store.Run) string {
	t.Helper()
	_ = log.Folder.Sync() // the search has told of its errors
	var text bytes.Buffer
	if err := log.Log(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// run opens or makes the run and searches.
func (u setup) run(t *testing.T, ctx context.Context) (*Outcome, string, error) {
	t.Helper()
	log, resumed := open(t, u.dir)
	defer log.Folder.Close()
	sp := newSmall(t)
	s := &Search{
		Catalogue: NewCatalogue(sp, nil, log.Folder), Log: log, Resumed: resumed, Seed: u.seed, Budget: u.budget,
		Batch: cmp.Or(u.batch, u.workers), Reuse: u.reuse, Observer: quiet{},
		Optimizer:  &climber{space: sp.Space, rng: stream.New(u.seed, "climber", 0), limit: u.limit, told: map[int64]bool{}},
		Objectives: []store.Objective{{Metric: "score", Maximize: true}}, Metrics: []string{"score"},
	}
	for range max(1, u.workers) {
		s.Evaluators = append(s.Evaluators, u.judge)
	}
	out, err := s.Run(ctx)
	return out, logged(t, log), err
}

func evaluations(n float64) Budget { return Budget{Evaluations, n} }

// TestResume interrupts a search during each of its evaluations in turn and
// compares the log of the resumed search with that of an undisturbed one.
func TestResume(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, reuse := range []Reuse{ReuseGenotype, ReuseOff} {
			u := setup{dir: filepath.Join(t.TempDir(), "whole"), seed: 7, workers: workers, budget: evaluations(20), reuse: reuse, judge: &judge{}}
			_, want, err := u.run(t, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			whole := len(u.judge.seen)
			for stop := range whole {
				ctx, cancel := context.WithCancel(t.Context())
				u.dir, u.judge = filepath.Join(t.TempDir(), "r"), &judge{}
				u.judge.before = func(n int) {
					if n == stop {
						cancel()
					}
				}
				if _, _, err := u.run(t, ctx); !errors.Is(err, context.Canceled) {
					t.Fatalf("interrupted at %d: %v", stop, err)
				}
				u.judge.before = nil
				_, got, err := u.run(t, t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Fatalf("%d workers, reuse %s, interrupted at %d:\n%swant:\n%s", workers, reuse, stop, got, want)
				}
				if len(u.judge.seen) != whole {
					t.Errorf("%d workers, interrupted at %d: trials %v evaluated, %d in an undisturbed run", workers, stop, u.judge.seen, whole)
				}
			}
		}
	}
}

func TestResumeFinished(t *testing.T) {
	u := setup{dir: filepath.Join(t.TempDir(), "r"), budget: evaluations(5), judge: &judge{}}
	_, want, err := u.run(t, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u.judge = &judge{}
	if out, got, err := u.run(t, t.Context()); err != nil || got != want || len(u.judge.seen) != 0 || out.Test == nil {
		t.Errorf("a finished run gave %+v, %v, evaluated %v", out, err, u.judge.seen)
	}
}

// TestBatch: the size of a batch determines the log, and the number of workers does
// not.
func TestBatch(t *testing.T) {
	logs := map[int]string{}
	for _, batch := range []int{1, 4, 7} {
		for _, workers := range []int{1, 3, 9} {
			u := setup{dir: filepath.Join(t.TempDir(), "r"), seed: 3, workers: workers, batch: batch, budget: evaluations(30), reuse: ReuseGenotype, judge: &judge{}}
			_, log, err := u.run(t, t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if logs[batch] == "" {
				logs[batch] = log
			}
			if log != logs[batch] {
				t.Errorf("batches of %d: with %d workers\n%swith 1\n%s", batch, workers, log, logs[batch])
			}
		}
	}
	if logs[1] == logs[4] || logs[4] == logs[7] {
		t.Error("batches change nothing")
	}
}

// TestMismatch: an optimizer that does not repeat itself is found out, and the
// log stays as it was.
func TestMismatch(t *testing.T) {
	u := setup{dir: filepath.Join(t.TempDir(), "r"), seed: 1, budget: evaluations(5), judge: &judge{}}
	_, want, err := u.run(t, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u.seed = 2
	_, got, err := u.run(t, t.Context())
	var m *MismatchError
	if !errors.As(err, &m) {
		t.Fatalf("error %v, want a MismatchError", err)
	}
	if got != want {
		t.Error("the log changed")
	}
}

func TestReuse(t *testing.T) {
	for _, c := range []struct {
		reuse     Reuse
		evaluated func(int) bool
	}{
		{ReuseOff, func(n int) bool { return n == 64 }},
		{ReuseGenotype, func(n int) bool { return n > 10 && n <= 16 }},
		{ReuseIsomorphic, func(n int) bool { return n <= 10 }}, // 4 + 6 up to the order of the summands
	} {
		u := setup{dir: filepath.Join(t.TempDir(), "r"), budget: evaluations(64), reuse: c.reuse, judge: &judge{value: 0.001}}
		out, log, err := u.run(t, t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := len(u.judge.seen)
		if !c.evaluated(n) || out.Trials != 64 || out.Reused != 64-n || strings.Count(log, `"reused"`) != 64-n {
			t.Errorf("reuse %s: %d evaluated, %d reused of %d", c.reuse, n, out.Reused, out.Trials)
		}
	}
}

func TestBudgets(t *testing.T) {
	for _, c := range []struct {
		budget  Budget
		workers int
		limit   int
		want    int
	}{
		{Budget{Evaluations, 7}, 1, 0, 7},
		{Budget{Evaluations, 7}, 3, 0, 7},
		{Budget{Simulated, 35}, 1, 0, 4}, // 10 s each: the fourth reaches it
		{Budget{Simulated, 40}, 1, 0, 4},
		{Budget{Simulated, 41}, 3, 0, 6},
		{Budget{Epochs, 9}, 1, 0, 5},
		{Budget{Evaluations, 7}, 1, 4, 4}, // the optimizer is done first
	} {
		u := setup{dir: filepath.Join(t.TempDir(), "r"), budget: c.budget, workers: c.workers, limit: c.limit, reuse: ReuseGenotype, judge: &judge{}}
		out, _, err := u.run(t, t.Context())
		if err != nil || out.Trials != c.want {
			t.Errorf("%v with %d workers: %+v, %v, want %d trials", c.budget, c.workers, out, err, c.want)
		}
	}
}

// TestEndlessBudgets: a budget that the evaluator never spends is an error.
func TestEndlessBudgets(t *testing.T) {
	for _, c := range []struct {
		judge *judge
		want  string
		most  int
	}{
		{&judge{free: true}, "the evaluator reports no simulated seconds", 1},
		{&judge{fault: &wire.Problem{Message: "no"}}, "100 trials in a row failed", 100},
	} {
		u := setup{dir: filepath.Join(t.TempDir(), "r"), budget: Budget{Simulated, 1000}, judge: c.judge}
		_, _, err := u.run(t, t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || len(c.judge.seen) > c.most {
			t.Errorf("%v after %d evaluations, want %q", err, len(c.judge.seen), c.want)
		}
	}
}

func TestFailures(t *testing.T) {
	u := setup{dir: filepath.Join(t.TempDir(), "some"), seed: 1, budget: evaluations(30), reuse: ReuseGenotype, judge: &judge{refuse: "b"}}
	out, log, err := u.run(t, t.Context())
	if err != nil || out.Failed == 0 || out.Failed == 30 || !strings.Contains(log, `"failure":"no b please"`) {
		t.Errorf("some trials fail: %+v, %v", out, err)
	}
	u.dir, u.judge = filepath.Join(t.TempDir(), "all"), &judge{nan: true}
	if _, log, err = u.run(t, t.Context()); !errors.Is(err, ErrAllFailed) || strings.Count(log, "score is not a number") != 30 {
		t.Errorf("every trial fails: %v\n%s", err, log)
	}
	fault := errors.New("the plugin is gone")
	u.dir, u.judge = filepath.Join(t.TempDir(), "fault"), &judge{fault: fault}
	if _, log, err = u.run(t, t.Context()); !errors.Is(err, fault) || log != "" {
		t.Errorf("a machine fault: %v, log %q", err, log)
	}
}

func TestBest(t *testing.T) {
	names := []string{"accuracy", "params"}
	trials := []*store.Trial{
		{Number: 0, Status: store.Failed},
		{Number: 1, Status: store.OK, Metrics: store.Metrics{Names: names, Values: []float64{90, 3}}},
		{Number: 2, Status: store.OK, Metrics: store.Metrics{Names: names, Values: []float64{91, 3}}},
		{Number: 3, Status: store.OK, Metrics: store.Metrics{Names: names, Values: []float64{91, 2}}},
		{Number: 4, Status: store.OK, Metrics: store.Metrics{Names: names, Values: []float64{91, 2}}},
	}
	accuracy, params := store.Objective{Metric: "accuracy", Maximize: true}, store.Objective{Metric: "params"}
	for _, c := range []struct {
		objectives []store.Objective
		want       int64
	}{
		{[]store.Objective{accuracy}, 2},
		{[]store.Objective{accuracy, params}, 3},
		{[]store.Objective{params}, 3},
	} {
		if got := Best(c.objectives, trials); got.Number != c.want {
			t.Errorf("Best(%v) = trial %d, want %d", c.objectives, got.Number, c.want)
		}
	}
	if got := Best([]store.Objective{accuracy}, trials[:1]); got != nil {
		t.Errorf("Best of failures = %v", got)
	}
}

func TestParseBudget(t *testing.T) {
	for _, c := range []struct {
		text string
		want Budget
	}{
		{"100", Budget{Evaluations, 100}},
		{"20_000", Budget{Evaluations, 20000}},
		{"evaluations(100)", Budget{Evaluations, 100}},
		{" epochs( 1.5 ) ", Budget{Epochs, 1.5}},
		{"50epochs", Budget{Epochs, 50}},
		{"1_000epochs", Budget{Epochs, 1000}},
		{"20evaluations", Budget{Evaluations, 20}},
		{"12000s", Budget{Simulated, 12000}},
		{"2h", Budget{Simulated, 7200}},
		{"simulated(3m)", Budget{Simulated, 180}},
		{"wall(10m)", Budget{Wall, 600}},
		{"wall(30)", Budget{Wall, 30}},
	} {
		got, err := ParseBudget(c.text)
		if err != nil || got != c.want {
			t.Errorf("ParseBudget(%q) = %v, %v, want %v", c.text, got, err, c.want)
		}
		if again, err := ParseBudget(got.String()); err != nil || again != got {
			t.Errorf("ParseBudget(%q) = %v, %v, want %v", got, again, err, got)
		}
	}
	for _, text := range []string{"", "x", "-1", "0", "1.5", "evaluations(3s)", "gpu(24h)", "10ms", "wall(", "nan", "inf", "evaluations()", "epochs", "3 epochs", "3sepochs", "wall(3epochs)", "epochs(3epochs)"} {
		if got, err := ParseBudget(text); err == nil {
			t.Errorf("ParseBudget(%q) = %v", text, got)
		}
	}
}
