package host

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire/outbox"
)

// brokenError is why a stream of a process ended.
type brokenError struct {
	died bool // the process has
	error
}

func (b *brokenError) Unwrap() error { return b.error }

// broken tells why reading a stream failed: the process died, was stopped, or
// ended the stream, which it must not do.
func (proc *process) broken(err error) *brokenError {
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &d): // the host has found something wrong
		return &brokenError{error: d}
	case proc.buried.Load():
		return &brokenError{died: true, error: err}
	case proc.life.Err() != nil:
		return &brokenError{error: errClosed}
	case errors.Is(err, io.EOF):
		return &brokenError{error: proc.plugin.bad("it ended the work before all was done")}
	}
	if _, fromCall := status.FromError(err); !fromCall {
		return &brokenError{error: err}
	}
	died := proc.crashed(err)
	return &brokenError{died: died, error: err}
}

// steps is the stream of a process in which the steps of all its optimizers go.
type steps struct {
	proc   *process
	stream nascv1.Optimizer_RunClient
	out    *outbox.Outbox[*nascv1.Step]
	in     *inbox

	mu      sync.Mutex
	waiting map[uint64]chan reply // by session; nil: nobody waits any more
	broken  *brokenError
}

// reply is how a step ended.
type reply struct {
	answer *nascv1.Answer
	err    error
}

// openSteps opens the stream.
func (proc *process) openSteps() (*steps, error) {
	path, straight := proc.path(nascv1.Optimizer_Run_FullMethodName)
	stream, err := nascv1.NewOptimizerClient(path).Run(proc.life)
	if err != nil {
		return nil, err
	}
	s := &steps{proc: proc, stream: stream, waiting: map[uint64]chan reply{},
		out: outbox.New(0, func(all []*nascv1.Step) error { return stream.Send(&nascv1.OptimizerRequest{Steps: all}) })}
	s.in = newInbox(straight, s.read)
	return s, nil
}

// step makes a step. ready, of capacity 1 and empty, is for the answer; it must
// not be used again when the step is given up.
func (s *steps) step(ctx context.Context, step *nascv1.Step, ready chan reply) (*nascv1.Answer, error) {
	s.mu.Lock()
	if s.broken != nil {
		s.mu.Unlock()
		return nil, s.broken
	}
	s.waiting[step.Session] = ready
	alone := len(s.waiting) == 1
	s.mu.Unlock()
	s.out.Put(step)
	speak(s.out, alone, 32*len(step.GetTold().GetTrials()))
	r, err := receive(ctx, s.in, ready)
	if err != nil {
		s.mu.Lock()
		if _, ok := s.waiting[step.Session]; ok {
			s.waiting[step.Session] = nil
		}
		s.mu.Unlock()
		return nil, err
	}
	return r.answer, r.err
}

// read reads a message and hands answers to those who wait for them.
func (s *steps) read() error {
	m, err := s.stream.Recv()
	for _, a := range m.GetAnswers() {
		s.mu.Lock()
		ready, ok := s.waiting[a.GetSession()]
		delete(s.waiting, a.GetSession())
		s.mu.Unlock()
		if !ok {
			err = s.proc.plugin.bad("an answer for session %d, which has no step under way", a.GetSession())
			break
		}
		if ready != nil {
			ready <- reply{answer: a}
		}
	}
	if err != nil && !interrupted(err) {
		s.end(err)
	}
	return err
}

// end fails every step under way, and all further ones.
func (s *steps) end(err error) {
	b := s.proc.broken(err)
	s.mu.Lock()
	s.broken = b
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, ready := range waiting {
		if ready != nil {
			ready <- reply{err: b}
		}
	}
	go s.out.Close() // a message may be on its way until the process has ended
}
