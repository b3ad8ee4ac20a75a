package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// session is one configured component in a process that it may share with others.
// When the process dies, the next call opens it again in a new one.
type session struct {
	plugin *Plugin
	keeper *keeper
	shared bool
	limit  time.Duration // of a call, as [Patience] has it
	// aside is where a call is made that was under way at too many deaths.
	aside *quarantine
	// configure opens the session in a process, under a number, and brings it to
	// the state that it had in the last one.
	configure func(context.Context, place) error

	mu     sync.Mutex // held while the session is opened
	at     place
	closed bool
}

// place is where a session is open.
type place struct {
	proc   *process // nil: nowhere
	number uint64   // of the session there
	wait   *waiting // of the session there
}

// session makes a session of a component. The process that was started for the
// plugin's description is used by the first.
func (p *Plugin) session(c wire.Component, configure func(context.Context, place) error) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &session{plugin: p, shared: c.Shared, limit: p.host.opts.Patience.Answer, configure: configure}
	if c.Kind == wire.EvaluatorKind {
		s.limit = p.host.opts.Patience.Evaluation
	}
	name := string(c.Kind) + " " + c.Name
	if h := p.shared[name]; h != nil {
		s.keeper, s.aside = h.keeper, h.aside
		return s
	}
	s.keeper = &keeper{plugin: p, proc: p.proc}
	p.proc = nil
	s.aside = &quarantine{keeper: &keeper{plugin: p}, turn: make(chan struct{}, 1)}
	if c.Shared {
		p.shared[name] = &house{s.keeper, s.aside}
	}
	return s
}

// house is where the sessions of a shared component live.
type house struct {
	keeper *keeper
	aside  *quarantine
}

// enter returns where the session is open, after opening it if need be.
func (s *session) enter(ctx context.Context) (place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return place{}, errClosed
	}
	proc, err := s.keeper.ready(ctx)
	if err != nil {
		return place{}, err
	}
	if s.at.proc == proc {
		return s.at, nil
	}
	at := place{proc, proc.sessions.Add(1), proc.watch.join(s.limit)}
	at.wait.begin()
	err = s.configure(ctx, at)
	at.wait.end()
	if err != nil {
		proc.watch.leave(at.wait)
		return place{proc: proc, wait: at.wait}, err
	}
	s.at = at
	return at, nil
}

// leave has the session opened again before its next call, since it is unknown
// what a call that was given up has done to it.
func (s *session) leave(at place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == at {
		s.at = place{}
		go at.release()
	}
}

// release ends a session, wherever it is.
func (at place) release() {
	if at.proc == nil {
		return
	}
	at.proc.watch.leave(at.wait)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	// Whether the process still hears it does not matter.
	_, _ = nascv1.NewPluginClient(at.proc.calls).Release(ctx, &nascv1.ReleaseRequest{Session: at.number})
}

// close ends the session; its process too, unless it is shared.
func (s *session) close() {
	if !s.shared {
		s.keeper.close()
		s.aside.keeper.close()
	}
	s.mu.Lock()
	at := s.at
	s.at, s.closed = place{}, true
	s.mu.Unlock()
	if s.shared {
		at.release()
	}
}

// deaths counts those of one call.
type deaths struct {
	n     int
	hangs int      // of them, those that the call is to blame for
	proc  *process // the last that died
}

// add counts that of the process at a place.
func (d *deaths) add(at place) {
	d.n++
	d.proc = at.proc
	if at.wait.hangs() {
		d.hangs++
	}
}

// since are those that were not counted before.
func (d deaths) since(before deaths) deaths {
	return deaths{d.n - before.n, d.hangs - before.hangs, d.proc}
}

// last reports whether the next attempt is the last one.
func (d deaths) last() bool { return d.n >= MaxRestarts || d.hangs >= MaxHangs }

// over reports whether there is to be none any more.
func (d deaths) over() bool { return d.n > MaxRestarts || d.hangs > MaxHangs }

