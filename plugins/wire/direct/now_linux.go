package direct

import (
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiveNow and sendNow go to the kernel behind the back of the Go runtime, which has
// to do nothing for calls that do not wait. In a process that has slept it would first
// wake the thread that watches over calls that do, on another processor, and that takes
// as long as a message.

func receiveNow(fd uintptr, into []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

func sendNow(fd uintptr, out []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&out[0])), uintptr(len(out)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), e
}

// now reads and writes what can be read and written at once, and has the runtime wait
// for the socket to be ready, if that watches it. One goroutine may read while another
// writes.
type now struct {
	raw         syscall.RawConn
	reads       transfer
	writes      transfer
	read, write func(fd uintptr) bool // made once
}

// transfer is what one of them is at.
type transfer struct {
	bytes []byte
	n     int
	err   syscall.Errno
}

func newNow(f *os.File) (*now, error) {
	raw, err := f.SyscallConn()
	w := &now{raw: raw}
	w.read = func(fd uintptr) bool {
		w.reads.n, w.reads.err = receiveNow(fd, w.reads.bytes)
		return w.reads.err != unix.EAGAIN && w.reads.err != unix.EINTR
	}
	w.write = func(fd uintptr) bool {
		w.writes.n, w.writes.err = sendNow(fd, w.writes.bytes)
		return true
	}
	return w, err
}

// Read waits for something to read.
func (w *now) Read(into []byte) (int, error) {
	w.reads = transfer{bytes: into}
	err := w.raw.Read(w.read)
	w.reads.bytes = nil
	switch {
	case err != nil:
		return 0, err
	case w.reads.err != 0:
		return 0, os.NewSyscallError("recvfrom", w.reads.err)
	case w.reads.n == 0:
		return 0, io.EOF
	}
	return w.reads.n, nil
}

// send writes what the kernel takes at once, which may be nothing.
func (w *now) send(out []byte) int {
	w.writes = transfer{bytes: out}
	err := w.raw.Write(w.write)
	w.writes.bytes = nil
	if err != nil || w.writes.err != 0 {
		return 0 // who waits until it can be written is told why it cannot
	}
	return w.writes.n
}
