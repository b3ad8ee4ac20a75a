package host

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

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
	return nil
}

func (l *liar) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func (l *liar) Describe(ctx context.Context, _ *nascv1.DescribeRequest) (*nascv1.DescribeResponse, error) {
	c := &nascv1.Component{Kind: nascv1.Component_KIND_EVALUATOR, Name: "liar",
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
	name := "bad/" + l.lie
	if l.lie == "impostor" {
		name = "nasc/evolution"
	}
	return &nascv1.DescribeResponse{Name: name, Version: "6.6.6", Components: []*nascv1.Component{c}}, nil
}

func (l *liar) Configure(context.Context, *nascv1.EvaluatorConfigureRequest) (*nascv1.EvaluatorConfigureResponse, error) {
	return &nascv1.EvaluatorConfigureResponse{}, nil
}

func (l *liar) Evaluate(req *nascv1.EvaluateRequest, out nascv1.Evaluator_EvaluateServer) error {
	send := func(number int64) {
		out.Send(&nascv1.EvaluateEvent{Number: number, Event: &nascv1.EvaluateEvent_Result{
			Result: &nascv1.ValidationMetrics{Values: []float64{1}}}})
	}
	n := req.Trials[0].Number
	switch l.lie {
	case "unknown_trial":
		send(n + 1000)
	case "duplicate":
		send(n)
		send(n)
	case "forgets":
	default:
		send(n)
	}
	return nil
}
