package host

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/dsl/diag"
)

// MaxRestarts is how many times in a row, without a call that succeeds in
// between, a plugin that died is started anew.
const MaxRestarts = 3

// session keeps one configured component alive. When its process dies in a
// call, it starts another, prepares it and repeats the call.
type session struct {
	plugin *Plugin
	// prepare configures a process and brings it to the state of the one before.
	prepare func(context.Context, *grpc.ClientConn) error

	mu      sync.Mutex // guards what follows, not calls
	proc    *process
	crashes int // in a row
	closed  bool
}

// open takes over the plugin's process, or starts another, and prepares it.
func (p *Plugin) open(ctx context.Context, prepare func(context.Context, *grpc.ClientConn) error) (*session, error) {
	s := &session{plugin: p, prepare: prepare, proc: p.take()}
	if s.proc == nil {
		var err error
		if s.proc, err = p.another(ctx); err != nil {
			return nil, err
		}
	}
	// A process that dies while it is configured is not tried again: nothing
	// has been achieved that would be lost.
	if err := prepare(ctx, s.proc.conn); err != nil {
		err = s.explain(ctx, s.proc, err)
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	s.mu.Lock()
	proc := s.proc
	s.proc, s.closed = nil, true
	s.mu.Unlock()
	if proc != nil {
		proc.stop()
	}
}

var errClosed = errors.New("the plugin is closed")

// call makes a call of the plugin, and makes it again when the process dies.
func (s *session) call(ctx context.Context, f func(context.Context, *grpc.ClientConn) error) error {
	for {
		proc, died, err := s.attempt(ctx, f)
		if !died {
			return err
		}
		if err := s.giveUp(proc, MaxRestarts); err != nil {
			return err
		}
	}
}

// attempt makes a call once and tells whether the process died of it.
func (s *session) attempt(ctx context.Context, f func(context.Context, *grpc.ClientConn) error) (proc *process, died bool, err error) {
	if proc, err = s.ready(ctx); err != nil {
		return nil, false, err
	}
	if err = f(ctx, proc.conn); err == nil {
		s.mu.Lock()
		s.crashes = 0
		s.mu.Unlock()
		return proc, false, nil
	}
	if _, fromCall := status.FromError(err); ctx.Err() != nil || !fromCall || !proc.crashed(err) {
		return proc, false, s.explain(ctx, proc, err)
	}
	s.bury(proc)
	return proc, true, nil
}

// explain turns the error of a call that is not repeated into what the user
// reads.
func (s *session) explain(ctx context.Context, proc *process, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var d *diag.Diagnostic
	var list diag.List
	if errors.As(err, &d) || errors.As(err, &list) {
		return err
	}
	st, fromCall := status.FromError(err)
	if !fromCall {
		return err
	}
	if proc.crashed(err) {
		d = s.plugin.fault(Crashed, "the plugin died")
		proc.stop()
		proc.obituary(d)
		return d
	}
	return s.plugin.fault(Failed, "%s", tidy(st.Message(), 2000))
}

// bury counts the crash of a process, once, and ends what is left of it.
func (s *session) bury(proc *process) {
	s.mu.Lock()
	first := s.proc == proc
	if first {
		s.proc = nil
		s.crashes++
	}
	s.mu.Unlock()
	proc.stop()
	if first {
		s.plugin.host.opts.Log.Warn("plugin died", "plugin", s.plugin.name)
	}
}

// giveUp is the error after more than most crashes in a row.
func (s *session) giveUp(proc *process, most int) error {
	s.mu.Lock()
	crashes := s.crashes
	s.mu.Unlock()
	if crashes <= most {
		return nil
	}
	d := s.plugin.fault(Crashed, "the plugin died %d times in a row", crashes)
	proc.obituary(d)
	return d
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

// ready returns the process, a new one when the last has died.
func (s *session) ready(ctx context.Context) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.closed {
			return nil, errClosed
		}
		if s.proc != nil {
			return s.proc, nil
		}
		wait := s.plugin.host.backOff << (2 * min(max(0, s.crashes-1), MaxRestarts-1))
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
		proc, err := s.plugin.another(ctx)
		if err == nil {
			if err = s.prepare(ctx, proc.conn); err == nil {
				s.proc = proc
				return proc, nil
			}
			crashed := ctx.Err() == nil && proc.crashed(err)
			err = s.explain(ctx, proc, err)
			proc.stop()
			if !crashed {
				return nil, err
			}
		}
		s.crashes++
		if s.crashes > MaxRestarts || ctx.Err() != nil {
			return nil, err
		}
	}
}
