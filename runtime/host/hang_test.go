//go:build linux

package host

import (
	"context"
	"fmt"
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

// TestHangForGood: a plugin that hangs each time is told, with what to do.
func TestHangForGood(t *testing.T) {
	p := start(t, newTestHost(t, Options{Patience: Patience{Answer: 200 * time.Millisecond}}), "test/optimizer")
	_, err := open(t, p, 1, wire.Settings{"do": "wait", "until": "/nowhere"}).Step(t.Context(), nil, 1)
	fails(t, err, Crashed, "it was ended since it said nothing for 200ms while a call was under way", "--patience", "source: test/optimizer")
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
	within(t, "another process is there", func() bool {
		e.session.mu.Lock()
		defer e.session.mu.Unlock()
		return e.session.at.proc != nil && e.session.at.proc != first
	})
	e.session.mu.Lock()
	second := e.session.at.proc
	e.session.mu.Unlock()
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
