package direct

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Methods are what a plugin serves, by the names of gRPC.
type Methods map[string]func(grpc.ServerStream) error

// first are the methods that every plugin serves which offers a socket for its stream.
var first = []string{nascv1.Optimizer_Run_FullMethodName, nascv1.Evaluator_Evaluate_FullMethodName}

// Carries tells whether a plugin serves a method at the socket of an offer; nil offers
// nothing.
func Carries(offer *nascv1.Direct, method string) bool {
	return offer != nil && (slices.Contains(first, method) || slow(offer, method))
}

// slow tells whether a method is one that an offer adds. What is asked for in it takes
// long, as a step of a supernet does.
func slow(offer *nascv1.Direct, method string) bool {
	return slices.Contains(offer.GetMethods(), method)
}

// Lasts tells whether an offer is good for more than one stream.
func Lasts(offer *nascv1.Direct) bool { return len(offer.GetMethods()) > 0 }

// Listener is the plugin's side: a socket that waits for one connection, or for any
// number.
type Listener struct {
	socket net.Listener
	offer  *nascv1.Direct
	once   sync.Once
	open   bool // for more than one
}

// Listen makes a socket of that name in a folder that is private to the host and the
// plugin. It is for one stream, or, with methods that may be others than the first two, for
// any number.
func Listen(folder, name string, methods ...string) (*Listener, error) {
	path := filepath.Join(folder, name)
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	offer := &nascv1.Direct{Socket: path, Secret: secret, Methods: methods}
	return &Listener{socket: socket, offer: offer, open: Lasts(offer)}, nil
}

// ListenAt makes a socket at a path for any number of connections, with a secret that
// both sides know. What is there already is that of a process which has died.
func ListenAt(path string, secret []byte) (*Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return &Listener{socket: socket, offer: &nascv1.Direct{Socket: path, Secret: secret}, open: true}, nil
}

// Offer is for the description of the plugin.
func (l *Listener) Offer() *nascv1.Direct { return l.offer }

// Close ends waiting; connections that there are go on.
func (l *Listener) Close() error { return l.socket.Close() }

// patience is how long who connects may take to say the secret.
const patience = 10 * time.Second

// Serve waits for the host, and then serves what it asks for until that ends. Whoever
// connects without the secret is sent away. A socket for one connection is removed as
// soon as the host is there.
func (l *Listener) Serve(all Methods) {
	for {
		conn, err := l.socket.Accept()
		if err != nil {
			return
		}
		go l.welcome(conn, all)
	}
}

func (l *Listener) welcome(conn net.Conn, all Methods) {
	defer conn.Close()
	secret := make([]byte, len(l.offer.GetSecret()))
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // an error is one of reading, too
	if _, err := io.ReadFull(conn, secret); err != nil || subtle.ConstantTimeCompare(secret, l.offer.GetSecret()) != 1 {
		return
	}
	welcome := l.open
	if !l.open {
		l.once.Do(func() { welcome = true; l.socket.Close() })
	}
	if !welcome {
		return
	}
	own, err := detach(conn, 0)
	if err != nil {
		return
	}
	defer own.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if own.onHangup(cancel) != nil {
		return
	}
	s := &Stream{socket: own, ctx: ctx}
	s.end(l.serve(s, all))
}

// serve runs the method that the first frame names.
func (l *Listener) serve(s *Stream, all Methods) error {
	_, frame, err := s.frame()
	if err != nil {
		return err
	}
	name := string(frame)
	method := all[name]
	if method == nil {
		return status.Errorf(codes.Unimplemented, "there is no stream %q", name)
	}
	if slow(l.offer, name) {
		if err := s.socket.park(); err != nil {
			return status.Error(codes.Internal, err.Error())
		}
	}
	return method(s)
}

// end tells the host how its method ended. The host may be gone.
func (s *Stream) end(err error) {
	st := status.Convert(err)
	_ = s.send(endKind, &nascv1.End{Code: int32(st.Code()), Message: st.Message()})
}
