package sdk

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

type oneShotServer struct {
	nascv1.UnimplementedOneShotServer
	*server
}

// oneShot is the component of a session.
type oneShot struct {
	OneShot
	decisions int // of the space
}

func (o *oneShot) Close() error { return closeIf(o.OneShot) }

func (o oneShotServer) Prepare(_ context.Context, req *nascv1.OptimizerConfigureRequest) (*nascv1.OneShotPrepareResponse, error) {
	spec, cfg, search, err := o.toSearch(req)
	if err != nil {
		return nil, err
	}
	if spec.search == nil {
		return nil, status.Errorf(codes.InvalidArgument, "the optimizer %s is not one-shot", cfg.Component)
	}
	resp := &nascv1.OneShotPrepareResponse{}
	ps, err := o.open(cfg, req.GetConfiguration().GetSession(), spec.info.Shared, func(e Env) (component, error) {
		search.Env = e
		started, err := spec.search(search, cfg.Settings)
		if err != nil {
			return nil, err
		}
		resp.Relaxation = wire.FromRelaxation(started.Relaxation())
		return &oneShot{OneShot: started, decisions: len(search.Space.Decisions)}, nil
	})
	resp.Problems = wire.FromProblems(ps)
	return resp, err
}

// Search has a session's optimizer do stages. Its code runs here, between two messages:
// what it calls is sent, and it waits for the reply. That the search cannot begin is
// told when the first stage is asked for.
func (o oneShotServer) Search(stream nascv1.OneShot_SearchServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	begin := first.GetBegin()
	s, err := o.session(begin.GetSession())
	if err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	self, ok := s.component.(*oneShot)
	if !ok {
		return errOtherKind
	}
	n, err := newSearched(stream, begin, self.decisions)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	failed := s.guard(func() error {
		if err := self.Begin(n); err != nil || begin.State == nil {
			return err
		}
		return self.Load(begin.State)
	})
	for {
		m, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.GetStage() == nil:
			return status.Error(codes.InvalidArgument, "no call is under way, and no stage was asked for")
		}
		var done *nascv1.Stage
		if failed == nil {
			failed = s.guard(func() (err error) {
				done, err = n.stage(self)
				return err
			})
		}
		switch {
		case stream.Context().Err() != nil:
			return failure(stream.Context().Err())
		case failed != nil:
			return stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Error{Error: wire.FromProblem(problems(failed)[0])}})
		}
		if err := stream.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Stage{Stage: done}}); err != nil {
			return err
		}
	}
}

// stage has an optimizer do a stage, and returns what it has led to.
func (n *searched) stage(o OneShot) (*nascv1.Stage, error) {
	n.allow(true)
	defer n.allow(false)
	s, err := o.Stage(n.stream.Context())
	if unheard := n.settle(); err == nil {
		err = unheard
	}
	if err != nil {
		return nil, err
	}
	state, err := o.Save()
	if err != nil {
		return nil, err
	}
	return wire.FromStage(s, state, n.metrics, n.widths)
}
