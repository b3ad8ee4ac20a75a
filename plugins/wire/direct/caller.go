package direct

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Caller is the host's side of a connection for calls. It takes the place of gRPC's in
// the generated code, for methods with one request. Any number of goroutines may call.
type Caller struct {
	stream grpc.ClientStream

	mu   sync.Mutex // held while something is sent, too
	made uint64     // calls so far
	open map[uint64]*calling
	err  error // why there are no more replies
}

// maxReplies is how many replies to a call may wait for who made it.
const maxReplies = 10_000

// DialCalls connects to the socket of an offer. The connection ends with ctx.
func DialCalls(ctx context.Context, offer *nascv1.Direct) (*Caller, error) {
	conn, err := Dial(offer)
	if err != nil {
		return nil, err
	}
	c := &Caller{open: map[uint64]*calling{}}
	if c.stream, err = conn.NewStream(ctx, nil, CallsMethod); err == nil {
		err = conn.Watch()
	}
	if err != nil {
		conn.socket.Close()
		return nil, err
	}
	go c.run()
	return c, nil
}

// run hands replies to the calls until the connection ends.
func (c *Caller) run() {
	for {
		m := &nascv1.DirectReply{}
		err := c.stream.RecvMsg(m)
		if err == io.EOF {
			err = status.Error(codes.Unavailable, "the plugin answers no more calls")
		}
		c.mu.Lock()
		one := c.open[m.GetNumber()] // nil: nobody waits any more
		switch {
		case err != nil:
		case m.GetNumber() == 0 || m.GetNumber() > c.made:
			err = status.Errorf(codes.Internal, "a reply to call %d, which was not made", m.GetNumber())
		case one != nil && len(one.replies) == maxReplies:
			err = status.Errorf(codes.ResourceExhausted, "%d replies to one call are waiting", maxReplies)
		}
		if err != nil {
			c.err = err
			for _, one := range c.open {
				one.signal()
			}
			c.mu.Unlock()
			_ = c.stream.CloseSend() // it is of no more use
			return
		}
		if one != nil {
			one.replies = append(one.replies, m)
			one.signal()
			if m.GetEnd() != nil {
				delete(c.open, one.number)
			}
		}
		c.mu.Unlock()
	}
}

// Invoke calls a method with one response.
func (c *Caller) Invoke(ctx context.Context, method string, request, response any, _ ...grpc.CallOption) error {
	one := c.begin(ctx, method)
	err := one.SendMsg(request)
	if err == nil {
		err = one.RecvMsg(response)
	}
	if err == io.EOF {
		err = status.Error(codes.Internal, "a call without a response")
	}
	return err
}

// NewStream calls a method with a stream of responses.
func (c *Caller) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	if d.ClientStreams {
		return nil, status.Error(codes.Unimplemented, "a direct call has one request")
	}
	return c.begin(ctx, method), nil
}

func (c *Caller) begin(ctx context.Context, method string) *calling {
	return &calling{caller: c, ctx: ctx, method: method, wake: make(chan struct{}, 1)}
}

// calling is a call under way, as gRPC's generated code sees it. There are no headers.
type calling struct {
	caller *Caller
	ctx    context.Context
	method string
	wake   chan struct{} // of capacity 1: something has come
	end    error         // how the call ended

	// With the lock of the caller.
	number  uint64
	replies []*nascv1.DirectReply
}

func (o *calling) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// SendMsg makes the call.
func (o *calling) SendMsg(m any) error {
	request, err := proto.Marshal(m.(proto.Message))
	if err != nil {
		return status.Errorf(codes.Internal, "a request cannot be written: %v", err)
	}
	c := o.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.made++
	o.number = c.made
	c.open[o.number] = o
	if err := c.stream.SendMsg(&nascv1.DirectCall{Number: o.number, Method: o.method, Request: request}); err != nil {
		delete(c.open, o.number)
		return err
	}
	return nil
}

// RecvMsg waits for a response; io.EOF tells that there are no more. When the context
// ends, so does the call.
func (o *calling) RecvMsg(m any) error {
	if o.end != nil {
		return o.end
	}
	for {
		if r, err := o.next(); err != nil {
			o.end = err
		} else if r != nil {
			if end := r.GetEnd(); end != nil {
				o.end = io.EOF
				if end.GetCode() != 0 {
					o.end = status.Error(codes.Code(end.GetCode()), end.GetMessage())
				}
			}
			if r.Response != nil && (o.end == nil || o.end == io.EOF) {
				if err := proto.Unmarshal(r.Response, m.(proto.Message)); err != nil {
					return status.Errorf(codes.Internal, "a response cannot be read: %v", err)
				}
				return nil
			}
		}
		if o.end != nil {
			return o.end
		}
		select {
		case <-o.wake:
		case <-o.ctx.Done():
			o.cancel()
			o.end = status.FromContextError(o.ctx.Err()).Err()
		}
	}
}

// next takes the next reply; nil: there is none so far.
func (o *calling) next() (*nascv1.DirectReply, error) {
	c := o.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(o.replies) > 0 {
		r := o.replies[0]
		o.replies = o.replies[1:]
		return r, nil
	}
	return nil, c.err
}

// cancel tells the plugin that nobody waits any more.
func (o *calling) cancel() {
	c := o.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[o.number] != nil && c.err == nil {
		delete(c.open, o.number)
		_ = c.stream.SendMsg(&nascv1.DirectCall{Number: o.number, Cancelled: true}) // heard by who reads
	}
}

func (o *calling) Context() context.Context     { return o.ctx }
func (o *calling) Header() (metadata.MD, error) { return nil, nil }
func (o *calling) Trailer() metadata.MD         { return nil }
func (o *calling) CloseSend() error             { return nil }
