package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// server answers the host's calls. It is one value for all three services, since
// a process is configured once, as one component.
type server struct {
	nascv1.UnimplementedPluginServer
	plugin   Plugin
	describe *nascv1.DescribeResponse
	env      Env // of which a configuration sets the rest

	mu        sync.Mutex // held during every call of plugin code
	optimizer Optimizer
	metrics   []string                 // of what the optimizer is told
	untold    map[int64]space.Genotype // proposed
	evaluator Evaluator
	reports   []Metric // what the evaluator declares
}

func newServer(p Plugin, env Env) (*server, error) {
	d, err := p.Description()
	if err != nil {
		return nil, err
	}
	m, err := wire.FromDescription(d)
	if err != nil {
		return nil, err
	}
	return &server{plugin: p, describe: m, env: env}, nil
}

// grpcPlugin registers a server with go-plugin.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

func (g *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	nascv1.RegisterPluginServer(s, g.server)
	nascv1.RegisterOptimizerServer(s, optimizerServer{server: g.server})
	nascv1.RegisterEvaluatorServer(s, evaluatorServer{server: g.server})
	forgetHost() // go-plugin has read what it needs
	return nil
}

func (g *grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin has no client")
}

func (s *server) Describe(context.Context, *nascv1.DescribeRequest) (*nascv1.DescribeResponse, error) {
	return s.describe, nil
}

// Shutdown lets a component that is an io.Closer close. The host ends the
// process afterwards.
func (s *server) Shutdown(context.Context, *nascv1.ShutdownRequest) (*nascv1.ShutdownResponse, error) {
	err := s.guard(func() error {
		var errs []error
		for _, c := range []any{s.optimizer, s.evaluator} {
			if c, ok := c.(io.Closer); ok {
				errs = append(errs, c.Close())
			}
		}
		return errors.Join(errs...)
	})
	return &nascv1.ShutdownResponse{}, err
}

// guard runs plugin code: one call at a time, a panic being an error of it.
func (s *server) guard(f func() error) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			s.env.Log.Error("panic in plugin code", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = &Problem{Message: fmt.Sprintf("the plugin's code panicked: %v", r)}
		}
	}()
	return f()
}

func (s *server) configured() bool { return s.optimizer != nil || s.evaluator != nil }

func (s *server) environment(c wire.Configuration) Env {
	return Env{Seed: c.Seed, WorkDir: c.WorkDir, Threads: c.Threads, Log: s.env.Log}
}

// problems are what a failed start tells the user: every Problem inside err, or
// err itself as one.
func problems(err error) []*Problem {
	var p *Problem
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Problem
		for _, e := range joined.Unwrap() {
			all = append(all, problems(e)...)
		}
		return all
	}
	if errors.As(err, &p) {
		return []*Problem{p}
	}
	return []*Problem{{Message: err.Error()}}
}

// failure is err as the status of a call.
func failure(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return status.Error(codes.Canceled, err.Error())
	}
	return status.Error(codes.Aborted, err.Error())
}

var (
	errConfigured    = status.Error(codes.FailedPrecondition, "this process is already configured")
	errNotConfigured = status.Error(codes.FailedPrecondition, "this process is not configured for that")
)