// times tells how often it was and of what, and the code of that.
func (d deaths) times() (code, text string) {
	if d.hangs > MaxHangs || d.hangs == d.n {
		return Hung, fmt.Sprintf("hung %d times", d.hangs)
	}
	return Crashed, fmt.Sprintf("died %d times", d.n)
}

// attempt makes a call where the session is open: f says what to call. It tells
// whether the process died, with which it counts. The last attempt is made in quarantine.
func (s *session) attempt(ctx context.Context, d *deaths, f func(context.Context, place) error) (died bool, err error) {
	k := s.keeper
	var at place
	if d.last() {
		if err := s.aside.enter(ctx); err != nil {
			return false, err
		}
		defer s.aside.leave()
		k = s.aside.keeper
		alone := &session{plugin: s.plugin, keeper: k, limit: s.limit, configure: s.configure}
		at, err = alone.enter(ctx)
		defer func() {
			if s.shared {
				alone.at.release()
			} else {
				k.dismiss()
			}
		}()
	} else {
		at, err = s.enter(ctx)
	}
	if err == nil {
		at.wait.begin()
		err = f(ctx, at)
		at.wait.end()
	}
	if err == nil {
		k.well()
		return false, nil
	}
	if at.proc == nil || !lost(ctx, at.proc, err) {
		return false, s.explain(ctx, err)
	}
	k.bury(at.proc)
	d.add(at)
	return true, nil
}

// call makes a call, and makes it again when the process dies.
func (s *session) call(ctx context.Context, f func(context.Context, place) error) error {
	var d deaths
	for {
		died, err := s.attempt(ctx, &d, f)
		if !died {
			return err
		}
		if d.over() {
			return s.died(d)
		}
	}
}

// once makes a call where the session is open. When the process dies, that is the error:
// what was done there is gone, and to make the call again is for the caller to decide.
func (s *session) once(ctx context.Context, f func(context.Context, place) error) error {
	at, err := s.enter(ctx)
	if err != nil && at.proc == nil {
		return s.explain(ctx, err)
	}
	return s.within(ctx, at, func(ctx context.Context) error {
		if err != nil {
			return err
		}
		return f(ctx, at)
	})
}

// within makes a call at a place where the session was opened, and is like once.
func (s *session) within(ctx context.Context, at place, f func(context.Context) error) error {
	at.wait.begin()
	err := f(ctx)
	at.wait.end()
	var foreign *answerError
	switch {
	case err == nil:
		s.keeper.well()
		return nil
	case errors.As(err, &foreign):
		return foreign.error
	case !lost(ctx, at.proc, err):
		return s.explain(ctx, err)
	}
	s.keeper.bury(at.proc)
	var d deaths
	d.add(at)
	return s.died(d)
}

// abandon ends the session where a call was given up, with the process unless others are
// in it: it may still be at it.
func (s *session) abandon(at place) {
	if s.shared {
		s.leave(at)
		return
	}
	s.mu.Lock()
	here := s.at == at
	if here {
		s.at = place{}
	}
	s.mu.Unlock()
	if here {
		s.keeper.dismiss()
	}
}

// died is the error after too many deaths.
func (s *session) died(all deaths) error {
	code, times := all.times()
	d := s.plugin.fault(code, "the plugin %s in a row", times)
	switch {
	case all.n == 1 && code == Hung:
		d.Message = "the plugin hangs"
	case all.n == 1:
		d.Message = "the plugin died"
	}
	all.proc.obituary(d)
	return d
}

// lost reports whether a call failed because the process died.
func lost(ctx context.Context, proc *process, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var b *brokenError
	if errors.As(err, &b) {
		return b.died
	}
	_, fromCall := status.FromError(err)
	return fromCall && (proc.buried.Load() || proc.crashed(err))
}

// explain turns the error of a call that is not repeated into what the user
// reads.
func (s *session) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var d *diag.Diagnostic
	var list diag.List
	if errors.As(err, &d) || errors.As(err, &list) {
		return err
	}
	var b *brokenError
	if errors.As(err, &b) {
		err = b.error
	}
	if st, fromCall := status.FromError(err); fromCall {
		return s.plugin.fault(Failed, "%s", tidy(st.Message(), 2000))
	}
	return err
}
