//go:build linux

package host

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nasc-project/nasc/plugins/wire"
)

// TestHangInAsk: an optimizer that hangs in one of its searches is ended, while the others
// in its process go on, and proposes what it would have. All goes over the direct socket.
func TestHangInAsk(t *testing.T) {
	once := filepath.Join(t.TempDir(), "once")
	h := newTestHost(t, Options{Patience: Patience{Answer: time.Second}})
	p := start(t, h, "test/optimizer")
	hung := open(t, p, 1, wire.Settings{"do": "wait", "after": int64(3), "once": once, "until": "/nowhere"})
	calm := open(t, p, 2, nil)
	first := hung.session.at.proc
	var want, got []string
	for i := range int64(6) {
		if i == 3 {
			if err := os.WriteFile(once, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stop, done := make(chan struct{}), make(chan error, 1)
		go func() {
			for n := int64(0); ; n++ { // the process says something all the time
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if _, err := calm.Step(t.Context(), nil, 1); err != nil {
					<-stop
					done <- err
					return
				}
			}
		}()
		all, err := hung.Step(t.Context(), nil, 1)
		close(stop)
		if other := <-done; err != nil || other != nil {
			t.Fatal(err, other)
		}
		got = append(got, fmt.Sprint(all))
	}
	if hung.session.at.proc == first || hung.session.at.proc.optimizing.in.straight == nil {
		t.Error("the process goes on, or not over the direct socket")
	}
	o := open(t, start(t, h, "test/optimizer"), 1, nil)
	for range 6 {
		all, err := o.Step(t.Context(), nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(all))
	}
	if !slices.Equal(got, want) {
		t.Errorf("it proposes %q, undisturbed %q", got, want)
	}
}

// TestHangForGood: a plugin that hangs each time is tried twice, and told with what to do. A
// death in between does not make it more.
func TestHangForGood(t *testing.T) {
	var log syncBuffer
	h := newTestHost(t, Options{Patience: Patience{Answer: 500 * time.Millisecond}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	_, err := open(t, start(t, h, "test/optimizer"), 1, wire.Settings{"do": "wait", "until": "/nowhere"}).Step(t.Context(), nil, 1)
	fails(t, err, Hung, "hung 2 times in a row", "it was ended since it said nothing for 500ms while a call was under way", "--patience", "source: test/optimizer")
	if n := strings.Count(log.String(), "plugin hangs"); n != 2 {
		t.Errorf("it hung %d times:\n%s", n, log.String())
	}
	for _, c := range []struct {
		d          deaths
		code, text string
		last, over bool
	}{
		{deaths{n: 1}, Crashed, "died 1 times", false, false},
		{deaths{n: 3}, Crashed, "died 3 times", true, false},
		{deaths{n: 4, hangs: 1}, Crashed, "died 4 times", true, true},
		{deaths{n: 2, hangs: 1}, Crashed, "died 2 times", true, false},
		{deaths{n: 3, hangs: 2}, Hung, "hung 2 times", true, true},
	} {
		if code, text := c.d.times(); code != c.code || text != c.text || c.d.last() != c.last || c.d.over() != c.over {
			t.Errorf("%+v: %s, %s, last: %v, over: %v", c.d, code, text, c.d.last(), c.d.over())
		}
	}
}

// TestHangOfOne: an architecture in which an evaluator hangs each time fails alone, after two
// tries; those that are under way in the same process meanwhile are judged.
func TestHangOfOne(t *testing.T) {
	h := newTestHost(t, Options{Patience: Patience{Evaluation: time.Second}})
	p := start(t, h, "test/lookup")
	settings := wire.Settings{"wait": int64(3)}
	e, err := p.Evaluator(t.Context(), EvaluatorConfig{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Evaluator(t.Context(), EvaluatorConfig{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	calm := make(chan error, 1)
	go func() {
		for n := int64(0); ctx.Err() == nil; n++ {
			if _, err := other.Evaluate(t.Context(), trial(n, 1), nil); err != nil {
				calm <- err
				return
			}
		}
		calm <- nil
	}()
	failures := map[int64]string{}
	err = e.EvaluateAll(t.Context(), []wire.Job{trial(0, 2), trial(1, 3), trial(2, 4)}, func(ev wire.Event) {
		if ev.Result != nil {
			failures[ev.Number] = ""
			if ev.Result.Failure != nil {
				failures[ev.Number] = ev.Result.Failure.Message
			}
		}
	})
	stop()
	if other := <-calm; err != nil || other != nil {
		t.Fatal(err, other)
	}
	if want := map[int64]string{0: "", 1: "the evaluator test/lookup 1.0.0 hung 2 times on it", 2: ""}; !maps.Equal(failures, want) {
		t.Errorf("%v, not %v", failures, want)
	}
}

// TestHangAtStart: a plugin that does not come up any more is started twice.
func TestHangAtStart(t *testing.T) {
	late := filepath.Join(t.TempDir(), "late")
	c := command("test/optimizer")
	c.Args = []string{"-c", "if test -e " + late + "; then echo started >> " + late + "; sleep 3600; fi; exec " + c.Path}
	c.Path = "/bin/sh"
	h := newTestHost(t, Options{Commands: map[string]Command{"test/optimizer": c}, StartTimeout: 3 * time.Second})
	o := open(t, start(t, h, "test/optimizer"), 1, nil)
	if err := os.WriteFile(late, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.session.plugin.Crash()
	_, err := o.Step(t.Context(), nil, 1)
	fails(t, err, TooSlow, "did not start within 3s")
	starts, err := os.ReadFile(late)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(starts), "started"); n != 2 {
		t.Errorf("it was started %d times", n)
	}
}

// underWay has an evaluator judge what takes until it is cancelled, and returns when it is
// at it: with the process, and what cancels.
func underWay(t *testing.T, e *Evaluator) (proc *process, cancel func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := e.Evaluate(ctx, trial(0, 500), nil); ended <- err }()
	proc = e.session.at.proc
	judges(t, e, proc)
	return proc, func() error { stop(); return <-ended }
}

// judges waits until a trial is under way in a process.
func judges(t *testing.T, e *Evaluator, proc *process) {
	t.Helper()
	within(t, "it evaluates", func() bool {
		proc.mu.Lock()
		defer proc.mu.Unlock()
		return proc.evaluating != nil && proc.evaluating.in.waiting.Load() == 1
	})
}

// TestStopped: a process that is stopped is known from one that computes for long, and is
// ended though there is no limit to a call.
func TestStopped(t *testing.T) {
	h := newTestHost(t, Options{Patience: Patience{Pulse: time.Second}})
	e, err := start(t, h, "test/lookup").Evaluator(t.Context(), EvaluatorConfig{Settings: wire.Settings{"wait": int64(500)}})
	if err != nil {
		t.Fatal(err)
	}
	first, cancel := underWay(t, e)
	time.Sleep(3 * time.Second)
	if first.watch.verdict.Load() != nil {
		t.Fatal("it computes, and is ended")
	}
	if err := syscall.Kill(first.runner.pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var second *process
	within(t, "another process is there, for the last attempt", func() bool {
		k := e.session.aside.keeper
		k.mu.Lock()
		defer k.mu.Unlock()
		second = k.proc
		return second != nil
	})
	judges(t, e, second)
	if v := first.watch.verdict.Load(); v == nil || !strings.Contains(v.why, "it gave no sign of life for 1s") {
		t.Errorf("it was ended because of %v", v)
	}
	if err := cancel(); err != context.Canceled {
		t.Error(err)
	}
}

// TestStoppedOperations: what computes operations for somebody else is watched as well.
func TestStoppedOperations(t *testing.T) {
	h := newTestHost(t, Options{Commands: commands("test/operations"), Patience: Patience{Pulse: time.Second}})
	c, err := start(t, h, "test/operations").Computer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid := c.process.session.at.proc.runner.pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	within(t, "the process is gone", func() bool { return gone(pid) })
	if err := c.process.ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHostWasAway: time in which the host itself was stopped is none that a plugin takes.
func TestHostWasAway(t *testing.T) {
	w := newWatch(&process{}, Patience{Answer: time.Second})
	s := w.join(time.Second)
	s.begin()
	tenth := 100 * time.Millisecond
	for i, passed := range []time.Duration{tenth, tenth, tenth, time.Hour, tenth, tenth, time.Hour} {
		if v := w.look(w.patience.believed(passed)); v != nil {
			t.Fatalf("after %d looks: %s", i, v.why)
		}
	}
	for range 4 {
		if v := w.look(w.patience.believed(tenth)); v != nil {
			return
		}
	}
	t.Error("it never loses its patience")
}
