package sdk

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

type optimizerServer struct {
	nascv1.UnimplementedOptimizerServer
	*server
}

func (o optimizerServer) Configure(_ context.Context, req *nascv1.OptimizerConfigureRequest) (*nascv1.OptimizerConfigureResponse, error) {
	cfg, err := wire.ToConfiguration(req.GetConfiguration())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	sp, err := wire.ToSpace(req.GetSpace())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if len(req.GetObjectives()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "no objective")
	}
	search := Search{Env: o.environment(cfg), Space: sp}
	for _, m := range req.GetObjectives() {
		search.Objectives = append(search.Objectives, Objective{Metric: m.GetMetric(), Maximize: m.GetMaximize()})
	}
	var spec *OptimizerSpec
	for i := range o.plugin.Optimizers {
		if o.plugin.Optimizers[i].info.Name == cfg.Component {
			spec = &o.plugin.Optimizers[i]
		}
	}
	if spec == nil {
		return nil, status.Errorf(codes.NotFound, "there is no optimizer %q", cfg.Component)
	}
	err = o.guard(func() error {
		if o.configured() {
			return errConfigured
		}
		var err error
		o.optimizer, err = spec.start(search, cfg.Settings)
		o.metrics, o.untold = req.GetMetrics(), map[int64]space.Genotype{}
		return err
	})
	if err == errConfigured {
		return nil, err
	}
	if err != nil {
		return &nascv1.OptimizerConfigureResponse{Problems: wire.FromProblems(problems(err))}, nil
	}
	return &nascv1.OptimizerConfigureResponse{}, nil
}

func (o optimizerServer) Ask(_ context.Context, req *nascv1.AskRequest) (*nascv1.AskResponse, error) {
	var all []space.Genotype
	err := o.guard(func() (err error) {
		if o.optimizer == nil {
			return errNotConfigured
		}
		all, err = o.optimizer.Ask(int(req.GetN()))
		return err
	})
	resp := &nascv1.AskResponse{}
	if errors.Is(err, ErrDone) {
		resp.Done, err = true, nil
	}
	if err != nil {
		return nil, failure(err)
	}
	for i, g := range all {
		o.untold[req.GetFirstTrial()+int64(i)] = g
		resp.Genotypes = append(resp.Genotypes, wire.FromGenotype(g))
	}
	return resp, nil
}

func (o optimizerServer) Tell(_ context.Context, req *nascv1.TellRequest) (*nascv1.TellResponse, error) {
	trials := make([]Trial, len(req.GetTrials()))
	err := o.guard(func() error {
		if o.optimizer == nil {
			return errNotConfigured
		}
		for i, m := range req.GetTrials() {
			t := wire.ToTold(m)
			g, ok := o.untold[t.Trial]
			if n := len(t.Metrics.Values); !ok || n != 0 && n != len(o.metrics) {
				return status.Errorf(codes.InvalidArgument, "trial %d was never proposed, or has %d metrics", t.Trial, n)
			}
			delete(o.untold, t.Trial)
			trials[i] = Trial{Trial: t.Trial, Genotype: g, Metrics: t.Metrics.Unpack(o.metrics), Failure: t.Failure,
				Infeasible: t.Infeasible, Rejected: t.Rejected}
		}
		return o.optimizer.Tell(trials)
	})
	if err != nil {
		return nil, failure(err)
	}
	return &nascv1.TellResponse{}, nil
}
