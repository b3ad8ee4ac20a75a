package sdk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// searched is the supernet as a one-shot optimizer sees it: its calls go to the host,
// whose replies are awaited.
type searched struct {
	stream    nascv1.OneShot_SearchServer
	size      SupernetSize
	epochs    int
	metrics   []string
	decisions int // of the space
	relaxed   *Relaxed
	widths    []int

	mu      sync.Mutex            // held during a call
	allowed bool                  // a stage is under way
	sent    int                   // calls; replies come in their order
	come    int                   // replies
	replies map[int]*nascv1.Reply // that nobody has taken, by the number of the call
}

var (
	_ SearchedSupernet = (*searched)(nil)
	_ Ahead            = (*searched)(nil)
)

func newSearched(stream nascv1.OneShot_SearchServer, m *nascv1.Begin, decisions int) (*searched, error) {
	relaxed, err := wire.ToRelaxed(m.GetRelaxed())
	if err != nil {
		return nil, err
	}
	if m.GetEpochs() < 0 || m.GetSteps() < 1 || m.GetValid() < 0 {
		return nil, fmt.Errorf("%d epochs of %d steps and %d batches of the validation part", m.GetEpochs(), m.GetSteps(), m.GetValid())
	}
	return &searched{stream: stream, size: SupernetSize{Steps: int(m.GetSteps()), Valid: int(m.GetValid())}, epochs: int(m.GetEpochs()),
		metrics: m.GetMetrics(), decisions: decisions, relaxed: relaxed, widths: relaxed.Widths(), replies: map[int]*nascv1.Reply{}}, nil
}

// allow begins and ends the time in which there may be calls.
func (n *searched) allow(yes bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.allowed = yes
}

var errNoStage = errors.New("a supernet can only be called during a stage")

// call has the host do something.
func (n *searched) call(ctx context.Context, m *nascv1.Call) (*nascv1.Reply, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, err := n.send(ctx, m)
	if err != nil {
		return nil, err
	}
	return n.take(number)
}

// send makes a call, and returns its number. The lock is held.
func (n *searched) send(ctx context.Context, m *nascv1.Call) (number int, err error) {
	if !n.allowed {
		return 0, errNoStage
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := n.stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Call{Call: m}}); err != nil {
		return 0, err
	}
	n.sent++
	return n.sent, nil
}

// await waits for the replies to all calls up to a number. The lock is held.
func (n *searched) await(number int) error {
	for n.come < number {
		resp, err := n.stream.Recv()
		if err != nil {
			return err
		}
		n.come++
		n.replies[n.come] = resp.GetReply()
	}
	return nil
}

// take waits for the reply to a call, which is taken once. The lock is held.
func (n *searched) take(number int) (*nascv1.Reply, error) {
	if err := n.await(number); err != nil {
		return nil, err
	}
	reply := n.replies[number]
	delete(n.replies, number)
	if failed := reply.GetError(); failed != nil {
		return nil, wire.ToProblem(failed)
	}
	return reply, nil
}

// settle waits for calls that nobody has waited for, when a stage is over. That one of
// them failed is an error.
func (n *searched) settle() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := n.await(n.sent)
	for _, number := range slices.Sorted(maps.Keys(n.replies)) {
		if _, failed := n.take(number); err == nil {
			err = failed
		}
	}
	return err
}

var errOtherReply = errors.New("the host has replied to something else")

func (n *searched) Size() SupernetSize { return n.size }

func (n *searched) Relaxed() *Relaxed { return n.relaxed }

func (n *searched) Epochs() int { return n.epochs }

func (n *searched) WeightStep(ctx context.Context, x Mixture, o WeightStep) (float64, error) {
	wait, err := n.BeginWeightStep(ctx, x, o)
	if err != nil {
		return 0, err
	}
	return wait()
}

func (n *searched) BeginWeightStep(ctx context.Context, x Mixture, o WeightStep) (wait func() (float64, error), err error) {
	m, err := wire.FromWeightStep(x, o, n.widths)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	// Who calls without end and reads no reply would block the host, which replies.
	if err := n.await(n.sent); err != nil {
		return nil, err
	}
	number, err := n.send(ctx, &nascv1.Call{Call: &nascv1.Call_WeightStep{WeightStep: m}})
	if err != nil {
		return nil, err
	}
	return func() (float64, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		reply, err := n.take(number)
		if err != nil {
			return 0, err
		}
		if reply.GetWeightStep() == nil {
			return 0, errOtherReply
		}
		return reply.GetWeightStep().GetLoss(), nil
	}, nil
}

func (n *searched) ArchGradient(ctx context.Context, x Mixture, o ArchGradient) (float64, Mixture, error) {
	m, err := wire.FromArchGradient(x, o, n.widths)
	if err != nil {
		return 0, nil, err
	}
	reply, err := n.call(ctx, &nascv1.Call{Call: &nascv1.Call_ArchGradient{ArchGradient: m}})
	if err != nil {
		return 0, nil, err
	}
	done := reply.GetArchGradient()
	if done == nil {
		return 0, nil, errOtherReply
	}
	grad, err := wire.ToMixture(done.GetGradient(), n.widths)
	return done.GetLoss(), grad, err
}

func (n *searched) Score(ctx context.Context, xs []Mixture, o Score) ([]ValidationMetrics, error) {
	m, err := wire.FromScore(xs, o, n.widths)
	if err != nil || len(xs) == 0 {
		return nil, err
	}
	reply, err := n.call(ctx, &nascv1.Call{Call: &nascv1.Call_Score{Score: m}})
	if err != nil {
		return nil, err
	}
	return wire.ToScores(reply.GetScore(), len(xs), n.metrics)
}

func (n *searched) Relax(ctx context.Context, r Relaxation) error {
	reply, err := n.call(ctx, &nascv1.Call{Call: &nascv1.Call_Relax{Relax: wire.FromRelaxation(r)}})
	if err != nil {
		return err
	}
	if reply.GetRelax() == nil {
		return errOtherReply
	}
	relaxed, err := wire.ToRelaxed(reply.GetRelax())
	if err != nil {
		return err
	}
	n.relaxed, n.widths = relaxed, relaxed.Widths()
	return nil
}

func (n *searched) Check(ctx context.Context, gs []space.Genotype) ([]bool, error) {
	for _, g := range gs {
		if len(g) != n.decisions {
			return nil, fmt.Errorf("an architecture of %d decisions, the space has %d", len(g), n.decisions)
		}
	}
	if len(gs) == 0 {
		return nil, nil
	}
	reply, err := n.call(ctx, &nascv1.Call{Call: &nascv1.Call_Check{Check: wire.FromCheck(gs)}})
	if err != nil {
		return nil, err
	}
	if reply.GetCheck() == nil {
		return nil, errOtherReply
	}
	if got := reply.GetCheck().GetAdmissible(); len(got) == len(gs) {
		return got, nil
	}
	return nil, errOtherReply
}
