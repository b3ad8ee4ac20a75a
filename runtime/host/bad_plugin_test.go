package host

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// serveBadly is every plugin that the SDK would not let anyone write.
func serveBadly(name string) {
	switch name {
	case "bad/exits":
		fmt.Fprintln(os.Stderr, "cannot find libtorch.so")
		os.Exit(3)
	case "bad/babbles":
		for range 2000 {
			fmt.Print(strings.Repeat("y", 1000))
		}
		fmt.Fprint(os.Stderr, strings.Repeat("z", 1<<20))
		os.Exit(1)
	case "bad/mute":
		time.Sleep(time.Hour)
	case "bad/protocol":
		serveRaw(&liar{}, 99)
	case "bad/netrpc":
		fmt.Printf("1|%d|unix|%s/x|netrpc|\n", wire.ProtocolVersion, os.Getenv(plugin.EnvUnixSocketDir))
		time.Sleep(time.Hour)
	case "bad/elsewhere":
		fmt.Printf("1|%d|unix|/tmp/other.sock|grpc|\n", wire.ProtocolVersion)
		time.Sleep(time.Hour)
	case "bad/nobody": // an address at which nobody answers
		fmt.Printf("1|%d|unix|%s/x|grpc|\n", wire.ProtocolVersion, os.Getenv(plugin.EnvUnixSocketDir))
		time.Sleep(time.Hour)
	default:
		serveRaw(&liar{lie: strings.TrimPrefix(name, "bad/")}, wire.ProtocolVersion)
	}
}

// liar serves the contract without the SDK.
type liar struct {
	nascv1.UnimplementedPluginServer
	nascv1.UnimplementedEvaluatorServer
	plugin.NetRPCUnsupportedPlugin
	lie string
}

func serveRaw(l *liar, version int) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{version: {wire.ServiceName: l}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}

func (l *liar) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	nascv1.RegisterPluginServer(s, l)
	nascv1.RegisterEvaluatorServer(s, l)
	nascv1.RegisterOptimizerServer(s, lyingOptimizer{lie: l.lie})
	nascv1.RegisterOneShotServer(s, lyingOneShot{lie: l.lie})
	nascv1.RegisterSupernetServer(s, lyingSupernet{lie: l.lie})
	return nil
}

func (l *liar) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func (l *liar) Describe(ctx context.Context, _ *nascv1.DescribeRequest) (*nascv1.DescribeResponse, error) {
	c := &nascv1.Component{Kind: nascv1.Component_KIND_EVALUATOR, Name: "liar", Shared: true,
		Metrics: []*nascv1.Metric{{Name: "score"}}}
	switch l.lie {
	case "hangs":
		time.Sleep(time.Hour)
	case "nameless":
		return &nascv1.DescribeResponse{}, nil
	case "odd_default":
		c.Parameters = []*nascv1.Parameter{{Name: "p", Type: "int",
			Default: &nascv1.Value{Kind: &nascv1.Value_String_{String_: "x"}}}}
	case "large":
		c.Doc = strings.Repeat("d", wire.MaxMessage+1)
	}
	var straight *nascv1.Direct
	if lie, ok := strings.CutPrefix(l.lie, "direct_"); ok {
		straight = &nascv1.Direct{Socket: os.Getenv(plugin.EnvUnixSocketDir) + "/d", Secret: []byte("secret")}
		switch lie {
		case "elsewhere":
			straight.Socket = filepath.Join(os.TempDir(), "d") // not in the folder of the plugin
		case "nobody":
		default:
			listener, err := net.Listen("unix", straight.Socket)
			if err != nil {
				return nil, err
			}
			go lieDirectly(listener, lie)
		}
	}
	o := &nascv1.Component{Kind: nascv1.Component_KIND_OPTIMIZER, Name: "liar", Shared: true}
	_, c.Supernets = supernetLies[l.lie]
	o.OneShot = c.Supernets
	name := "bad/" + l.lie
	if l.lie == "impostor" {
		name = "nasc/evolution"
	}
	return &nascv1.DescribeResponse{Name: name, Version: "6.6.6", Components: []*nascv1.Component{c, o}, Direct: straight}, nil
}

// lieDirectly takes a direct connection, and sends something wrong once it has heard
// something.
func lieDirectly(l net.Listener, lie string) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	hello := "secret\x00\x00\x00\x00\x16/nasc.v1.Optimizer/Run"
	got := make([]byte, len(hello)+1)
	if _, err := io.ReadFull(conn, got); err != nil || string(got[:len(hello)]) != hello {
		fmt.Fprintf(os.Stderr, "a hello of %q\n", got)
		os.Exit(1)
	}
	switch lie {
	case "torn":
		conn.Write([]byte("\x00\x00\x00\x01\x00torn"))
		os.Exit(1)
	case "huge":
		conn.Write([]byte("\x00\x04\x00\x00\x01"))
	case "kind":
		conn.Write([]byte("\x07\x00\x00\x00\x01"))
	case "nonsense":
		conn.Write([]byte("\x00\x00\x00\x00\x03\xff\xff\xff"))
	case "ends":
		conn.Write([]byte("\x01\x00\x00\x00\x00"))
	case "gives_up":
		conn.Write([]byte("\x01\x00\x00\x00\x0b\x08\x0d\x12\x07no more"))
	}
	time.Sleep(time.Hour)
}

