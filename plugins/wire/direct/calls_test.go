//go:build unix

package direct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// office answers calls: a Release of a session when its gate opens, a Test with as many
// events as its number says.
type office struct {
	nascv1.UnimplementedPluginServer
	nascv1.UnimplementedEvaluatorServer
	gates     map[uint64]chan struct{}
	cancelled chan uint64
}

func (o *office) Release(ctx context.Context, req *nascv1.ReleaseRequest) (*nascv1.ReleaseResponse, error) {
	switch n := req.GetSession(); n {
	case 404:
		return nil, status.Error(codes.NotFound, "there is no session 404")
	case 500:
		return nil, errors.New("no status")
	default:
		select {
		case <-o.gates[n]:
			return &nascv1.ReleaseResponse{}, nil
		case <-ctx.Done():
			o.cancelled <- n
			return nil, ctx.Err()
		}
	}
}

func (o *office) Resolve(_ context.Context, req *nascv1.ResolveRequest) (*nascv1.ResolveResponse, error) {
	return &nascv1.ResolveResponse{Labels: map[string]string{"a": strings.Repeat(req.GetArchitecture(), int(req.GetSession()))}}, nil
}

func (o *office) Test(req *nascv1.TestRequest, out nascv1.Evaluator_TestServer) error {
	for i := range req.GetNumber() {
		if err := out.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Progress{Progress: &nascv1.Progress{Fraction: float64(i)}}}); err != nil {
			return err
		}
	}
	if req.GetNumber() == 13 {
		return status.Error(codes.Aborted, "thirteen")
	}
	<-o.gates[uint64(req.GetNumber())]
	return nil
}

func callsTo(t *testing.T, o *office) *Caller {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "nasc-direct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := Listen(folder, "calls")
	if err != nil {
		t.Fatal(err)
	}
	all := Services{}
	nascv1.RegisterPluginServer(all, o)
	nascv1.RegisterEvaluatorServer(all, o)
	go l.Serve(Methods{CallsMethod: all.Serve})
	c, err := DialCalls(t.Context(), l.Offer())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func opened(open bool) chan struct{} {
	c := make(chan struct{})
	if open {
		close(c)
	}
	return c
}

// TestCalls: many calls are under way at once and are answered in any order, each with
// its own response; one that waits does not stop the others.
func TestCalls(t *testing.T) {
	o := &office{gates: map[uint64]chan struct{}{}}
	for n := range uint64(20) {
		o.gates[n] = opened(false)
	}
	c := callsTo(t, o)
	var mu sync.Mutex
	var order []uint64
	var all sync.WaitGroup
	for n := range uint64(20) {
		all.Go(func() {
			if _, err := nascv1.NewPluginClient(c).Release(t.Context(), &nascv1.ReleaseRequest{Session: n}); err != nil {
				t.Error(err)
			}
			mu.Lock()
			order = append(order, n)
			mu.Unlock()
			if n > 0 {
				close(o.gates[n-1])
			}
		})
	}
	for i := range 30 {
		r, err := nascv1.NewEvaluatorClient(c).Resolve(t.Context(), &nascv1.ResolveRequest{Architecture: fmt.Sprint(i % 10), Session: uint64(1000 * i)})
		if err != nil || r.GetLabels()["a"] != strings.Repeat(fmt.Sprint(i%10), 1000*i) {
			t.Fatalf("call %d: %d bytes, %v", i, len(r.GetLabels()["a"]), err)
		}
	}
	close(o.gates[19])
	all.Wait()
	if slices.Reverse(order); !slices.IsSorted(order) {
		t.Errorf("answered in the order %v", order)
	}
}

// TestCallErrors: how a call fails is told as gRPC would, and harms no other call.
func TestCallErrors(t *testing.T) {
	o := &office{gates: map[uint64]chan struct{}{1: opened(true), 9: opened(false)}, cancelled: make(chan uint64, 1)}
	c := callsTo(t, o)
	fails := func(err error, code codes.Code, says string) {
		t.Helper()
		if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), says) {
			t.Errorf("got %v", err)
		}
	}
	release := func(ctx context.Context, n uint64) error {
		_, err := nascv1.NewPluginClient(c).Release(ctx, &nascv1.ReleaseRequest{Session: n})
		return err
	}
	fails(release(t.Context(), 404), codes.NotFound, "there is no session 404")
	fails(release(t.Context(), 500), codes.Unknown, "no status")
	_, err := nascv1.NewPluginClient(c).Describe(t.Context(), &nascv1.DescribeRequest{})
	fails(err, codes.Unimplemented, "Describe")
	_, err = nascv1.NewOptimizerClient(c).Configure(t.Context(), &nascv1.OptimizerConfigureRequest{})
	fails(err, codes.Unimplemented, "/nasc.v1.Optimizer/Configure")
	if _, err := nascv1.NewEvaluatorClient(c).Evaluate(t.Context()); status.Code(err) != codes.Unimplemented {
		t.Errorf("a stream of requests: %v", err)
	}
	_, err = nascv1.NewEvaluatorClient(c).Resolve(t.Context(), &nascv1.ResolveRequest{Architecture: strings.Repeat("x", wire.MaxMessage/4), Session: 5})
	fails(err, codes.ResourceExhausted, "67108864 are allowed")
	_, err = nascv1.NewEvaluatorClient(c).Resolve(t.Context(), &nascv1.ResolveRequest{Architecture: strings.Repeat("x", wire.MaxMessage)})
	fails(err, codes.ResourceExhausted, "67108864 are allowed")

	calls := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.open)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- release(ctx, 9) }()
	for calls() == 0 {
		runtime.Gosched()
	}
	cancel()
	fails(<-ended, codes.Canceled, "")
	if n := <-o.cancelled; n != 9 {
		t.Errorf("the plugin stops session %d", n)
	}
	if err := release(t.Context(), 1); err != nil || calls() != 0 {
		t.Errorf("afterwards: %v, %d calls are open", err, calls())
	}
}

