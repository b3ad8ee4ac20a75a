package sdk

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// server answers the host's calls. It is one value for all services.
type server struct {
	nascv1.UnimplementedPluginServer
	plugin   Plugin
	describe *nascv1.DescribeResponse
	env      Env // of which a configuration sets the rest
	pool     *pool

	mu       sync.Mutex
	sessions map[uint64]*session
	shared   bool // the component of the sessions is
	// slack is memory that is never touched. Garbage may grow as large before it is
	// collected; a shared plugin that holds little would otherwise collect all the time.
	slack    []byte
	families map[uint64]*family // of evaluators
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
	m.Attentive = true // calls are answered by goroutines of their own
	return &server{plugin: p, describe: m, env: env, pool: newPool(), sessions: map[uint64]*session{}, families: map[uint64]*family{}}, nil
}

// grpcPlugin registers a server with go-plugin.
type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

func (g *grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	g.server.register(s)
	g.server.offerDirect(os.Getenv(plugin.EnvUnixSocketDir))
	forgetHost() // go-plugin has read what it needs
	return nil
}

func (g *grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin has no client")
}

// register adds all services.
func (s *server) register(to grpc.ServiceRegistrar) {
	nascv1.RegisterPluginServer(to, s)
	nascv1.RegisterOptimizerServer(to, optimizerServer{server: s})
	nascv1.RegisterEvaluatorServer(to, evaluatorServer{server: s})
	nascv1.RegisterOneShotServer(to, oneShotServer{server: s})
	nascv1.RegisterSupernetServer(to, supernetServer{server: s})
	nascv1.RegisterOpsServer(to, opsServer{server: s})
}

// offerDirect opens two sockets in the folder of the gRPC socket: for the long streams of
// this process, and for short calls. Where there is no such folder, as on
// Windows, all goes over gRPC.
func (s *server) offerDirect(folder string) {
	if folder == "" || !direct.Supported {
		return
	}
	stream, err := direct.Listen(folder, "stream", nascv1.OneShot_Search_FullMethodName, nascv1.Supernet_Work_FullMethodName)
	if err != nil {
		s.env.Log.Warn("no direct socket", "error", err)
		return
	}
	calls, err := direct.Listen(folder, "calls")
	if err != nil {
		s.env.Log.Warn("no direct socket for calls", "error", err)
	} else {
		services := direct.Services{}
		s.register(services)
		s.describe.Calls = calls.Offer()
		go calls.Serve(direct.Methods{direct.CallsMethod: services.Serve})
	}
	s.describe.Direct = stream.Offer()
	go stream.Serve(direct.Methods{
		nascv1.Optimizer_Run_FullMethodName: func(stream grpc.ServerStream) error {
			return optimizerServer{server: s}.Run(&grpc.GenericServerStream[nascv1.OptimizerRequest, nascv1.OptimizerResponse]{ServerStream: stream})
		},
		nascv1.Evaluator_Evaluate_FullMethodName: func(stream grpc.ServerStream) error {
			return evaluatorServer{server: s}.Evaluate(&grpc.GenericServerStream[nascv1.EvaluateRequest, nascv1.EvaluateResponse]{ServerStream: stream})
		},
		nascv1.OneShot_Search_FullMethodName: func(stream grpc.ServerStream) error {
			return oneShotServer{server: s}.Search(&grpc.GenericServerStream[nascv1.OneShotRequest, nascv1.OneShotResponse]{ServerStream: stream})
		},
		nascv1.Supernet_Work_FullMethodName: func(stream grpc.ServerStream) error {
			return supernetServer{server: s}.Work(&grpc.GenericServerStream[nascv1.SupernetRequest, nascv1.SupernetResponse]{ServerStream: stream})
		},
	})
}

func (s *server) Describe(context.Context, *nascv1.DescribeRequest) (*nascv1.DescribeResponse, error) {
	return s.describe, nil
}

// Release lets the component of a session close.
func (s *server) Release(_ context.Context, req *nascv1.ReleaseRequest) (*nascv1.ReleaseResponse, error) {
	old, err := s.session(req.GetSession())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	delete(s.sessions, req.GetSession())
	s.mu.Unlock()
	return &nascv1.ReleaseResponse{}, failure(old.close())
}

// Shutdown lets components that can be closed close. The host ends the process
// afterwards.
func (s *server) Shutdown(context.Context, *nascv1.ShutdownRequest) (*nascv1.ShutdownResponse, error) {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.sessions))
	s.mu.Unlock()
	var errs []error
	for _, one := range all {
		if one != nil {
			errs = append(errs, one.close())
		}
	}
	return &nascv1.ShutdownResponse{}, failure(errors.Join(errs...))
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
