package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
)

// open makes an optimizer of a plugin that is already there.
func open(t testing.TB, p *Plugin, seed uint64, settings wire.Settings) *Optimizer {
	t.Helper()
	component := ""
	if p.name == "test/optimizer" {
		component = "wrong"
	}
	o, err := p.Optimizer(t.Context(), OptimizerConfig{Component: component, Settings: settings, Seed: seed,
		Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestProcesses(t *testing.T) {
	h := newTestHost(t, Options{})
	shared := start(t, h, "nasc/random")
	a, b := open(t, shared, 1, nil), open(t, shared, 2, nil)
	if a.session.at.proc != b.session.at.proc {
		t.Error("a shared component has two processes")
	}
	a.Close()
	search(t, b, 3, 1, nil)
	if _, err := a.Step(t.Context(), nil, 1); !errors.Is(err, errClosed) {
		t.Errorf("a closed optimizer: %v", err)
	}
	own := start(t, h, "test/evaluator")
	var all []*Evaluator
	for range 2 {
		e, err := own.Evaluator(t.Context(), EvaluatorConfig{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	if all[0].session.at.proc == all[1].session.at.proc {
		t.Error("a component that is not shared has one process for two")
	}
	shared.Close()
	if _, err := b.Step(t.Context(), nil, 1); err == nil {
		t.Error("the process of a closed plugin answers")
	}
}

// TestSessionsGoOnAfterKill kills the process in which many searches are, again and
// again, and compares what they propose with undisturbed searches.
func TestSessionsGoOnAfterKill(t *testing.T) {
	h := newTestHost(t, Options{})
	const sessions, trials = 12, 40
	for _, name := range []string{"nasc/random", "nasc/evolution", "nasc/local"} {
		p := start(t, h, name)
		var want [sessions][]space.Genotype
		for i := range want {
			o := open(t, p, uint64(i), nil)
			want[i] = search(t, o, trials, 1+i%3, nil)
			o.Close()
		}
		var wg sync.WaitGroup
		var steps, kills atomic.Int32
		for i := range want {
			o := open(t, p, uint64(i), nil)
			wg.Go(func() {
				got := search(t, o, trials, 1+i%3, func(int) {
					if steps.Add(1)%50 != 0 {
						return
					}
					o.session.keeper.mu.Lock()
					proc := o.session.keeper.proc
					o.session.keeper.mu.Unlock()
					if proc != nil && proc.runner.cmd.Process.Kill() == nil {
						kills.Add(1)
					}
				})
				if !slices.EqualFunc(got, want[i], space.Genotype.Equal) {
					t.Errorf("%s, session %d proposes something else than undisturbed", name, i)
				}
				o.Close()
			})
		}
		wg.Wait()
		if kills.Load() < 2 {
			t.Errorf("%s was killed %d times", name, kills.Load())
		}
	}
}

// A session that panics, dies or says nonsense does not harm the others.
func TestSessionsAreApart(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/optimizer")
	want := search(t, open(t, p, 3, nil), 30, 1, nil)
	for do, code := range map[string]string{"panic": Failed, "die": Crashed, "outside": BadAnswer, "panic aside": Crashed} {
		var wg sync.WaitGroup
		for range 3 {
			o := open(t, p, 3, nil)
			wg.Go(func() {
				if got := search(t, o, 30, 1, nil); !slices.EqualFunc(got, want, space.Genotype.Equal) {
					t.Errorf("beside one that does %q a search proposes something else", do)
				}
			})
		}
		bad := open(t, p, 4, wire.Settings{"do": do, "after": int64(2)})
		wg.Go(func() {
			search(t, bad, 2, 1, nil)
			_, err := bad.Step(t.Context(), nil, 1)
			fails(t, err, code)
		})
		wg.Wait()
	}
}

// A session that thinks long does not keep the others waiting.
func TestSlowSession(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/optimizer")
	until := filepath.Join(t.TempDir(), "until")
	slow := open(t, p, 1, wire.Settings{"do": "wait", "after": int64(2), "until": until})
	search(t, slow, 2, 1, nil)
	thought := make(chan error, 1)
	go func() {
		_, err := slow.Step(t.Context(), nil, 1)
		thought <- err
	}()
	search(t, open(t, p, 2, nil), 50, 1, nil)
	select {
	case err := <-thought:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	if err := os.WriteFile(until, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-thought; err != nil {
		t.Error(err)
	}
}

// A step that is given up has happened or not: the optimizer goes on as if not.
func TestStepIsCancelled(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/optimizer")
	want := search(t, open(t, p, 1, nil), 6, 1, nil)
	until := filepath.Join(t.TempDir(), "until")
	o := open(t, p, 1, wire.Settings{"do": "wait", "after": int64(4), "until": until})
	got := search(t, o, 4, 1, nil)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := o.session.at.proc.steps()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for under := false; !under; {
			stream.mu.Lock()
			under = len(stream.waiting) > 0
			stream.mu.Unlock()
		}
		cancel()
	}()
	if _, err := o.Step(ctx, nil, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := os.WriteFile(until, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		g, err := o.Step(t.Context(), nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, g...)
	}
	if !slices.EqualFunc(got, want, space.Genotype.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// numbered makes jobs of architectures 1..n and counts how often a graph is made.
func numbered(n int64, made *atomic.Int64) []wire.Job {
	var jobs []wire.Job
	for i := range n {
		jobs = append(jobs, wire.Job{Number: i, Architecture: uint64(i + 1), Graph: func() (*graph.Graph, error) {
			made.Add(1)
			return oneOp(i), nil
		}})
	}
	return jobs
}

// scores judges jobs and checks each result.
func scores(t *testing.T, e *Evaluator, jobs []wire.Job, bias float64) {
	t.Helper()
	seen := map[int64]bool{}
	err := e.EvaluateAll(t.Context(), jobs, func(ev wire.Event) {
		if ev.Result.Failure != nil || ev.Result.Metrics.Values[0] != float64(ev.Number)+bias || seen[ev.Number] {
			t.Errorf("job %d: %+v", ev.Number, ev.Result)
		}
		seen[ev.Number] = true
	})
	if err != nil || len(seen) != len(jobs) {
		t.Errorf("%d results, %v", len(seen), err)
	}
}

// TestRecognisedOnce: a process gets a graph once for all evaluators that are
// configured alike, and again when it is a new one.
func TestRecognisedOnce(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	configure := func(seed uint64, bias float64) *Evaluator {
		e, err := p.Evaluator(t.Context(), EvaluatorConfig{Seed: seed, Settings: wire.Settings{"bias": bias}})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	// Each of the calls that ask how many recognises one graph more.
	recognised := func(all ...*Evaluator) (n float64) {
		t.Helper()
		for _, e := range all {
			m, err := e.Test(t.Context(), trial(0, 0), nil)
			if err != nil {
				t.Fatal(err)
			}
			n += m.Values["recognised"] - 1
		}
		return n
	}
	var made atomic.Int64
	jobs := numbered(100, &made)
	a, b, other := configure(1, 0), configure(2, 0), configure(1, 0.5)
	for range 3 {
		scores(t, a, jobs, 0)
		scores(t, b, jobs, 0)
	}
	if n := recognised(a, b); made.Load() != 100 || n != 100 {
		t.Errorf("%d graphs made, %v recognised", made.Load(), n)
	}
	scores(t, other, jobs, 0.5)
	if n := recognised(other); made.Load() != 200 || n != 100 {
		t.Errorf("of another configuration: %d graphs made, %v recognised", made.Load(), n)
	}
	killProcess(t, a.session)
	scores(t, b, jobs, 0)
	if made.Load() != 300 {
		t.Errorf("after a crash: %d graphs made", made.Load())
	}
	unnamed := []wire.Job{trial(7, 7)}
	unnamed[0].Seed = 0
	for range 2 {
		scores(t, a, unnamed, 0)
	}
}

// A process may forget architectures; a graph that cannot be recognised is the
// architecture's failure, each time.
func TestForgotten(t *testing.T) {
	h := newTestHost(t, Options{Commands: commands("bad/old", "test/lookup")})
	old, err := start(t, h, "bad/old").Evaluator(t.Context(), EvaluatorConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var made atomic.Int64
	for range 3 {
		if m, err := old.Evaluate(t.Context(), numbered(1, &made)[0], nil); err != nil || m.Values["score"] != 1 {
			t.Errorf("got %v, %v", m, err)
		}
	}
	if made.Load() != 3 {
		t.Errorf("%d graphs made", made.Load())
	}
	e, err := start(t, h, "test/lookup").Evaluator(t.Context(), EvaluatorConfig{Settings: wire.Settings{"sick": int64(0)}})
	if err != nil {
		t.Fatal(err)
	}
	made.Store(0)
	for range 3 {
		var own *wire.Problem
		if _, err := e.Evaluate(t.Context(), numbered(1, &made)[0], nil); !errors.As(err, &own) || !strings.Contains(own.Message, "panicked") {
			t.Errorf("got %v", err)
		}
	}
	if made.Load() != 1 {
		t.Errorf("%d graphs made", made.Load())
	}
}

// One architecture that kills the process fails alone, whoever is at work there.
func TestDeathBesideOthers(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	var wg sync.WaitGroup
	for i := range 4 {
		e, err := p.Evaluator(t.Context(), EvaluatorConfig{Seed: uint64(i), Settings: wire.Settings{"die": int64(5)}})
		if err != nil {
			t.Fatal(err)
		}
		for k := range 5 {
			wg.Go(func() {
				for n := range int64(5) {
					v := (int64(k) + n) % 5
					if i == 0 && k == 0 && n == 3 {
						v = 5
					}
					j := wire.Job{Number: n, Architecture: uint64(v) + 1, Graph: wire.OneGraph(oneOp(v))}
					m, err := e.Evaluate(t.Context(), j, nil)
					var own *wire.Problem
					if v == 5 && (!errors.As(err, &own) || !strings.Contains(own.Message, "died 4 times on it")) ||
						v != 5 && (err != nil || m.Values["score"] != float64(v)) {
						t.Errorf("value %d: %v, %v", v, m, err)
					}
				}
			})
		}
	}
	wg.Wait()
}

// Cancelling one evaluation lets those of others in the same process go on, and its
// evaluator judge again.
func TestEvaluationIsCancelledAlone(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	var all []*Evaluator
	for i := range 2 {
		e, err := p.Evaluator(t.Context(), EvaluatorConfig{Seed: uint64(i), Settings: wire.Settings{"wait": int64(500)}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	under := make(chan error, 1)
	go func() { _, err := all[0].Evaluate(ctx, trial(0, 500), nil); under <- err }()
	var made atomic.Int64
	for range 5 {
		scores(t, all[1], numbered(50, &made), 0)
	}
	cancel()
	if err := <-under; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	scores(t, all[0], numbered(50, &made), 0)
}

func TestUntold(t *testing.T) {
	var u untold
	u.add(3)
	for _, n := range []int64{1, 0, 2} {
		if !u.has(n) {
			t.Errorf("%d is not there", n)
		}
		u.take(n)
		if u.has(n) {
			t.Errorf("%d is still there", n)
		}
	}
	u.add(2)
	if u.next() != 5 || u.open != 2 || !u.has(3) || u.has(5) || u.has(-1) || len(u.told) != 2 {
		t.Errorf("%+v", u)
	}
}

func TestFingerprint(t *testing.T) {
	seen := map[uint64]string{}
	for _, c := range []struct {
		all  []space.Genotype
		done bool
	}{{nil, false}, {nil, true}, {[]space.Genotype{{1, 2}}, false}, {[]space.Genotype{{2, 1}}, false}, {[]space.Genotype{{1}, {2}}, false}, {[]space.Genotype{{}}, false}} {
		h, text := fingerprint(c.all, c.done), fmt.Sprint(c)
		if other, ok := seen[h]; ok {
			t.Errorf("%s and %s look alike", text, other)
		}
		seen[h] = text
	}
}
