package sdk

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

type evaluatorServer struct {
	nascv1.UnimplementedEvaluatorServer
	*server
}

// evaluator is the component of a session.
type evaluator struct {
	Evaluator
	recogniser Recogniser // itself, if it is one
	family     *family
	reports    []Metric // what it declares
}

func (e *evaluator) Close() error { return closeIf(e.Evaluator) }

func (e evaluatorServer) Configure(_ context.Context, req *nascv1.EvaluatorConfigureRequest) (*nascv1.EvaluatorConfigureResponse, error) {
	cfg, err := wire.ToConfiguration(req.GetConfiguration())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	var spec *EvaluatorSpec
	for i := range e.plugin.Evaluators {
		if e.plugin.Evaluators[i].info.Name == cfg.Component {
			spec = &e.plugin.Evaluators[i]
		}
	}
	if spec == nil {
		return nil, status.Errorf(codes.NotFound, "there is no evaluator %q", cfg.Component)
	}
	resp := &nascv1.EvaluatorConfigureResponse{}
	ps, err := e.open(cfg, req.GetConfiguration().GetSession(), spec.info.Shared, func(env Env) (component, error) {
		started, err := spec.start(env, cfg.Settings)
		if err != nil {
			return nil, err
		}
		if r, ok := started.(Reporter); ok {
			resp.Facts = wire.FromFacts(r.Facts())
		}
		made := &evaluator{Evaluator: started, reports: spec.info.Metrics}
		if made.recogniser, resp.Recognises = started.(Recogniser); resp.Recognises {
			made.family = e.kin(req.GetFamily())
		}
		if spec.info.Varies {
			d, ok := started.(Describer)
			if !ok {
				return nil, errors.New("the evaluator says that its metrics vary, and does not describe them")
			}
			reports := d.Describe()
			made.reports, resp.Reports = reports.Metrics, wire.FromReports(reports)
		}
		return made, nil
	})
	resp.Problems = wire.FromProblems(ps)
	return resp, err
}

// kin returns the family of a number.
func (e evaluatorServer) kin(number uint64) *family {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.families[number]
	if f == nil {
		f = &family{}
		e.families[number] = f
	}
	return f
}

// Evaluate reads trials and lets the pool judge them.
func (e evaluatorServer) Evaluate(stream nascv1.Evaluator_EvaluateServer) error {
	w := newEvaluation(stream)
	defer w.close()
	return e.pool.serve(func() error {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, m := range req.GetTrials() {
			s, self, err := e.evaluator(m.GetSession())
			if err != nil { // it was released, since nobody waits for the trials any more
				w.refuse(m, err)
				continue
			}
			b, err := w.begin(s, self, m)
			if err != nil {
				return err
			}
			e.pool.add(&s.lane, b...)
		}
		for _, id := range req.GetCancelled() {
			w.cancel(id)
		}
		return nil
	}, w.out.Post)
}

// Test measures one architecture on the test split.
func (e evaluatorServer) Test(req *nascv1.TestRequest, out nascv1.Evaluator_TestServer) error {
	s, self, err := e.evaluator(req.GetSession())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(out.Context())
	defer cancel()
	// A stream takes one message at a time, and none after its end, but plugin
	// code may report from several goroutines and keep the function.
	var mu sync.Mutex
	over := false
	progress := func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if over || ctx.Err() != nil {
			return
		}
		if out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Progress{Progress: wire.FromProgress(p)}}) != nil {
			cancel() // nobody is listening any more
		}
	}
	var result TestMetrics
	err = s.guard(func() error {
		tester, ok := self.Evaluator.(Tester)
		if !ok {
			return &Problem{Message: "this evaluator has no test split"}
		}
		c := Candidate{Number: req.GetNumber(), Seed: req.GetSeed(), Epochs: int(req.GetEpochs())}
		err := self.look(&c, nil, req.GetGraph())
		if err == nil {
			result, err = tester.Test(ctx, c, progress)
		}
		return err
	})
	mu.Lock()
	over = true
	mu.Unlock()
	switch {
	case out.Context().Err() != nil:
		return failure(out.Context().Err())
	case err != nil:
		return out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Failure{Failure: wire.FromProblem(problems(err)[0])}})
	}
	return out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Result{Result: wire.FromTest(result)}})
}

func (e evaluatorServer) Resolve(_ context.Context, req *nascv1.ResolveRequest) (*nascv1.ResolveResponse, error) {
	s, self, err := e.evaluator(req.GetSession())
	if err != nil {
		return nil, err
	}
	resp := &nascv1.ResolveResponse{}
	err = s.guard(func() (err error) {
		if r, ok := self.Evaluator.(Resolver); ok {
			var labels map[string]string
			labels, resp.Recognised, err = r.Resolve(req.GetArchitecture(), wire.ToChoices(req.GetDecisions()))
			resp.Labels = wire.FromFacts(labels)
		}
		return err
	})
	if err != nil {
		resp.Problems = wire.FromProblems(problems(err))
	}
	return resp, nil
}

// evaluator finds the session of a call and what is at work in it.
func (e evaluatorServer) evaluator(number uint64) (*session, *evaluator, error) {
	s, err := e.session(number)
	if err != nil {
		return nil, nil, err
	}
	self, ok := s.component.(*evaluator)
	if !ok {
		return nil, nil, errOtherKind
	}
	return s, self, nil
}

// look gives a candidate its key or its graph, which is known or sent. It runs
// plugin code.
func (e *evaluator) look(c *Candidate, known *recognised, sent []byte) (err error) {
	switch {
	case c.Epochs < 0:
		err = &Problem{Path: "epochs", Message: "they are negative"}
	case known != nil:
		c.Key, err = known.by(e.recogniser)
	case e.recogniser != nil:
		c.Key, err = (&recognised{graph: sent}).by(e.recogniser)
	default:
		c.Graph, err = wire.ReadGraph(sent)
	}
	return err
}
