package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Supernet is a supernet that an evaluator trains, in the evaluator's process. Calls come
// one at a time. After an error other than the failure of a [Reply] it is of no more
// use; when the process has died, which [HasDied] tells, it can be opened again and
// loaded.
type Supernet struct {
	evaluator *Evaluator
	at        place
	stream    nascv1.Supernet_WorkClient
	end       context.CancelFunc

	mu      sync.Mutex
	size    wire.SupernetSize
	widths  []int   // of the decisions
	seconds float64 // see Seconds
}

// Supernet opens a supernet at an evaluator that trains them. It lives until it is closed,
// the evaluator is, or its process ends.
func (e *Evaluator) Supernet(ctx context.Context, o wire.OpenSupernet) (*Supernet, error) {
	if !e.component.Supernets {
		return nil, e.session.plugin.fault(UnknownComponent, "the evaluator %s trains no supernets", e.component.Name)
	}
	network, err := wire.FromNetwork(o.Network)
	if err != nil {
		return nil, err
	}
	if o.Epochs < 0 || o.Epochs > math.MaxInt32 {
		return nil, fmt.Errorf("%d epochs", o.Epochs)
	}
	if err := e.ready(ctx); err != nil {
		return nil, err
	}
	r := wire.FromRelaxation(o.Network.Relaxation())
	n := &Supernet{evaluator: e}
	err = e.session.once(ctx, func(ctx context.Context, at place) error {
		life, end := context.WithCancel(at.proc.life)
		stream, err := nascv1.NewSupernetClient(at.proc.lone(nascv1.Supernet_Work_FullMethodName)).Work(life)
		if err != nil {
			end()
			return err
		}
		n.at, n.stream, n.end = at, stream, end
		resp, err := n.ask(ctx, &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Open{Open: &nascv1.Open{Session: at.number,
			Network: network, Epochs: int32(o.Epochs), Seed: o.Seed, Channels: r.Channels, EdgeWeights: r.EdgeWeights}}})
		if err == nil {
			err = n.opened(resp, o.Network)
		}
		if err != nil {
			end()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Size tells how much there is.
func (n *Supernet) Size() wire.SupernetSize {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.size
}

// Seconds is the wall time that the evaluator has spent on what it was called for since
// the supernet was opened, as it says itself.
func (n *Supernet) Seconds() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seconds
}

// Do does what a one-shot optimizer calls for: a weight step, a gradient or a score. That
// it could not be done, as when the training diverges, is the failure of the reply.
func (n *Supernet) Do(ctx context.Context, c Call) (Reply, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.Kind() >= RelaxCall {
		return Reply{}, fmt.Errorf("a call of kind %d is not for a supernet", c.Kind())
	}
	var reply Reply
	err := n.within(ctx, func(ctx context.Context) error {
		resp, err := n.ask(ctx, &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Call{Call: c.m}})
		if err != nil {
			return err
		}
		if s := resp.GetSeconds(); s > 0 && finite(s) {
			n.seconds += s
		}
		reply, err = n.reply(c, resp)
		return err
	})
	if err == nil && reply.Err() != nil {
		// It may be that what computes an operation has died, and its connections with it.
		for _, o := range n.evaluator.operations {
			if err := o.alive(ctx); err != nil {
				return Reply{}, err
			}
		}
	}
	return reply, err
}

// reply checks what an evaluator replies to a call.
func (n *Supernet) reply(c Call, resp *nascv1.SupernetResponse) (Reply, error) {
	p := n.evaluator.session.plugin
	m := resp.GetReply()
	if failed := m.GetError(); failed != nil {
		return Refused(p.problem(wire.ToProblem(failed))), nil
	}
	reply := Reply{m: m}
	if !reply.answers(c) {
		return Reply{}, p.bad("a reply to something else")
	}
	switch r := m.GetReply().(type) {
	case *nascv1.Reply_ArchGradient:
		if got, want := len(r.ArchGradient.GetGradient().GetValues()), total(n.widths); got != want {
			return Reply{}, p.bad("a gradient of %d numbers, not %d", got, want)
		}
		for _, v := range r.ArchGradient.Gradient.Values {
			if !finite(v) {
				return Refused(p.fault(Failed, "a gradient is %v", v)), nil
			}
		}
	case *nascv1.Reply_Score:
		metrics := n.evaluator.component.Metrics
		if got, want := len(r.Score.GetValues()), len(metrics)*len(c.m.GetScore().GetMixtures()); got != want {
			return Reply{}, p.bad("%d metrics of %d mixtures, not %d", got, len(c.m.GetScore().GetMixtures()), want)
		}
		for i, v := range r.Score.Values {
			if !finite(v) {
				return Refused(p.fault(Failed, "the metric %s is %v", tidy(metrics[i%len(metrics)].Name, 200), v)), nil
			}
		}
	}
	if loss, ok := reply.Loss(); ok && !finite(loss) {
		return Refused(p.fault(Failed, "the loss is %v", loss)), nil
	}
	return reply, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func total(widths []int) int {
	n := 0
	for _, w := range widths {
		n += w
	}
	return n
}

// Relax goes on with the same weights in another relaxation of the space. After an error
// that is not about the process the supernet is as before.
func (n *Supernet) Relax(ctx context.Context, s *lower.Supernet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	network, err := wire.FromNetwork(s)
	if err != nil {
		return err
	}
	r := wire.FromRelaxation(s.Relaxation())
	return n.within(ctx, func(ctx context.Context) error {
		resp, err := n.ask(ctx, &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Relax{Relax: &nascv1.Rebuild{
			Network: network, Channels: r.Channels, EdgeWeights: r.EdgeWeights}}})
		if err != nil {
			return err
		}
		return n.opened(resp, s)
	})
}

// opened takes what an evaluator tells of a supernet that it has opened.
func (n *Supernet) opened(resp *nascv1.SupernetResponse, s *lower.Supernet) error {
	p := n.evaluator.session.plugin
	if resp.GetOpened() == nil {
		return p.bad("a reply to something else")
	}
	size, err := wire.ToSupernetSize(resp.GetOpened())
	if err != nil {
		return p.bad("%v", err)
	}
	n.size, n.widths = size, wire.RelaxedOf(s).Widths()
	return nil
}

// Save writes everything that the next call depends on to a file; a crash leaves the old
// file or the new one.
func (n *Supernet) Save(ctx context.Context, path string) error {
	return n.file(ctx, &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Save{Save: &nascv1.File{Path: path}}})
}

