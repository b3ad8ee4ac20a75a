package direct

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spin is how a reader looks for a message before it waits in the kernel. In a search
// that waits for every result the next message is there within some ten microseconds.
// A reader that sleeps meanwhile has to be woken by the writer, on a processor that has
// gone to sleep as well, which takes longer than everything else that is done for the
// message, most of all on a virtual machine. A reader that looks again and again does
// not sleep, and costs nobody anything as long as it offers its processor to others
// after each look.
type spin struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool // s.try, made once

	into []byte
	got  int

	// After a look in vain so many messages are waited for at once; twice as many
	// after the next. Who waits for something slow need not look for it.
	rest, pause int
}

const (
	// spinning is how long a reader looks.
	spinning = 100 * time.Microsecond
	// maxPause is for how many messages it does not after that.
	maxPause = 64
)

func newSpin(f *os.File) (*spin, error) {
	raw, err := f.SyscallConn()
	s := &spin{raw: raw}
	s.look = s.try
	return s, err
}

// read returns how many bytes have come; 0: none so far, or reading ends in some way.
func (s *spin) read(into []byte) int {
	if s.rest > 0 {
		s.rest--
		return 0
	}
	s.into, s.got = into, 0
	_ = s.raw.Read(s.look) // an error is one of waiting, too
	s.into = nil
	if s.got > 0 {
		s.pause = 0
	} else {
		s.pause = min(max(1, 2*s.pause), maxPause)
		s.rest = s.pause
	}
	return s.got
}

// try looks until time is up. It goes to the kernel behind the back of the Go runtime,
// which has to do nothing for calls that do not wait.
func (s *spin) try(fd uintptr) bool {
	begun := time.Now()
	for {
		n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&s.into[0])), uintptr(len(s.into)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case e == 0:
			s.got = int(n)
			return true
		case e != unix.EAGAIN || time.Since(begun) > spinning:
			return true
		}
		syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}