func (l *liar) Configure(context.Context, *nascv1.EvaluatorConfigureRequest) (*nascv1.EvaluatorConfigureResponse, error) {
	resp := &nascv1.EvaluatorConfigureResponse{Recognises: true}
	if l.lie == "facts" {
		resp.Facts = map[string]string{"data": strings.Repeat("f", 2<<20)}
	}
	return resp, nil
}

func (l *liar) Release(context.Context, *nascv1.ReleaseRequest) (*nascv1.ReleaseResponse, error) {
	return &nascv1.ReleaseResponse{}, nil
}

// Evaluate answers one trial at a time.
func (l *liar) Evaluate(stream nascv1.Evaluator_EvaluateServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, t := range req.Trials {
			id := t.Ids[0]
			m := &nascv1.EvaluateResponse{Ids: t.Ids, Results: &nascv1.ValidationMetrics{Values: []float64{1}}}
			more := func(id uint64) {
				m.Ids = append(m.Ids, id)
				m.Results.Values = append(m.Results.Values, 1)
			}
			event := func(ev *nascv1.EvaluateEvent) *nascv1.EvaluateResponse {
				return &nascv1.EvaluateResponse{Events: []*nascv1.EvaluateEvent{ev}}
			}
			all := []*nascv1.EvaluateResponse{m}
			switch l.lie {
			case "unknown_trial":
				more(id + 1000)
			case "unknown_turn":
				more(id + 1<<32)
			case "duplicate":
				more(id)
			case "twice":
				all = append(all, m)
			case "progress_after":
				all = append(all, event(&nascv1.EvaluateEvent{Id: id, Event: &nascv1.EvaluateEvent_Progress{Progress: &nascv1.Progress{}}}))
			case "failure_after":
				all = append(all, event(&nascv1.EvaluateEvent{Id: id, Event: &nascv1.EvaluateEvent_Failure{}}))
			case "few_metrics":
				m.Results.Values = nil
			case "many_metrics":
				m.Results.Values = []float64{1, 2}
			case "ragged":
				more(id)
				m.Results.Values = []float64{1, 2, 3}
			case "no_metrics":
				m.Results = nil
			case "ragged_epochs":
				m.Results.Epochs = []float64{1, 2}
			case "nan":
				m.Results.Values[0] = math.NaN()
			case "seconds":
				m.Results.SimulatedSeconds = []float64{math.Inf(1)}
			case "forgetful":
				all[0] = event(&nascv1.EvaluateEvent{Id: id, Event: &nascv1.EvaluateEvent_Unknown{Unknown: &nascv1.Unknown{}}})
			case "old": // forgets as it may
				if len(t.Graphs) == 0 {
					all[0] = event(&nascv1.EvaluateEvent{Id: id, Event: &nascv1.EvaluateEvent_Unknown{Unknown: &nascv1.Unknown{}}})
				}
			case "gives_up":
				return status.Error(codes.Internal, "no more")
			case "forgets":
				return nil
			}
			for _, m := range all {
				if err := stream.Send(m); err != nil {
					return err
				}
			}
		}
	}
}

// lyingOptimizer is the liar as an optimizer.
type lyingOptimizer struct {
	nascv1.UnimplementedOptimizerServer
	lie string
}

func (l lyingOptimizer) Configure(context.Context, *nascv1.OptimizerConfigureRequest) (*nascv1.OptimizerConfigureResponse, error) {
	return &nascv1.OptimizerConfigureResponse{}, nil
}

// Run answers every step with the first genotype of six decisions.
func (l lyingOptimizer) Run(stream nascv1.Optimizer_RunServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, s := range req.Steps {
			good := &nascv1.Answer{Session: s.Session, Count: s.Ask, Genotypes: make([]int64, 6*s.Ask)}
			all := []*nascv1.Answer{good}
			switch l.lie {
			case "stranger":
				all = append(all, &nascv1.Answer{Session: s.Session + 1000})
			case "twice":
				all = append(all, good)
			case "many":
				good.Count, good.Genotypes = s.Ask+1, make([]int64, 6*(s.Ask+1))
			case "bomb":
				good.Count = 1 << 30
			case "ragged":
				good.Genotypes = make([]int64, 6*s.Ask+1)
			case "outside":
				good.Genotypes[2] = 77
			case "unasked":
				good.Count, good.Genotypes = 1, make([]int64, 6)
			case "forgets":
				return nil
			}
			if err := stream.Send(&nascv1.OptimizerResponse{Answers: all}); err != nil {
				return err
			}
		}
	}
}
