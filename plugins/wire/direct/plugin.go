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
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Methods are what a plugin serves, by the names of gRPC.
type Methods map[string]func(grpc.ServerStream) error

// Listener is the plugin's side: a socket that waits for one connection, or for any
// number.
type Listener struct {
	socket net.Listener
	offer  *nascv1.Direct
	once   sync.Once
	open   bool // for more than one
}

// Listen makes a socket of that name in a folder that is private to the host and the
// plugin.
func Listen(folder, name string) (*Listener, error) {
	path := filepath.Join(folder, name)
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return &Listener{socket: socket, offer: &nascv1.Direct{Socket: path, Secret: secret}}, nil
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
	first := l.open
	if !l.open {
		l.once.Do(func() { first = true; l.socket.Close() })
	}
	if !first {
		return
	}
	own, err := detach(conn, 0)
	if err != nil {
		return
	}
	defer own.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &Stream{socket: own, ctx: ctx}
	s.end(s.serve(all))
}

// serve runs the method that the first frame names.
func (s *Stream) serve(all Methods) error {
	_, name, err := s.frame()
	if err != nil {
		return err
	}
	method := all[string(name)]
	if method == nil {
		return status.Errorf(codes.Unimplemented, "there is no stream %q", name)
	}
	return method(s)
}

// end tells the host how its method ended. The host may be gone.
func (s *Stream) end(err error) {
	st := status.Convert(err)
	_ = s.send(endKind, &nascv1.End{Code: int32(st.Code()), Message: st.Message()})
}
