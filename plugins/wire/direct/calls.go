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

// CallsMethod stands where the name of a method does on a connection for calls.
const CallsMethod = "calls"

// Services answers calls, many at a time over one stream, with gRPC's generated code,
// which registers here as with a server of gRPC. Methods have one request, and one
// response or a stream of them; those with a stream of requests are left out.
type Services map[string]handler

// handler makes a call. Of a method with one response it returns that.
type handler func(*answering) (proto.Message, error)

// RegisterService adds the methods of a service.
func (s Services) RegisterService(d *grpc.ServiceDesc, impl any) {
	prefix := "/" + d.ServiceName + "/"
	for _, m := range d.Methods {
		s[prefix+m.MethodName] = func(c *answering) (proto.Message, error) {
			response, err := m.Handler(impl, c.ctx, c.RecvMsg, nil)
			if err != nil {
				return nil, err
			}
			return response.(proto.Message), nil
		}
	}
	for _, m := range d.Streams {
		if !m.ClientStreams {
			s[prefix+m.StreamName] = func(c *answering) (proto.Message, error) { return nil, m.Handler(impl, c) }
		}
	}
}

// Serve answers calls until the host is gone. Each has a goroutine of its own.
func (s Services) Serve(stream grpc.ServerStream) error {
	if plain, ok := stream.(*Stream); ok {
		// The goroutines need the thread.
		if err := plain.socket.watch(); err != nil {
			return status.Error(codes.Internal, err.Error())
		}
	}
	d := &desk{stream: stream, open: map[uint64]*answering{}}
	defer d.close()
	for {
		var m nascv1.DirectCall
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		if m.GetCancelled() {
			d.cancel(m.GetNumber())
			continue
		}
		c := d.begin(&m)
		method := s[m.GetMethod()]
		if method == nil {
			c.end(nil, status.Errorf(codes.Unimplemented, "there is no method %q", m.GetMethod()))
			continue
		}
		go func() { c.end(method(c)) }()
	}
}

// desk is the calls that a plugin is answering.
type desk struct {
	mu     sync.Mutex // held while something is sent, too
	stream grpc.ServerStream
	open   map[uint64]*answering
	closed bool
}

func (d *desk) begin(m *nascv1.DirectCall) *answering {
	c := &answering{desk: d, call: m}
	c.ctx, c.cancel = context.WithCancel(d.stream.Context())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[m.GetNumber()] = c
	return c
}

func (d *desk) cancel(number uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[number]; c != nil {
		c.cancel()
	}
}

// close ends what is under way: nothing is sent any more.
func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.open {
		c.cancel()
	}
}

// answering is a call under way, as gRPC's generated code sees it. There are no headers.
type answering struct {
	desk   *desk
	call   *nascv1.DirectCall
	ctx    context.Context
	cancel context.CancelFunc
	read   bool
}

// RecvMsg gives the request.
func (c *answering) RecvMsg(m any) error {
	if c.read {
		return io.EOF
	}
	c.read = true
	if err := proto.Unmarshal(c.call.GetRequest(), m.(proto.Message)); err != nil {
		return status.Errorf(codes.Internal, "a request cannot be read: %v", err)
	}
	return nil
}

// SendMsg sends a response of several.
func (c *answering) SendMsg(m any) error { return c.send(m.(proto.Message), nil) }

func (c *answering) send(response proto.Message, end *nascv1.End) error {
	m := &nascv1.DirectReply{Number: c.call.GetNumber(), End: end}
	if response != nil {
		out, err := proto.MarshalOptions{}.MarshalAppend([]byte{}, response) // there, though it may be empty
		if err != nil {
			return status.Errorf(codes.Internal, "a response cannot be written: %v", err)
		}
		m.Response = out
	}
	c.desk.mu.Lock()
	defer c.desk.mu.Unlock()
	if c.desk.closed {
		return status.Error(codes.Canceled, "the host is gone")
	}
	return c.desk.stream.SendMsg(m)
}

// end sends how the call ended, with its response where there is one.
func (c *answering) end(response proto.Message, err error) {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	err = c.send(response, &nascv1.End{Code: int32(st.Code()), Message: st.Message()})
	if st := status.Convert(err); err != nil { // the response is too large, or nobody is there
		_ = c.send(nil, &nascv1.End{Code: int32(st.Code()), Message: st.Message()})
	}
	c.cancel()
	c.desk.mu.Lock()
	delete(c.desk.open, c.call.GetNumber())
	c.desk.mu.Unlock()
}

func (c *answering) Context() context.Context     { return c.ctx }
func (c *answering) SetHeader(metadata.MD) error  { return nil }
func (c *answering) SendHeader(metadata.MD) error { return nil }
func (c *answering) SetTrailer(metadata.MD)       {}
