package direct

import (
	"context"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// nap is how long an interrupted reader may go on waiting.
const nap = 20 * time.Millisecond

// Conn is the host's side of a connection. It takes the place of gRPC's in the
// generated code, for the one stream that it can open.
type Conn struct {
	offer  *nascv1.Direct
	socket *socket
}

// Dial connects to the socket of an offer.
func Dial(offer *nascv1.Direct) (*Conn, error) {
	conn, err := net.Dial("unix", offer.GetSocket())
	if err != nil {
		return nil, broken(err)
	}
	s, err := detach(conn, nap)
	if err != nil {
		return nil, broken(err)
	}
	return &Conn{offer: offer, socket: s}, nil
}

// NewStream begins a method. The stream ends with ctx.
func (c *Conn) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	context.AfterFunc(ctx, func() { c.socket.Close() })
	header := []byte{messageKind, 0, 0, 0, byte(len(method))}
	if _, err := c.socket.Write(slices.Concat(c.offer.GetSecret(), header, []byte(method))); err != nil {
		return nil, broken(err)
	}
	if slow(c.offer, method) {
		if err := c.socket.park(); err != nil {
			return nil, broken(err)
		}
	}
	return &Stream{socket: c.socket, ctx: ctx}, nil
}

// Invoke fails: there are no other calls.
func (c *Conn) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return status.Error(codes.Unimplemented, "a direct connection has one stream")
}

// Interrupt has a RecvMsg that is under way, or else the next one that has to wait,
// fail with os.ErrDeadlineExceeded; Resume lets the further ones wait.
func (c *Conn) Interrupt() { c.socket.interrupted.Store(true) }

// Resume ends the effect of Interrupt.
func (c *Conn) Resume() { c.socket.interrupted.Store(false) }

// Watch is for a process in which much goes on: from now on a reader does not occupy a
// thread, and cannot be interrupted. It is called while nobody reads.
func (c *Conn) Watch() error { return c.socket.watch() }
