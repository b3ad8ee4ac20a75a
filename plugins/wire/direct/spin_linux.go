package direct

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// spin is how a reader looks for a message before it waits in the kernel. In a search
// that waits for every result the next message is there within some ten microseconds.
// A reader that sleeps meanwhile has to be woken by the writer, on a processor that has
// gone to sleep as well, which takes longer than everything else that is done for the
// message, most of all on a virtual machine. A reader that looks again and again does
// not sleep, and costs nobody anything as long as it offers its processor to others
// after each look. Where others have work for long, that is a bad bargain: who sleeps
// is let in as soon as there is a message, and who offers its processor has to wait for
// its turn.
type spin struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool // s.try, made once

	most time.Duration // for which it looks
	into []byte
	got  int
	busy bool // the processor was away for long

	// After a look in vain so many messages are waited for at once; twice as many
	// after the next. Who waits for something slow need not look for it.
	rest, pause int

	// How long the next rest is after the processor was away, and how many looks in a row
	// it was not. Once may be the machine's own doing, most of all a virtual one's; where
	// others have work it is away again at once.
	wary, calm int
}

const (
	// spinning is how long a reader looks, and longSpinning how long where what it waits
	// for comes by way of other processes.
	spinning     = 100 * time.Microsecond
	longSpinning = 500 * time.Microsecond
	// maxPause is for how many messages it does not after that.
	maxPause = 64
	// away is how long others may have the processor that it offers: a plugin needs
	// less for a message.
	away = 500 * time.Microsecond
	// shortPause and longPause are for how many messages it does not look after that, the
	// first time and at most.
	shortPause, longPause = 16, 2000
	// calmed is after how many looks that is forgotten.
	calmed = 200
)

func newSpin(f *os.File) (*spin, error) {
	raw, err := f.SyscallConn()
	s := &spin{raw: raw, most: spinning, wary: shortPause}
	s.look = s.try
	return s, err
}

func (s *spin) patient() { s.most = longSpinning }

// read returns how many bytes have come; 0: none so far, or reading ends in some way.
func (s *spin) read(into []byte) int {
	if s.rest > 0 {
		s.rest--
		return 0
	}
	s.into, s.got, s.busy = into, 0, false
	_ = s.raw.Read(s.look) // an error is one of waiting, too
	s.into = nil
	s.settle()
	return s.got
}

// settle decides after a look when to look again.
func (s *spin) settle() {
	if s.busy {
		s.rest, s.wary, s.calm = s.wary, min(4*s.wary, longPause), 0
		return
	}
	if s.calm++; s.calm >= calmed {
		s.wary = shortPause
	}
	switch {
	case s.got > 0:
		s.pause = 0
	default:
		s.pause = min(max(1, 2*s.pause), maxPause)
		s.rest = s.pause
	}
}

// try looks until time is up.
func (s *spin) try(fd uintptr) bool {
	begun := time.Now()
	for last := begun; ; {
		n, e := receiveNow(fd, s.into)
		switch {
		case e == 0:
			s.got = n
			return true
		case e != unix.EAGAIN || s.busy || last.Sub(begun) > s.most:
			return true
		}
		syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		now := time.Now()
		s.busy = now.Sub(last) > away
		last = now
	}
}
