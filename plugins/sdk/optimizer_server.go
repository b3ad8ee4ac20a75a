package sdk

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/outbox"
)

type optimizerServer struct {
	nascv1.UnimplementedOptimizerServer
	*server
}

// optimizer is the component of a session.
type optimizer struct {
	Optimizer
	metrics []string // of what it is told
	untold  untold
}

func (o *optimizer) Close() error { return closeIf(o.Optimizer) }

func (o optimizerServer) Configure(_ context.Context, req *nascv1.OptimizerConfigureRequest) (*nascv1.OptimizerConfigureResponse, error) {
	spec, cfg, search, err := o.toSearch(req)
	if err != nil {
		return nil, err
	}
	if spec.start == nil {
		return nil, status.Errorf(codes.InvalidArgument, "the optimizer %s is one-shot", cfg.Component)
	}
	ps, err := o.open(cfg, req.GetConfiguration().GetSession(), spec.info.Shared, func(e Env) (component, error) {
		search.Env = e
		started, err := spec.start(search, cfg.Settings)
		if err != nil {
			return nil, err
		}
		return &optimizer{Optimizer: started, metrics: req.GetMetrics()}, nil
	})
	return &nascv1.OptimizerConfigureResponse{Problems: wire.FromProblems(ps)}, err
}

// toSearch reads the configuration of an optimizer.
func (s *server) toSearch(req *nascv1.OptimizerConfigureRequest) (spec *OptimizerSpec, cfg wire.Configuration, search Search, err error) {
	invalid := func(text string) error { return status.Error(codes.InvalidArgument, text) }
	if cfg, err = wire.ToConfiguration(req.GetConfiguration()); err != nil {
		return nil, cfg, search, invalid(err.Error())
	}
	if search.Space, err = wire.ToSpace(req.GetSpace()); err != nil {
		return nil, cfg, search, invalid(err.Error())
	}
	for _, m := range req.GetObjectives() {
		search.Objectives = append(search.Objectives, Objective{Metric: m.GetMetric(), Maximize: m.GetMaximize()})
	}
	if len(search.Objectives) == 0 {
		return nil, cfg, search, invalid("no objective")
	}
	for i := range s.plugin.Optimizers {
		if s.plugin.Optimizers[i].info.Name == cfg.Component {
			return &s.plugin.Optimizers[i], cfg, search, nil
		}
	}
	return nil, cfg, search, status.Errorf(codes.NotFound, "there is no optimizer %q", cfg.Component)
}

// Run reads steps and lets the pool run them.
func (o optimizerServer) Run(stream nascv1.Optimizer_RunServer) error {
	out := outbox.New(maxUnsent, func(answers []*nascv1.Answer) error {
		return stream.Send(&nascv1.OptimizerResponse{Answers: answers})
	})
	defer out.Close()
	return o.pool.serve(func() error {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, m := range req.GetSteps() {
			s, err := o.session(m.GetSession())
			if err != nil { // it was released, since nobody waits for the step any more
				out.Put(&nascv1.Answer{Session: m.GetSession(), Error: wire.FromProblem(&Problem{Message: err.Error()})})
				out.Post()
				continue
			}
			self, ok := s.component.(*optimizer)
			if !ok {
				return errOtherKind
			}
			o.pool.add(&s.lane, &step{session: s, optimizer: self, request: m, out: out})
		}
		return nil
	}, out.Post)
}

// maxUnsent is how many answers wait to be sent before plugin code waits.
const maxUnsent = 10_000

var errOtherKind = status.Error(codes.FailedPrecondition, "the session is of another kind")

// step is a step under way.
type step struct {
	session   *session
	optimizer *optimizer
	request   *nascv1.Step
	out       *outbox.Outbox[*nascv1.Answer]
}

func (s *step) run() {
	answer := &nascv1.Answer{Session: s.request.GetSession()}
	if err := s.session.guard(func() error { return s.optimizer.take(s.request, answer) }); err != nil {
		answer = &nascv1.Answer{Session: s.request.GetSession(), Error: wire.FromProblem(problems(err)[0])}
	}
	s.out.Put(answer)
}

func (s *step) ran(others bool) {
	if others {
		s.out.Post()
	} else {
		_ = s.out.Send() // an error is for whoever reads the stream
	}
}

// take tells and asks.
func (o *optimizer) take(req *nascv1.Step, answer *nascv1.Answer) error {
	told, err := wire.ToTold(req.GetTold(), len(o.metrics))
	if err != nil {
		return err
	}
	if len(told) > 0 {
		trials := make([]Trial, len(told))
		for i, t := range told {
			g, ok := o.untold.take(t.Trial)
			if !ok {
				return &Problem{Message: "a trial is told that was never proposed or is told already"}
			}
			trials[i] = Trial{Trial: t.Trial, Genotype: g, Metrics: t.Metrics.Unpack(o.metrics), Failure: t.Failure,
				Infeasible: t.Infeasible, Rejected: t.Rejected}
		}
		if err := o.Tell(trials); err != nil {
			return err
		}
	}
	if req.GetAsk() == 0 {
		return nil
	}
	all, err := o.Ask(int(req.GetAsk()))
	if errors.Is(err, ErrDone) {
		answer.Done, err = true, nil
	}
	if err != nil {
		return err
	}
	wire.FromGenotypes(answer, all)
	o.untold.add(req.GetFirstTrial(), all)
	return nil
}

// untold holds what was proposed and is not told yet, by number.
type untold struct {
	first     int64 // the number of proposals[0]
	proposals []proposal
}

type proposal struct {
	genotype space.Genotype
	told     bool
}

func (u *untold) add(first int64, all []space.Genotype) {
	if len(u.proposals) == 0 {
		u.first = first
	}
	for _, g := range all {
		u.proposals = append(u.proposals, proposal{genotype: g})
	}
}

// take removes a genotype.
func (u *untold) take(number int64) (space.Genotype, bool) {
	at := number - u.first
	if at < 0 || at >= int64(len(u.proposals)) || u.proposals[at].told {
		return nil, false
	}
	g := u.proposals[at].genotype
	u.proposals[at] = proposal{told: true}
	for len(u.proposals) > 0 && u.proposals[0].told {
		u.proposals, u.first = u.proposals[1:], u.first+1
	}
	return g, true
}
