package host

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Patience is how long plugins may keep a call waiting before they count as ones that have
// died. A limit of 0 is none.
type Patience struct {
	// Answer is how long an optimizer may take for one thing that it is asked, and whatever
	// else is asked that takes no training.
	Answer time.Duration
	// Evaluation is how long an evaluator may tell neither a result nor progress, whatever
	// it has been given.
	Evaluation time.Duration
	// Operation is how long an operation may take that an evaluator has computed, for one
	// Forward or Backward. The evaluator looks at it (package remote), since nobody else sees
	// the call; what it waits there does not count as its own time.
	Operation time.Duration
	// Pulse is how long a process may give no sign of life while a call is under way. It is
	// for plugins that say that they answer while they work: one that is stopped, or has
	// locked itself up, is known from one that computes for long.
	Pulse time.Duration
}

// DefaultPatience is generous, since who trains may be silent for hours. A process that
// does not even say that it is there is given up sooner.
var DefaultPatience = Patience{Answer: 10 * time.Minute, Evaluation: 24 * time.Hour, Operation: 10 * time.Minute, Pulse: time.Minute}

// MaxHangs is how many times in a row a plugin that hung is put to work again. It is less
// than [MaxRestarts], since each time takes all the patience that there is.
const MaxHangs = 1

// interval is how often somebody who has this patience looks; 0: never.
func (p Patience) interval() time.Duration {
	least := time.Duration(0)
	for _, limit := range []time.Duration{p.Answer, p.Evaluation, p.Pulse} {
		if limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
	}
	if least > 0 {
		least = max(least/10, time.Millisecond)
	}
	return least
}

// believed is how much of the time between two looks counts: a host that was stopped
// itself, or slept with the machine, has not waited meanwhile.
func (p Patience) believed(passed time.Duration) time.Duration {
	return min(passed, 2*p.interval())
}

// waiting is what one session of a process waits for. Whoever makes a call or hears
// something adds to a counter, and nobody looks at a clock but the watch. A nil one is of
// a session that is nowhere.
type waiting struct {
	limit time.Duration // 0: none
	under atomic.Int32  // calls under way
	heard atomic.Uint32 // calls made and messages heard
	hung  atomic.Bool   // the process was ended for what it waited for here

	// Of the watch.
	seen  uint32
	quiet time.Duration // with a call under way and nothing heard
}

// begin notes that a call is made, or that it waits for the process again.
func (w *waiting) begin() {
	if w != nil {
		w.heard.Add(1)
		w.under.Add(1)
	}
}

// end notes that a call has ended, or that it waits for somebody else.
func (w *waiting) end() {
	if w != nil {
		w.under.Add(-1)
	}
}

// hangs reports whether the process was ended for what it waited for here.
func (w *waiting) hangs() bool { return w != nil && w.hung.Load() }

// hear notes that the process has said something to the session.
func (w *waiting) hear() { w.heard.Add(1) }

// watch ends a process that hangs. It then counts as one that has died: what was under way
// there is made again in another process, or fails. What it hung in is made again once only.
type watch struct {
	proc     *process
	patience Patience
	verdict  atomic.Pointer[verdict]

	asking   atomic.Bool // the process, whether it is alive
	answered atomic.Bool

	mu    sync.Mutex
	all   map[*waiting]struct{}
	quiet time.Duration // with calls under way and no sign of life
	used  time.Duration // processor time, when that began
}

// verdict is why a watch has ended its process, and what to do if that was wrong.
type verdict struct{ why, help string }

const mayTakeLonger = "if it may take longer, say so with --patience, or NASC_PATIENCE for every command"

func newWatch(proc *process, p Patience) *watch {
	return &watch{proc: proc, patience: p, all: map[*waiting]struct{}{}}
}

// join is for a session that is opened in the process.
func (w *watch) join(limit time.Duration) *waiting {
	s := &waiting{limit: limit}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[s] = struct{}{}
	return s
}

// leave is for a session that is over.
func (w *watch) leave(s *waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, s)
}

// run watches until the process is stopped.
func (w *watch) run() {
	every := w.patience.interval()
	if every == 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-w.proc.life.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		v := w.look(w.patience.believed(now.Sub(last)))
		last = now
		if v != nil {
			w.end(v)
			return
		}
	}
}

// look tells why the process is to be ended; nil: it is not.
func (w *watch) look(passed time.Duration) *verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	var v *verdict
	busy, lively := false, w.answered.Swap(false)
	for s := range w.all {
		if n := s.heard.Load(); n != s.seen || s.under.Load() == 0 {
			lively = lively || n != s.seen
			s.seen, s.quiet = n, 0
			continue
		}
		busy = true
		if s.quiet += passed; s.limit > 0 && s.quiet > s.limit {
			s.hung.Store(true)
			v = &verdict{fmt.Sprintf("it said nothing for %v while a call was under way", s.limit), mayTakeLonger}
		}
	}
	if v != nil {
		return v
	}
	switch pulse := w.patience.Pulse; {
	case pulse == 0 || !w.proc.attentive:
		return nil
	case !busy || lively:
		w.quiet = 0
		return nil
	case w.quiet == 0:
		w.used = processorTime(w.proc.runner.pid())
	case w.quiet > pulse:
		// Code in C that keeps the lock of an interpreter lets nobody answer, and may
		// compute for long. What hangs computes nothing.
		if now := processorTime(w.proc.runner.pid()); now-w.used < pulse/10 {
			for s := range w.all {
				s.hung.Store(s.under.Load() > 0)
			}
			return &verdict{fmt.Sprintf("it gave no sign of life for %v while a call was under way", pulse),
				"NASC_PULSE gives it longer, and --patience 0 or NASC_PATIENCE=0 waits for it all the same"}
		}
		w.quiet = 0
		return nil
	}
	w.quiet += passed
	w.ask()
	return nil
}

// ask asks the process whether it is alive, unless it is being asked.
func (w *watch) ask() {
	if w.asking.Swap(true) {
		return
	}
	go func() {
		defer w.asking.Store(false)
		_, err := nascv1.NewPluginClient(w.proc.conn).Describe(w.proc.life, &nascv1.DescribeRequest{})
		if code := status.Code(err); code != codes.Unavailable && code != codes.Canceled {
			w.answered.Store(true)
		}
	}()
}

func (w *watch) end(v *verdict) {
	w.verdict.Store(v)
	log := w.proc.host.opts.Log.With("plugin", w.proc.plugin.name)
	log.Warn("plugin hangs", "why", v.why)
	if err := w.proc.runner.Kill(context.Background()); err != nil {
		log.Error("plugin hangs", "error", err)
	}
}