// Load makes it as it was when it was saved.
func (n *Supernet) Load(ctx context.Context, path string) error {
	return n.file(ctx, &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Load{Load: &nascv1.File{Path: path}}})
}

func (n *Supernet) file(ctx context.Context, m *nascv1.SupernetRequest) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.within(ctx, func(ctx context.Context) error {
		resp, err := n.ask(ctx, m)
		if err == nil && resp.GetStored() == nil {
			err = n.evaluator.session.plugin.bad("a reply to something else")
		}
		return err
	})
}

// Close ends the supernet. The evaluator goes on.
func (n *Supernet) Close() { n.end() }

func (n *Supernet) within(ctx context.Context, f func(context.Context) error) error {
	return n.evaluator.session.within(ctx, n.at, f)
}

// ask sends a message and waits for the answer.
func (n *Supernet) ask(ctx context.Context, m *nascv1.SupernetRequest) (*nascv1.SupernetResponse, error) {
	stop := context.AfterFunc(ctx, n.end)
	defer stop()
	if err := n.stream.Send(m); err != nil && !errors.Is(err, io.EOF) { // why it ended, Recv tells
		return nil, n.at.proc.broken(err)
	}
	resp, err := n.stream.Recv()
	if err != nil {
		return nil, n.at.proc.broken(err)
	}
	if failed := resp.GetError(); failed != nil {
		return nil, n.evaluator.session.plugin.problem(wire.ToProblem(failed))
	}
	return resp, nil
}
