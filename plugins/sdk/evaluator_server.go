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
	err = e.guard(func() error {
		if e.configured() {
			return errConfigured
		}
		started, err := spec.start(e.environment(cfg), cfg.Settings)
		if err != nil {
			return err
		}
		if r, ok := started.(Reporter); ok {
			resp.Facts = wire.FromFacts(r.Facts())
		}
		e.evaluator, e.reports = started, spec.info.Metrics
		if spec.info.Varies {
			d, ok := started.(Describer)
			if !ok {
				return errors.New("the evaluator says that its metrics vary, and does not describe them")
			}
			reports := d.Describe()
			e.reports, resp.Reports = reports.Metrics, wire.FromReports(reports)
		}
		return nil
	})
	if err == errConfigured {
		return nil, err
	}
	if err != nil {
		resp.Problems = wire.FromProblems(problems(err))
	}
	return resp, nil
}

// Evaluate judges the trials one after another. Results leave in that order,
// each as soon as it is there.
func (e evaluatorServer) Evaluate(req *nascv1.EvaluateRequest, out nascv1.Evaluator_EvaluateServer) error {
	for _, m := range req.GetTrials() {
		if err := out.Context().Err(); err != nil {
			return failure(err)
		}
		event := &nascv1.EvaluateEvent{Number: m.GetNumber()}
		progress := func(p Progress) error {
			return out.Send(&nascv1.EvaluateEvent{Number: m.GetNumber(),
				Event: &nascv1.EvaluateEvent_Progress{Progress: wire.FromProgress(p)}})
		}
		var result wire.Validation
		mistake := false
		err := e.judge(out.Context(), m, progress, func(ctx context.Context, c Candidate, p func(Progress)) error {
			v, err := e.evaluator.Evaluate(ctx, c, p)
			if err == nil {
				result, err = v.Pack(e.reports)
				mistake = err != nil
			}
			return err
		})
		switch {
		case out.Context().Err() != nil:
			return failure(out.Context().Err())
		case err == errNotConfigured:
			return err
		case mistake:
			return failure(err)
		case err != nil:
			event.Event = &nascv1.EvaluateEvent_Failure{Failure: wire.FromProblem(problems(err)[0])}
		default:
			event.Event = &nascv1.EvaluateEvent_Result{Result: wire.FromValidation(result)}
		}
		if err := out.Send(event); err != nil {
			return err
		}
	}
	return nil
}

// Test measures one architecture on the test split.
func (e evaluatorServer) Test(req *nascv1.TestRequest, out nascv1.Evaluator_TestServer) error {
	progress := func(p Progress) error {
		return out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Progress{Progress: wire.FromProgress(p)}})
	}
	var result TestMetrics
	err := e.judge(out.Context(), req.GetTrial(), progress, func(ctx context.Context, c Candidate, p func(Progress)) (err error) {
		tester, ok := e.evaluator.(Tester)
		if !ok {
			return &Problem{Message: "this evaluator has no test split"}
		}
		result, err = tester.Test(ctx, c, p)
		return err
	})
	switch {
	case out.Context().Err() != nil:
		return failure(out.Context().Err())
	case err == errNotConfigured:
		return err
	case err != nil:
		return out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Failure{Failure: wire.FromProblem(problems(err)[0])}})
	}
	return out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Result{Result: wire.FromTest(result)}})
}

// judge reads a trial and runs f on it. A progress report that cannot be sent
// cancels the work: nobody is listening any more.
func (e evaluatorServer) judge(ctx context.Context, m *nascv1.Trial, send func(Progress) error, f func(context.Context, Candidate, func(Progress)) error) error {
	job, err := wire.ToJob(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A stream takes one message at a time, and none after its end, but plugin
	// code may report from several goroutines and keep the function.
	var mu sync.Mutex
	over := false
	defer func() {
		mu.Lock()
		over = true
		mu.Unlock()
	}()
	return e.guard(func() error {
		if e.evaluator == nil {
			return errNotConfigured
		}
		c := Candidate{Number: job.Number, Seed: job.Seed, Epochs: job.Epochs}
		if c.Graph, err = job.Graph(); err != nil {
			return err
		}
		if r, ok := e.evaluator.(Recogniser); ok {
			if c.Key, err = r.Recognise(c.Graph); err != nil {
				return err
			}
			c.Graph = nil
		}
		return f(ctx, c, func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			if !over && ctx.Err() == nil && send(p) != nil {
				cancel()
			}
		})
	})
}

func (e evaluatorServer) Resolve(_ context.Context, req *nascv1.ResolveRequest) (*nascv1.ResolveResponse, error) {
	resp := &nascv1.ResolveResponse{}
	err := e.guard(func() (err error) {
		if e.evaluator == nil {
			return errNotConfigured
		}
		if r, ok := e.evaluator.(Resolver); ok {
			var labels map[string]string
			labels, resp.Recognised, err = r.Resolve(req.GetArchitecture(), wire.ToChoices(req.GetDecisions()))
			resp.Labels = wire.FromFacts(labels)
		}
		return err
	})
	if err == errNotConfigured {
		return nil, err
	}
	if err != nil {
		resp.Problems = wire.FromProblems(problems(err))
	}
	return resp, nil
}