// TestCallStream: the responses of a stream come in their order, then its end.
func TestCallStream(t *testing.T) {
	c := callsTo(t, &office{gates: map[uint64]chan struct{}{0: opened(true), 100: opened(true)}})
	for number, want := range map[int64]error{0: io.EOF, 100: io.EOF, 13: status.Error(codes.Aborted, "thirteen")} {
		s, err := nascv1.NewEvaluatorClient(c).Test(t.Context(), &nascv1.TestRequest{Number: number})
		if err != nil {
			t.Fatal(err)
		}
		for i := range number {
			if m, err := s.Recv(); err != nil || m.GetProgress().GetFraction() != float64(i) {
				t.Fatalf("response %d of %d: %v, %v", i, number, m, err)
			}
		}
		for range 2 {
			if _, err := s.Recv(); fmt.Sprint(err) != fmt.Sprint(want) {
				t.Errorf("the end of %d: %v", number, err)
			}
		}
	}
}

// TestCallsBreak: a plugin that is gone, or that answers what was not asked, fails every
// call, those under way and those to come.
func TestCallsBreak(t *testing.T) {
	frame := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{messageKind, 0, 0, 0, byte(len(b))}, b...)
	}
	for name, c := range map[string]struct {
		sent []byte
		code codes.Code
		says string
	}{
		"gone":       {nil, codes.Unavailable, "the connection broke"},
		"ended":      {[]byte{endKind, 0, 0, 0, 0}, codes.Unavailable, "answers no more calls"},
		"never made": {frame(&nascv1.DirectReply{Number: 2, End: &nascv1.End{}}), codes.Internal, "a reply to call 2, which was not made"},
		"no number":  {frame(&nascv1.DirectReply{End: &nascv1.End{}}), codes.Internal, "a reply to call 0"},
	} {
		folder, err := os.MkdirTemp("/tmp", "nasc-direct-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
		l, err := net.Listen("unix", folder+"/s")
		if err != nil {
			t.Fatal(err)
		}
		caller, err := DialCalls(t.Context(), &nascv1.Direct{Socket: folder + "/s", Secret: []byte("secret")})
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			hello := make([]byte, len("secret")+headerSize+len(CallsMethod)+1) // and the beginning of a call
			if _, err := io.ReadFull(far, hello); err == nil {
				far.Write(c.sent)
			}
			far.Close()
		}()
		for range 2 {
			_, err := nascv1.NewPluginClient(caller).Release(t.Context(), &nascv1.ReleaseRequest{Session: 7})
			if status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// A response that is no message fails its call alone, as does one that is missing.
	for _, m := range []*nascv1.DirectReply{{Number: 1, End: &nascv1.End{}}, {Number: 1, Response: []byte{0xff}, End: &nascv1.End{}}} {
		near, far := pair(t)
		caller := &Caller{stream: &Stream{socket: near, ctx: t.Context()}, open: map[uint64]*calling{}}
		go caller.run()
		go func() {
			far.Read(make([]byte, 1))
			far.Write(frame(m))
		}()
		if _, err := nascv1.NewPluginClient(caller).Release(t.Context(), &nascv1.ReleaseRequest{}); status.Code(err) != codes.Internal {
			t.Errorf("%v: %v", m, err)
		}
		if caller.err != nil {
			t.Errorf("%v broke the connection: %v", m, caller.err)
		}
	}
}
