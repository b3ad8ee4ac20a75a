//go:build unix

package packages

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// stamp is what tells a file from another one and from itself when it was something else.
// Nobody can set the time of its last change: neither renaming it nor writing to it leaves
// it as it was.
type stamp struct {
	device, file    uint64
	mode            uint32
	size            int64
	written, change int64 // when, in nanoseconds
}

func newStamp(st *unix.Stat_t) stamp {
	return stamp{device: uint64(st.Dev), file: st.Ino, mode: uint32(st.Mode), size: st.Size, written: st.Mtim.Nano(), change: st.Ctim.Nano()}
}

// changed is when the file was last changed.
func (s stamp) changed() time.Time { return time.Unix(0, s.change) }

// stampAt is that of the file at a path.
func stampAt(path string) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return stamp{}, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	return newStamp(&st), nil
}

// stampOf is that of an open file, whatever it is called.
func stampOf(f *os.File) (stamp, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return stamp{}, &os.PathError{Op: "fstat", Path: f.Name(), Err: err}
	}
	return newStamp(&st), nil
}
