package sdk

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
)

// session is one configured component. A process has one, or any number when the
// component is shared.
type session struct {
	log  *slog.Logger
	lane lane

	mu sync.Mutex // held during every call of plugin code
	component
	closed bool
}

// component is an *optimizer or an *evaluator.
type component interface{ io.Closer }

// guard runs plugin code of a session, until it is over.
func (s *session) guard(f func() error) error {
	return s.run(func() error {
		if s.closed {
			return &Problem{Message: "the session is over"}
		}
		return f()
	})
}

// run runs plugin code: one call at a time, a panic being an error of it.
func (s *session) run(f func() error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("panic in plugin code", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = &Problem{Message: fmt.Sprintf("the plugin's code panicked: %v", r)}
		}
	}()
	return f()
}

// close closes what plugin code made, if it is an io.Closer.
func (s *session) close() error {
	return s.guard(func() error {
		s.closed = true
		return s.component.Close()
	})
}

// closeIf closes v if it can be closed.
func closeIf(v any) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// open starts the component of a configuration as a session. What start returns
// is the error of the plugin's own code, as the problems that the user reads.
func (s *server) open(c wire.Configuration, number uint64, shared bool, start func(Env) (component, error)) ([]*Problem, error) {
	made := &session{log: s.env.Log}
	s.mu.Lock()
	_, taken := s.sessions[number]
	taken = taken || len(s.sessions) > 0 && !(shared && s.shared)
	if !taken {
		s.sessions[number], s.shared = nil, shared // until it is there
	}
	s.mu.Unlock()
	if taken {
		return nil, status.Error(codes.FailedPrecondition, "this process is already configured")
	}
	err := made.guard(func() (err error) {
		made.component, err = start(Env{Seed: c.Seed, WorkDir: c.WorkDir, Threads: c.Threads, Log: s.env.Log,
			Operations: remote.At(c.Operations)})
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.sessions, number)
		return problems(err), nil
	}
	s.sessions[number] = made
	if shared && s.slack == nil && os.Getenv("GOGC") == "" {
		s.slack = make([]byte, 16<<20)
	}
	return nil, nil
}

// session finds a session by its number.
func (s *server) session(number uint64) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.sessions[number]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("there is no session %d", number)
}
