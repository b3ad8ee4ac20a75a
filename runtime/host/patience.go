package host

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// patience ends a process that says nothing for too long while a call is under way:
// neither a result nor progress. It then counts as one that has died. It hears what comes
// over gRPC, so that is the way that all messages go of a process that it watches.
type patience struct {
	limit time.Duration
	begun time.Time
	calls atomic.Int32 // under way
	last  atomic.Int64 // when something was heard, or a call was made: nanoseconds from the start
	over  atomic.Bool
}

// newPatience makes the patience with a process; nil: it has no limit.
func newPatience(limit time.Duration) *patience {
	if limit <= 0 {
		return nil
	}
	return &patience{limit: limit, begun: time.Now()}
}

func (p *patience) heard() { p.last.Store(int64(time.Since(p.begun))) }

// call notes that a call is made, and returns what notes that it has ended.
func (p *patience) call() (ended func()) {
	if p == nil {
		return func() {}
	}
	p.heard()
	p.calls.Add(1)
	return func() { p.calls.Add(-1) }
}

// aside notes that a call waits for somebody else than the process, and returns what
// notes that it waits for the process again.
func (p *patience) aside() (back func()) {
	if p == nil {
		return func() {}
	}
	p.calls.Add(-1)
	return func() {
		p.heard()
		p.calls.Add(1)
	}
}

// watch kills a process when it is silent for too long, until the process is stopped.
func (p *patience) watch(proc *process) {
	tick := time.NewTicker(max(p.limit/10, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-proc.life.Done():
			return
		case <-tick.C:
		}
		if p.calls.Load() > 0 && time.Since(p.begun)-time.Duration(p.last.Load()) > p.limit {
			p.over.Store(true)
			proc.host.opts.Log.Warn("plugin is silent", "plugin", proc.plugin.name, "for", p.limit)
			if err := proc.runner.Kill(context.Background()); err != nil {
				proc.host.opts.Log.Error("plugin is silent", "plugin", proc.plugin.name, "error", err)
			}
			return
		}
	}
}

// contract marks the context of a call of the contract: go-plugin has services of its own,
// one of which carries what a plugin prints.
type contract struct{}

// TagRPC implements [stats.Handler].
func (p *patience) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if strings.HasPrefix(info.FullMethodName, "/nasc.v1.") {
		return context.WithValue(ctx, contract{}, true)
	}
	return ctx
}

// HandleRPC implements [stats.Handler].
func (p *patience) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, in := s.(*stats.InPayload); in && ctx.Value(contract{}) != nil {
		p.heard()
	}
}

// The rest of a [stats.Handler] is not needed.

func (p *patience) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (p *patience) HandleConn(context.Context, stats.ConnStats)                       {}
