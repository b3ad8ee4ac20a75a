package sdk

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

type supernetServer struct {
	nascv1.UnimplementedSupernetServer
	*server
}

// Work trains one supernet.
func (e supernetServer) Work(stream nascv1.Supernet_WorkServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	s, self, err := evaluatorServer{server: e.server}.evaluator(first.GetOpen().GetSession())
	if err != nil {
		return err
	}
	n := &trained{reports: self.reports}
	defer func() {
		if n.net != nil {
			if err := s.run(n.net.Close); err != nil { // the session may be over
				s.log.Error("a supernet was not closed", "error", err)
			}
		}
	}()
	for m := first; ; {
		var resp *nascv1.SupernetResponse
		begun := time.Now()
		err := s.guard(func() (err error) {
			resp, err = n.answer(stream.Context(), self.Evaluator, m)
			return err
		})
		if stream.Context().Err() != nil {
			return failure(stream.Context().Err())
		}
		if err != nil {
			problem := wire.FromProblem(problems(err)[0])
			resp = &nascv1.SupernetResponse{Response: &nascv1.SupernetResponse_Error{Error: problem}}
			if m.GetCall() != nil {
				resp.Response = &nascv1.SupernetResponse_Reply{Reply: &nascv1.Reply{Reply: &nascv1.Reply_Error{Error: problem}}}
			}
		}
		resp.Seconds = time.Since(begun).Seconds()
		if err := stream.Send(resp); err != nil {
			return err
		}
		if n.net == nil { // it was not opened
			return nil
		}
		if m, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// trained is the supernet of a stream.
type trained struct {
	net     TrainedSupernet // nil until it is opened
	widths  []int
	reports []Metric // of the evaluator
}

var errBadRequest = errors.New("the message asks for nothing that is known")

// answer does what a message asks for.
func (n *trained) answer(ctx context.Context, e Evaluator, m *nascv1.SupernetRequest) (*nascv1.SupernetResponse, error) {
	if open := m.GetOpen(); (open != nil) != (n.net == nil) {
		return nil, errBadRequest
	}
	switch r := m.GetRequest().(type) {
	case *nascv1.SupernetRequest_Open:
		return n.open(ctx, e, r.Open)
	case *nascv1.SupernetRequest_Call:
		reply, err := n.call(ctx, r.Call)
		return &nascv1.SupernetResponse{Response: &nascv1.SupernetResponse_Reply{Reply: reply}}, err
	case *nascv1.SupernetRequest_Relax:
		s, err := toSupernet(r.Relax.GetNetwork(), r.Relax.GetChannels(), r.Relax.GetEdgeWeights())
		if err == nil {
			err = n.net.Relax(ctx, s)
		}
		if err != nil {
			return nil, err
		}
		return n.opened(s), nil
	case *nascv1.SupernetRequest_Save:
		return stored(), n.net.Save(r.Save.GetPath())
	case *nascv1.SupernetRequest_Load:
		return stored(), n.net.Load(r.Load.GetPath())
	}
	return nil, errBadRequest
}

func stored() *nascv1.SupernetResponse {
	return &nascv1.SupernetResponse{Response: &nascv1.SupernetResponse_Stored{Stored: &nascv1.Stored{}}}
}

func toSupernet(m *nascv1.Network, channels int32, edgeWeights bool) (*lower.Supernet, error) {
	r, err := wire.ToRelaxation(&nascv1.Relaxation{Channels: channels, EdgeWeights: edgeWeights})
	if err != nil {
		return nil, err
	}
	return wire.ToNetwork(m, r)
}

func (n *trained) open(ctx context.Context, e Evaluator, m *nascv1.Open) (*nascv1.SupernetResponse, error) {
	trainer, ok := e.(SupernetTrainer)
	if !ok {
		return nil, &Problem{Message: "this evaluator trains no supernets"}
	}
	s, err := toSupernet(m.GetNetwork(), m.GetChannels(), m.GetEdgeWeights())
	if err != nil {
		return nil, err
	}
	n.net, err = trainer.OpenSupernet(ctx, OpenSupernet{Network: s, Epochs: int(m.GetEpochs()), Seed: m.GetSeed()})
	if err != nil {
		n.net = nil
		return nil, err
	}
	return n.opened(s), nil
}

func (n *trained) opened(s *lower.Supernet) *nascv1.SupernetResponse {
	n.widths = wire.RelaxedOf(s).Widths()
	return &nascv1.SupernetResponse{Response: &nascv1.SupernetResponse_Opened{Opened: wire.FromSupernetSize(n.net.Size())}}
}

// call answers a call of an optimizer.
func (n *trained) call(ctx context.Context, m *nascv1.Call) (*nascv1.Reply, error) {
	switch c := m.GetCall().(type) {
	case *nascv1.Call_WeightStep:
		x, o, err := wire.ToWeightStep(c.WeightStep, n.widths)
		if err != nil {
			return nil, err
		}
		loss, err := n.net.WeightStep(ctx, x, o)
		return &nascv1.Reply{Reply: &nascv1.Reply_WeightStep{WeightStep: &nascv1.WeightStepDone{Loss: loss}}}, err
	case *nascv1.Call_ArchGradient:
		x, o, err := wire.ToArchGradient(c.ArchGradient, n.widths)
		if err != nil {
			return nil, err
		}
		loss, grad, err := n.net.ArchGradient(ctx, x, o)
		if err != nil {
			return nil, err
		}
		done := &nascv1.ArchGradientDone{Loss: loss}
		done.Gradient, err = wire.FromMixture(grad, n.widths)
		return &nascv1.Reply{Reply: &nascv1.Reply_ArchGradient{ArchGradient: done}}, err
	case *nascv1.Call_Score:
		xs, o, err := wire.ToScore(c.Score, n.widths)
		if err != nil {
			return nil, err
		}
		all, err := n.net.Score(ctx, xs, o)
		if err != nil {
			return nil, err
		}
		done, err := wire.FromScores(all, len(xs), n.reports)
		return &nascv1.Reply{Reply: &nascv1.Reply_Score{Score: done}}, err
	}
	return nil, errBadRequest
}
