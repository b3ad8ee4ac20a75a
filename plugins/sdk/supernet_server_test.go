package sdk

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// closing is an evaluator whose supernets tell when they are closed.
type closing struct {
	Evaluator
	closed chan string
}

func (c closing) OpenSupernet(context.Context, OpenSupernet) (TrainedSupernet, error) {
	return closingNet{closed: c.closed}, nil
}

func (c closing) Close() error { c.closed <- "evaluator"; return nil }

type closingNet struct {
	TrainedSupernet
	closed chan string
}

func (closingNet) Size() SupernetSize { return SupernetSize{Steps: 1} }

func (n closingNet) Close() error { n.closed <- "supernet"; return nil }

// opening is a stream that opens a supernet and ends after that.
type opening struct {
	grpc.ServerStream
	open   *nascv1.Open
	opened chan bool
	end    chan bool
}

func (o *opening) Context() context.Context { return context.Background() }

func (o *opening) Recv() (*nascv1.SupernetRequest, error) {
	if m := o.open; m != nil {
		o.open = nil
		return &nascv1.SupernetRequest{Request: &nascv1.SupernetRequest_Open{Open: m}}, nil
	}
	<-o.end
	return nil, io.EOF
}

func (o *opening) Send(m *nascv1.SupernetResponse) error {
	o.opened <- m.GetOpened() != nil
	return nil
}

// TestSupernetIsClosed: a supernet is closed when its stream ends, also when its evaluator
// has been released before.
func TestSupernetIsClosed(t *testing.T) {
	m, diags := compiler.Load("x.nas", func(string) ([]byte, error) {
		return []byte(`import { conv, global_pool, linear } from "std/vision"
space x(image: [1, 4, 4]) -> [2] { return image -> (conv(out: 2) | conv(out: 2, kernel: 5)) -> global_pool -> linear(out: 2) }`), nil
	})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	s, diags := m.Space("", nil)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	relaxed, diags := s.Relax(lower.Relaxation{})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	network, err := wire.FromNetwork(relaxed)
	if err != nil {
		t.Fatal(err)
	}
	for _, released := range []bool{false, true} {
		closed := make(chan string, 2)
		srv, err := newServer(Plugin{Name: "test/closing", Version: "0.1.0", Evaluators: []EvaluatorSpec{
			NewEvaluator(EvaluatorInfo{Name: "closing", Metrics: []Metric{{Name: "score"}}, Supernets: true},
				func(Env, struct{}) (Evaluator, error) { return closing{closed: closed}, nil })}}, Env{Log: slog.Default()})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := evaluatorServer{server: srv}.Configure(t.Context(),
			&nascv1.EvaluatorConfigureRequest{Configuration: &nascv1.Configuration{Component: "closing", Session: 1}})
		if err != nil || len(resp.GetProblems()) > 0 {
			t.Fatal(resp, err)
		}
		stream := &opening{open: &nascv1.Open{Session: 1, Network: network, Epochs: 1}, opened: make(chan bool, 1), end: make(chan bool)}
		done := make(chan error, 1)
		go func() { done <- supernetServer{server: srv}.Work(stream) }()
		if !<-stream.opened {
			t.Fatal("it was not opened")
		}
		if released {
			if _, err := srv.Release(t.Context(), &nascv1.ReleaseRequest{Session: 1}); err != nil {
				t.Fatal(err)
			}
			if first := <-closed; first != "evaluator" {
				t.Errorf("the %s was closed first", first)
			}
		}
		close(stream.end)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-closed:
			if got != "supernet" {
				t.Errorf("the %s was closed", got)
			}
		default:
			t.Errorf("released: %v; the supernet was not closed", released)
		}
	}
}
