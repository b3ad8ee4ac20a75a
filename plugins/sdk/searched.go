package sdk

import (
	"context"
	"errors"
	"fmt"
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

	mu      sync.Mutex // held during a call
	allowed bool       // a stage is under way
}

var _ SearchedSupernet = (*searched)(nil)

func newSearched(stream nascv1.OneShot_SearchServer, m *nascv1.Begin, decisions int) (*searched, error) {
	relaxed, err := wire.ToRelaxed(m.GetRelaxed())
	if err != nil {
		return nil, err
	}
	if m.GetEpochs() < 0 || m.GetSteps() < 1 || m.GetValid() < 0 {
		return nil, fmt.Errorf("%d epochs of %d steps and %d batches of the validation part", m.GetEpochs(), m.GetSteps(), m.GetValid())
	}
	return &searched{stream: stream, size: SupernetSize{Steps: int(m.GetSteps()), Valid: int(m.GetValid())}, epochs: int(m.GetEpochs()),
		metrics: m.GetMetrics(), decisions: decisions, relaxed: relaxed, widths: relaxed.Widths()}, nil
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
	if !n.allowed {
		return nil, errNoStage
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := n.stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Call{Call: m}}); err != nil {
		return nil, err
	}
	resp, err := n.stream.Recv()
	if err != nil {
		return nil, err
	}
	reply := resp.GetReply()
	if failed := reply.GetError(); failed != nil {
		return nil, wire.ToProblem(failed)
	}
	return reply, nil
}

var errOtherReply = errors.New("the host has replied to something else")

func (n *searched) Size() SupernetSize { return n.size }

func (n *searched) Relaxed() *Relaxed { return n.relaxed }

func (n *searched) Epochs() int { return n.epochs }

func (n *searched) WeightStep(ctx context.Context, x Mixture, o WeightStep) (float64, error) {
	m, err := wire.FromWeightStep(x, o, n.widths)
	if err != nil {
		return 0, err
	}
	reply, err := n.call(ctx, &nascv1.Call{Call: &nascv1.Call_WeightStep{WeightStep: m}})
	if err != nil {
		return 0, err
	}
	if reply.GetWeightStep() == nil {
		return 0, errOtherReply
	}
	return reply.GetWeightStep().GetLoss(), nil
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
