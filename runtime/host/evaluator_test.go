package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
)

func newEvaluator(t testing.TB, h *Host, settings wire.Settings) *Evaluator {
	t.Helper()
	e, err := start(t, h, "test/evaluator").Evaluator(t.Context(), EvaluatorConfig{Settings: settings, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// judge evaluates values 0..n-1 in one batch and prints how each ended.
func judge(t *testing.T, e *Evaluator, n int64) string {
	t.Helper()
	var jobs []wire.Job
	for i := range n {
		jobs = append(jobs, trial(i, i))
	}
	out := make([]string, n)
	err := e.EvaluateAll(t.Context(), jobs, func(ev wire.Event) {
		switch r := ev.Result; {
		case r == nil:
		case out[ev.Number] != "":
			t.Errorf("trial %d has two results", ev.Number)
		case r.Failure != nil:
			out[ev.Number] = r.Failure.Message
		default:
			out[ev.Number] = fmt.Sprint(r.Metrics.Values[0])
		}
	})
	if err != nil {
		t.Fatalf("%v%s", err, notes(err))
	}
	return strings.Join(out, "; ")
}

func TestEvaluate(t *testing.T) {
	h := newTestHost(t, Options{})
	for name, c := range map[string]struct {
		settings wire.Settings
		want     string
	}{
		"well":   {nil, "0; 1.1; 2.2; 3.3"},
		"nan":    {wire.Settings{"nan": int64(1)}, "0; the metric score is NaN, says test/evaluator 1.2.3; 2.2; 3.3"},
		"failed": {wire.Settings{"fail": int64(2)}, "0; 1.1; value 2 fails; 3.3"},
		"panic":  {wire.Settings{"panic": int64(2)}, "0; 1.1; the plugin's code panicked: value panics; 3.3"},
		"death":  {wire.Settings{"die": int64(2)}, "0; 1.1; the evaluator test/evaluator 1.2.3 died 4 times on it; 3.3"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(t, newEvaluator(t, h, c.settings), 4); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEvaluateAgainAfterDeath(t *testing.T) {
	h := newTestHost(t, Options{})
	once := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := judge(t, newEvaluator(t, h, wire.Settings{"die_once": once}), 3), "0; 1.1; 2.2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := os.Stat(once); err == nil {
		t.Error("it never died")
	}
}

// When it dies of every architecture, the evaluator is at fault: the search must
// not go on failing.
func TestEvaluatorIsHopeless(t *testing.T) {
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, wire.Settings{"die_always": true})
	failed := 0
	var err error
	for i := int64(0); err == nil && i < 10; i++ {
		var own *wire.Problem
		if _, err = e.Evaluate(t.Context(), trial(i, i), nil); errors.As(err, &own) {
			failed++
			err = nil
		}
	}
	fails(t, err, Crashed, "died 12 times in a row")
	if failed != 2 {
		t.Errorf("%d architectures failed before", failed)
	}
}

func TestEvaluateOne(t *testing.T) {
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, wire.Settings{"fail": int64(3)})
	var seen []string
	m, err := e.Evaluate(t.Context(), trial(5, 2), func(p wire.Progress) { seen = append(seen, p.Text) })
	if err != nil || m.Values["score"] != 2.5 || m.Epochs != 1 {
		t.Errorf("got %v, %v", m, err)
	}
	if len(seen) != 1 || seen[0] != "half of 2" {
		t.Errorf("progress %q", seen)
	}
	var failed *wire.Problem
	if _, err = e.Evaluate(t.Context(), trial(6, 3), nil); !errors.As(err, &failed) || failed.Message != "value 3 fails" {
		t.Errorf("got %v", err)
	}
	test, err := e.Test(t.Context(), trial(5, 2), nil)
	if err != nil || test.Values["test_score"] != 4 {
		t.Errorf("test: %v, %v", test, err)
	}
	if e.Facts()["data"] != "sha256:00" || e.Source() != "test/evaluator 1.2.3" {
		t.Errorf("facts %v of %s", e.Facts(), e.Source())
	}
}

func TestEvaluateBadAnswers(t *testing.T) {
	h := newTestHost(t, Options{})
	for setting, want := range map[string]string{
		"missing": "the metric score is missing",
		"extra":   `the metric "test_score" was never declared`,
	} {
		_, err := newEvaluator(t, h, wire.Settings{setting: true}).Evaluate(t.Context(), trial(0, 0), nil)
		fails(t, err, Failed, want, "test/evaluator 1.2.3")
	}
	for lie, want := range map[string][2]string{
		"unknown_trial":  {BadAnswer, "which it was not given"},
		"unknown_turn":   {BadAnswer, "which it was not given"},
		"duplicate":      {BadAnswer, "or has ended"},
		"twice":          {BadAnswer, "or has ended"},
		"progress_after": {BadAnswer, "or has ended"},
		"failure_after":  {BadAnswer, "or has ended"},
		"ragged":         {BadAnswer, "3 metrics of 2 trials"},
		"no_metrics":     {BadAnswer, "a result of 0 metrics, not 1"},
		"ragged_epochs":  {BadAnswer, "epochs of 2 trials, not of 1"},
		"few_metrics":    {BadAnswer, "a result of 0 metrics, not 1"},
		"many_metrics":   {BadAnswer, "a result of 2 metrics, not 1"},
		"seconds":        {BadAnswer, "an evaluation of +Inf s"},
		"forgetful":      {BadAnswer, "does not know an architecture that it was sent"},
		"forgets":        {BadAnswer, "ended the work before all was done"},
		"gives_up":       {Failed, "no more"},
	} {
		h := newTestHost(t, Options{Commands: commands("bad/" + lie)})
		e, err := start(t, h, "bad/"+lie).Evaluator(t.Context(), EvaluatorConfig{})
		if err != nil {
			t.Fatal(err)
		}
		// What comes too much is noticed at the next call at the latest.
		for i := int64(0); err == nil && i < 2; i++ {
			_, err = e.Evaluate(t.Context(), trial(i, 0), nil)
			time.Sleep(10 * time.Millisecond)
		}
		fails(t, err, want[0], want[1], "bad/"+lie+" 6.6.6")
		if lie == "few_metrics" || lie == "no_metrics" || lie == "many_metrics" || lie == "seconds" {
			continue
		}
		if _, again := e.Evaluate(t.Context(), trial(3, 0), nil); again == nil {
			t.Errorf("%s: the process is trusted again", lie)
		}
	}
	h = newTestHost(t, Options{Commands: commands("bad/facts")})
	_, err := start(t, h, "bad/facts").Evaluator(t.Context(), EvaluatorConfig{})
	fails(t, err, BadAnswer, "facts of 2097156 bytes", "bad/facts 6.6.6")
	h = newTestHost(t, Options{Commands: commands("bad/nan")})
	e, err := start(t, h, "bad/nan").Evaluator(t.Context(), EvaluatorConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var own *wire.Problem
	if _, err := e.Evaluate(t.Context(), trial(0, 0), nil); !errors.As(err, &own) || !strings.Contains(own.Message, "is NaN") {
		t.Errorf("not a number: %v", err)
	}
}

func TestEvaluateIsCancelled(t *testing.T) {
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, wire.Settings{"slow": true})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := e.Evaluate(ctx, trial(0, 0), func(wire.Progress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEvaluateLargeBatch(t *testing.T) {
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, nil)
	const n = 3000
	jobs := make([]wire.Job, n)
	for i := range jobs {
		jobs[i] = trial(int64(i), int64(i))
		g := oneOp(int64(i))
		g.Nodes[0].Name = strings.Repeat("n", 10_000)
		jobs[i].Graph = wire.OneGraph(g)
	}
	results := 0
	err := e.EvaluateAll(t.Context(), jobs, func(ev wire.Event) {
		if ev.Result != nil {
			results++
		}
	})
	if err != nil || results != n {
		t.Errorf("%d results, %v", results, err)
	}
}

func TestResolve(t *testing.T) {
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, nil)
	s := testSpace(t)
	g, ok, err := e.Resolve(t.Context(), "own:op1,op2,op3,op4,op0,op1", s)
	if err != nil || !ok || !g.Equal(space.Genotype{1, 2, 3, 4, 0, 1}) {
		t.Errorf("got %v, %v, %v", g, ok, err)
	}
	if _, ok, err := e.Resolve(t.Context(), "0,1,2,3,4,0", s); ok || err != nil {
		t.Errorf("foreign text: %v, %v", ok, err)
	}
	_, _, err = e.Resolve(t.Context(), "own:bad", s)
	if d := fails(t, err, Failed, "the string is cut"); d.Path != "architecture" {
		t.Errorf("path %q", d.Path)
	}
	_, _, err = e.Resolve(t.Context(), "own:op9,op2,op3,op4,op0,op1", s)
	fails(t, err, BadAnswer, "labels that are not in the space")
}
