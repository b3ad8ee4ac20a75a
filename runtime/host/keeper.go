package host

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nasc-project/nasc/dsl/diag"
)

// MaxRestarts is how many times in a row, without a call that succeeds in
// between, a plugin that died is started anew.
const MaxRestarts = 3

// keeper keeps a process of a plugin alive for the sessions in it: one session, or
// all of a shared component.
type keeper struct {
	plugin *Plugin

	crashes atomic.Int32 // in a row

	mu       sync.Mutex
	proc     *process      // nil: to be started
	starting chan struct{} // closed when the start that is under way has ended
	failed   int           // starts in a row
	slow     int           // of them, those that took too long
	broken   error         // why no process can be started any more
	closed   bool
}

var errClosed = errors.New("the plugin is closed")

// ready returns the process, a new one when the last has died.
func (k *keeper) ready(ctx context.Context) (*process, error) {
	for {
		k.mu.Lock()
		proc, starting, broken, closed := k.proc, k.starting, k.broken, k.closed
		if proc == nil && starting == nil {
			k.starting = make(chan struct{})
		}
		k.mu.Unlock()
		switch {
		case closed:
			return nil, errClosed
		case broken != nil:
			return nil, broken
		case proc != nil:
			return proc, nil
		case starting == nil:
			k.start(ctx)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			continue
		}
		select {
		case <-starting:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// start starts a process, after a wait when the last one has died.
func (k *keeper) start(ctx context.Context) {
	var proc *process
	var err error
	crashes := int(k.crashes.Load()) + k.failed
	wait := time.Duration(0)
	if crashes > 0 {
		wait = k.plugin.host.backOff << (2 * min(crashes-1, MaxRestarts-1))
	}
	select {
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-time.After(wait):
		proc, err = k.plugin.another(ctx)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.starting)
	k.starting = nil
	switch {
	case err == nil && k.closed:
		go proc.stop()
	case err == nil:
		k.proc, k.failed, k.slow = proc, 0, 0
	case ctx.Err() == nil:
		var forbidden *forbiddenError
		var d *diag.Diagnostic
		if errors.As(err, &d) && d.Code == TooSlow {
			k.slow++
		}
		if k.failed++; k.failed > MaxRestarts || k.slow > MaxHangs || errors.As(err, &forbidden) {
			k.broken = err
		}
	}
}

// another starts a further process of the same plugin.
func (p *Plugin) another(ctx context.Context) (*process, error) {
	proc, d, err := p.launch(ctx)
	if err == nil && !reflect.DeepEqual(d, p.description) {
		proc.stop()
		return nil, p.fault(NotReproducible, "the plugin was replaced by another while it was in use")
	}
	return proc, err
}

// bury counts the death of a process, once, and ends what is left of it.
func (k *keeper) bury(proc *process) {
	k.mu.Lock()
	first := k.proc == proc
	if first {
		k.proc = nil
		k.crashes.Add(1)
	}
	k.mu.Unlock()
	proc.buried.Store(true)
	proc.stop()
	if first {
		k.plugin.host.opts.Log.Warn("plugin died", "plugin", k.plugin.name)
	}
}

// well notes that a call has succeeded.
func (k *keeper) well() {
	if k.crashes.Load() != 0 {
		k.crashes.Store(0)
	}
}

// dismiss ends the process, for the time being.
func (k *keeper) dismiss() {
	k.mu.Lock()
	proc := k.proc
	k.proc = nil
	k.mu.Unlock()
	if proc != nil {
		proc.stop()
	}
}

func (k *keeper) close() {
	k.mu.Lock()
	proc := k.proc
	k.proc, k.closed = nil, true
	k.mu.Unlock()
	if proc != nil {
		proc.stop()
	}
}

// quarantine is another process of a component, in which one call at a time is alone:
// there, one that was under way when its process died or hung time and again shows whether it is the cause.
type quarantine struct {
	keeper *keeper
	turn   chan struct{}
}

func (q *quarantine) enter(ctx context.Context) error {
	select {
	case q.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *quarantine) leave() { <-q.turn }
