//go:build unix

package direct

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Supported says whether there are direct connections on this system.
const Supported = true

// socket is a connected Unix socket. At first the Go runtime does not know of it:
// whoever reads waits in the kernel, with the thread. For messages that come every few
// microseconds that takes half the processor time of reading by way of the runtime,
// which gives the processor of a goroutine that waits to nobody, sends its threads to
// sleep, and wakes them for the next message. Where other goroutines have work for the
// thread, it is the other way round; see watch.
type socket struct {
	file        atomic.Pointer[os.File]
	first       *os.File            // blocks its thread
	spin        *spin               // of first
	now         atomic.Pointer[now] // of file, where the runtime watches it
	looks       bool                // a reader does before the runtime waits for it
	interrupted atomic.Bool
}

// detach takes a connection away from the runtime. A reader looks from time to time
// whether it is interrupted; every 0: never.
func detach(conn net.Conn, every time.Duration) (*socket, error) {
	defer conn.Close()
	own, err := conn.(*net.UnixConn).File()
	if err != nil {
		return nil, err
	}
	defer own.Close()
	fd, err := duplicate(own)
	if err != nil {
		return nil, err
	}
	wake := unix.NsecToTimeval(every.Nanoseconds())
	err = errors.Join(unix.SetNonblock(fd, false), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wake))
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	s := &socket{first: os.NewFile(uintptr(fd), "direct"), looks: true}
	if s.spin, err = newSpin(s.first); err != nil {
		s.first.Close()
		return nil, err
	}
	s.file.Store(s.first)
	return s, nil
}

// duplicate makes another descriptor of a file.
func duplicate(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	if e := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		return 0, e
	}
	return fd, err
}

// watch has the runtime watch the socket, for a reader that shares its thread with other
// goroutines. Nobody may be reading.
func (s *socket) watch() error {
	s.looks = false
	return s.give()
}

// park has the runtime watch the socket once a reader has looked in vain. While a thread
// waits in the kernel for long the runtime wakes some fifty times to see whether its
// processor is wanted, which is as much work as several messages and keeps the other
// processes that the reader waits for from theirs. Nobody may be reading or writing.
func (s *socket) park() error {
	s.spin.patient()
	return s.give()
}

// give gives the socket to the runtime.
func (s *socket) give() error {
	fd, err := duplicate(s.first)
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // which both descriptors are then
		unix.Close(fd)
		return err
	}
	f := os.NewFile(uintptr(fd), "direct")
	now, err := newNow(f)
	if err != nil {
		f.Close()
		return err
	}
	s.file.Store(f)
	s.now.Store(now)
	return nil
}

// onHangup calls a function when either side has closed the socket, also while nobody
// reads. A thread waits for it.
func (s *socket) onHangup(do func()) error {
	fd, err := duplicate(s.first)
	if err != nil {
		return err
	}
	go func() {
		defer unix.Close(fd)
		for {
			// A hangup is told without being asked for.
			if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd)}}, -1); !errors.Is(err, unix.EINTR) {
				do()
				return
			}
		}
	}()
	return nil
}

// Read reads, as soon as there is something or the socket is interrupted.
func (s *socket) Read(into []byte) (int, error) {
	if s.looks {
		if n := s.spin.read(into); n > 0 {
			return n, nil
		}
	}
	if now := s.now.Load(); now != nil {
		return now.Read(into)
	}
	for {
		n, err := s.file.Load().Read(into)
		if !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		if s.interrupted.Load() {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (s *socket) Write(out []byte) (n int, err error) {
	if now := s.now.Load(); now != nil {
		if n = now.send(out); n == len(out) {
			return n, nil
		}
	}
	for {
		written, err := s.file.Load().Write(out[n:])
		n += written
		if !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		runtime.Gosched() // the socket is being handed to the runtime
	}
}

// Close ends reading and writing that is under way, too.
func (s *socket) Close() error {
	if raw, err := s.first.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) }) // the other side may have ended it
	}
	return errors.Join(s.file.Load().Close(), s.first.Close())
}
