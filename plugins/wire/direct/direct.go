// Package direct carries the messages of a stream over a Unix socket of its own, without
// HTTP/2 and TLS; and short calls, many at a time, over another one (calls.go, caller.go).
//
// A search that waits for each result exchanges two messages of some fifty bytes for
// every trial. Over gRPC such an exchange costs several times what the plugin does for
// it: its frames, windows and headers, and the goroutines that hand a message to each
// other on both sides. Here it costs one write and one read on each side, by the
// goroutine that wants something.
//
// A plugin offers the socket in its description (see Direct in plugins/proto), which
// has come over the authenticated channel and names a secret, for one connection or for
// any number. Who connects sends the secret, and then frames:
//
//	kind    1 byte   0: a message, 1: an End, which is the last frame
//	length  4 bytes  of what follows, the highest first
//	...              in the encoding of protobuf
//
// The first frame of the host is a message whose bytes are the name of the method,
// "/nasc.v1.Optimizer/Run"; the others, in both directions, are the messages of that
// method. A plugin ends the method with an End, a host by closing the socket. A socket
// that is closed without an End is that of a process which has died.
package direct

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// The kinds of frame.
const (
	messageKind = 0
	endKind     = 1
)

const headerSize = 5

// spacious is how large a buffer may be that is kept for the next message.
const spacious = 1 << 20

// Stream is one side of a connection, as gRPC's generated code sees it. One goroutine
// at a time may send, and another receive. There are no headers.
type Stream struct {
	socket *socket
	ctx    context.Context

	out []byte // what was sent last

	in    []byte // what has come, from the start of a frame
	taken int    // bytes of in that are done with
	err   error  // how receiving ended
}

// SendMsg sends a message. An error of the connection is heard by whoever receives.
func (s *Stream) SendMsg(m any) error { return s.send(messageKind, m.(proto.Message)) }

func (s *Stream) send(kind byte, m proto.Message) error {
	out, err := proto.MarshalOptions{}.MarshalAppend(append(s.out[:0], kind, 0, 0, 0, 0), m)
	if err != nil {
		return status.Errorf(codes.Internal, "a message cannot be written: %v", err)
	}
	if s.out = out; cap(out) > spacious {
		s.out = nil
	}
	n := len(out) - headerSize
	if n > wire.MaxMessage {
		return status.Errorf(codes.ResourceExhausted, "a message of %d bytes, %d are allowed", n, wire.MaxMessage)
	}
	binary.BigEndian.PutUint32(out[1:], uint32(n))
	if _, err := s.socket.Write(out); err != nil {
		return broken(err)
	}
	return nil
}

// RecvMsg waits for a message. It fails with io.EOF when the other side has ended the
// stream, with the status that it gave, with codes.Unavailable when the connection
// broke, and, without harm to what is on its way, with os.ErrDeadlineExceeded after
// [Conn.Interrupt].
func (s *Stream) RecvMsg(m any) error {
	if s.err != nil {
		return s.err
	}
	err := s.receive(m.(proto.Message))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.err = err
		s.socket.Close()
	}
	return err
}

func (s *Stream) receive(m proto.Message) error {
	kind, body, err := s.frame()
	if err != nil {
		return err
	}
	var end nascv1.End
	if kind == endKind {
		m = &end
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return status.Errorf(codes.Internal, "a message cannot be read: %v", err)
	}
	switch {
	case kind == messageKind:
		return nil
	case end.GetCode() == 0:
		return io.EOF
	}
	return status.Error(codes.Code(end.GetCode()), end.GetMessage())
}

// frame reads a frame, whose body is valid until the next one is read.
func (s *Stream) frame() (kind byte, body []byte, err error) {
	s.in = s.in[:copy(s.in, s.in[s.taken:])]
	s.taken = 0
	if len(s.in) == 0 && cap(s.in) > spacious {
		s.in = nil
	}
	if err := s.fill(headerSize); err != nil {
		return 0, nil, err
	}
	kind, n := s.in[0], binary.BigEndian.Uint32(s.in[1:])
	if kind > endKind {
		return 0, nil, status.Errorf(codes.Internal, "a frame of kind %d", kind)
	}
	if n > wire.MaxMessage {
		return 0, nil, status.Errorf(codes.ResourceExhausted, "a message of %d bytes, %d are allowed", n, wire.MaxMessage)
	}
	if err := s.fill(headerSize + int(n)); err != nil {
		return 0, nil, err
	}
	s.taken = headerSize + int(n)
	return kind, s.in[headerSize:s.taken], nil
}

// fill reads until there are n bytes. The buffer grows with what comes, whatever a
// header says.
func (s *Stream) fill(n int) error {
	for len(s.in) < n {
		if len(s.in) == cap(s.in) {
			grown := make([]byte, len(s.in), max(4096, min(2*cap(s.in), headerSize+wire.MaxMessage)))
			copy(grown, s.in)
			s.in = grown
		}
		got, err := s.socket.Read(s.in[len(s.in):cap(s.in)])
		s.in = s.in[:len(s.in)+got]
		if err != nil && got == 0 {
			return broken(err)
		}
	}
	return nil
}

// broken is the error of a connection as gRPC would tell it.
func broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return status.Error(codes.Unavailable, fmt.Sprintf("the connection broke: %v", err))
}

// Context ends with the stream.
func (s *Stream) Context() context.Context { return s.ctx }

// There are no headers and trailers.

func (s *Stream) Header() (metadata.MD, error) { return nil, nil }
func (s *Stream) Trailer() metadata.MD         { return nil }
func (s *Stream) SetHeader(metadata.MD) error  { return nil }
func (s *Stream) SendHeader(metadata.MD) error { return nil }
func (s *Stream) SetTrailer(metadata.MD)       {}

// CloseSend ends the stream.
func (s *Stream) CloseSend() error { return s.socket.Close() }
