package direct

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// Supported says whether there are direct connections on this system.
const Supported = false

type socket struct {
	net.Conn
	interrupted atomic.Bool
}

// detach fails: on Windows everything goes over gRPC.
func detach(conn net.Conn, _ time.Duration) (*socket, error) {
	conn.Close()
	return nil, errors.ErrUnsupported
}

func (s *socket) watch() error { return errors.ErrUnsupported }

func (s *socket) park() error { return errors.ErrUnsupported }

func (s *socket) onHangup(func()) error { return errors.ErrUnsupported }
