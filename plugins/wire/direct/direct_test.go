//go:build unix

package direct

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

const method = nascv1.Optimizer_Run_FullMethodName

// listen serves a method in a folder whose name is short enough for a socket.
func listen(t *testing.T, serve func(nascv1.Optimizer_RunServer) error) *Listener {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "nasc-direct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := Listen(folder, "stream")
	if err != nil {
		t.Fatal(err)
	}
	go l.Serve(Methods{method: func(s grpc.ServerStream) error {
		return serve(&grpc.GenericServerStream[nascv1.OptimizerRequest, nascv1.OptimizerResponse]{ServerStream: s})
	}})
	return l
}

// dial opens the method.
func dial(t *testing.T, offer *nascv1.Direct) (*Conn, nascv1.Optimizer_RunClient) {
	t.Helper()
	c, err := Dial(offer)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nascv1.NewOptimizerClient(c).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// echo answers each step with its number, until the host is gone.
func echo(s nascv1.Optimizer_RunServer) error {
	for {
		req, err := s.Recv()
		if err != nil {
			return err
		}
		m := &nascv1.OptimizerResponse{}
		for _, step := range req.GetSteps() {
			m.Answers = append(m.Answers, &nascv1.Answer{Session: step.GetSession(), Genotypes: make([]int64, step.GetAsk())})
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

func ask(session uint64, n int32) *nascv1.OptimizerRequest {
	return &nascv1.OptimizerRequest{Steps: []*nascv1.Step{{Session: session, Ask: n}}}
}

// TestMessages: messages of all sizes arrive, in their order, while others are sent,
// before and after the runtime watches the socket.
func TestMessages(t *testing.T) {
	c, s := dial(t, listen(t, echo).Offer())
	for _, watched := range []bool{false, true} {
		if watched {
			if err := c.Watch(); err != nil {
				t.Fatal(err)
			}
		}
		sizes := []int32{0, 1, 100, 5000, 3_000_000, 1, 70_000, 0}
		var sender sync.WaitGroup
		sender.Go(func() {
			for i, n := range sizes {
				if err := s.Send(ask(uint64(i), n)); err != nil {
					t.Error(err)
				}
			}
		})
		for i, n := range sizes {
			m, err := s.Recv()
			if err != nil || len(m.GetAnswers()) != 1 {
				t.Fatalf("message %d: %v, %v", i, m, err)
			}
			if a := m.GetAnswers()[0]; a.GetSession() != uint64(i) || len(a.GetGenotypes()) != int(n) {
				t.Errorf("message %d: session %d, %d numbers", i, a.GetSession(), len(a.GetGenotypes()))
			}
		}
		sender.Wait()
	}
}

// The runtime may begin to watch the socket while somebody writes.
func TestWatchWhileWriting(t *testing.T) {
	c, s := dial(t, listen(t, echo).Offer())
	const n = 50
	var sender sync.WaitGroup
	sender.Go(func() {
		for i := range uint64(n) {
			if err := s.Send(ask(i, 100_000)); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range uint64(n) {
		if i == 3 {
			if err := c.Watch(); err != nil {
				t.Fatal(err)
			}
		}
		if m, err := s.Recv(); err != nil || m.GetAnswers()[0].GetSession() != i {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	sender.Wait()
}

// TestSecret: who does not know the secret is sent away, and the plugin goes on waiting
// for the host. The secret is good for one connection, and the socket is then gone.
func TestSecret(t *testing.T) {
	l := listen(t, echo)
	offer := l.Offer()
	if len(offer.GetSecret()) < 16 || bytes.Equal(offer.GetSecret(), listen(t, echo).Offer().GetSecret()) {
		t.Errorf("the secret %x", offer.GetSecret())
	}
	wrong := slices.Clone(offer.GetSecret())
	wrong[len(wrong)-1] ^= 1
	for name, secret := range map[string][]byte{"wrong": wrong, "short": wrong[:5], "none": nil} {
		_, s := dial(t, &nascv1.Direct{Socket: offer.GetSocket(), Secret: secret})
		_ = s.Send(ask(1, 1)) // may already fail
		if name != "wrong" {
			s.CloseSend() // the plugin would wait for the rest
		}
		if m, err := s.Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("%s secret: %v, %v", name, m, err)
		}
	}
	late, err := net.Dial("unix", offer.GetSocket())
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	_, s := dial(t, offer)
	if err := s.Send(ask(7, 1)); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Recv(); err != nil || m.GetAnswers()[0].GetSession() != 7 {
		t.Fatalf("%v, %v", m, err)
	}
	if _, err := os.Stat(offer.GetSocket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := late.Write(offer.GetSecret()); err != nil {
		t.Fatal(err)
	}
	if n, err := late.Read(make([]byte, 1)); err == nil {
		t.Errorf("a second connection gets %d bytes", n)
	}
}

// TestBadFrames: what is no frame ends the stream with the error that gRPC would give.
func TestBadFrames(t *testing.T) {
	header := func(kind byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{kind}, n) }
	for name, c := range map[string]struct {
		sent []byte
		code codes.Code
		says string
	}{
		"nothing":     {nil, codes.Unavailable, "the connection broke"},
		"torn header": {header(0, 5)[:3], codes.Unavailable, "the connection broke"},
		"torn body":   {append(header(0, 100), "abc"...), codes.Unavailable, "the connection broke"},
		"large":       {header(0, wire.MaxMessage+1), codes.ResourceExhausted, "a message of 67108865 bytes, 67108864 are allowed"},
		"very large":  {header(0, 1<<32-1), codes.ResourceExhausted, "4294967295 bytes"},
		"kind":        {header(2, 0), codes.Internal, "a frame of kind 2"},
		"nonsense":    {append(header(0, 3), 0xff, 0xff, 0xff), codes.Internal, "cannot be read"},
		"status":      {append(header(1, 6), 0x08, 13, 0x12, 2, 'n', 'o'), codes.Internal, "no"},
	} {
		near, far := pair(t)
		s := &Stream{socket: near, ctx: t.Context()}
		if _, err := far.Write(c.sent); err != nil {
			t.Fatal(err)
		}
		far.Close()
		for range 2 {
			err := s.RecvMsg(&nascv1.OptimizerResponse{})
			if status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if cap(s.in) > 1<<16 {
			t.Errorf("%s: a buffer of %d bytes", name, cap(s.in))
		}
	}
	near, far := pair(t)
	s := &Stream{socket: near, ctx: t.Context()}
	if _, err := far.Write(header(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&nascv1.OptimizerResponse{}); !errors.Is(err, io.EOF) {
		t.Errorf("a good end: %v", err)
	}
}

// pair are the two ends of a connection.
func pair(t *testing.T) (*socket, net.Conn) {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "nasc-direct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := net.Listen("unix", folder+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("unix", folder+"/s")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, err := detach(conn, nap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// TestEnds: how a method ends is told to the host; too large a message is refused and
// harms nothing; a method that there is not is an error.
func TestEnds(t *testing.T) {
	_, s := dial(t, listen(t, func(s nascv1.Optimizer_RunServer) error {
		if err := s.Send(&nascv1.OptimizerResponse{Answers: []*nascv1.Answer{{Error: &nascv1.Problem{Message: strings.Repeat("x", wire.MaxMessage)}}}}); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a large message: %v", err)
		}
		return status.Error(codes.Aborted, "no more")
	}).Offer())
	if _, err := s.Recv(); status.Code(err) != codes.Aborted || status.Convert(err).Message() != "no more" {
		t.Errorf("got %v", err)
	}
	c, err := Dial(listen(t, echo).Offer())
	if err != nil {
		t.Fatal(err)
	}
	other, err := nascv1.NewEvaluatorClient(c).Evaluate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Recv(); status.Code(err) != codes.Unimplemented {
		t.Errorf("another method: %v", err)
	}
}

// TestInterrupt: a reader that is interrupted loses nothing, not even of a message that
// has come in part; and the end of the context ends reading.
func TestInterrupt(t *testing.T) {
	near, far := pair(t)
	c := &Conn{socket: near, offer: &nascv1.Direct{}}
	ctx, cancel := context.WithCancel(t.Context())
	raw, err := c.NewStream(ctx, nil, method)
	if err != nil {
		t.Fatal(err)
	}
	frame := []byte{0, 0, 0, 0, 4, 0x0a, 2, 0x08, 9} // an answer of session 9
	if _, err := far.Write(frame[:7]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		time.AfterFunc(5*time.Millisecond, c.Interrupt)
		if err := raw.RecvMsg(&nascv1.OptimizerResponse{}); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("interrupted: %v", err)
		}
		c.Resume()
	}
	if _, err := far.Write(frame[7:]); err != nil {
		t.Fatal(err)
	}
	var m nascv1.OptimizerResponse
	if err := raw.RecvMsg(&m); err != nil || m.GetAnswers()[0].GetSession() != 9 {
		t.Errorf("%v, %v", &m, err)
	}
	time.AfterFunc(5*time.Millisecond, cancel)
	if err := raw.RecvMsg(&m); status.Code(err) != codes.Unavailable {
		t.Errorf("the context has ended: %v", err)
	}
}
