package host

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nasc-project/nasc/plugins/wire"
)

// A home is the private folder of one plugin process, or of one that computes operations
// and those who have them computed. It holds the socket, can
// be read by its owner only, and is removed when the process ends: by the host;
// by the plugin when the host was killed; and, should both have been killed in
// one moment, by the next host, which knows it by a lock that nobody holds.
type home struct {
	dir  string
	lock *os.File
}

const (
	lockName = ".nasc-plugin-lock"
	// maxSocketPath is what fits into a Unix socket address, on every system.
	maxSocketPath = 103
	// socketTail is what go-plugin adds below the home.
	socketTail = len("/plugin-dir4294967295/plugin4294967295")
)

// homeBase is the folder for homes: the temporary one if socket addresses in it
// are short enough, otherwise /tmp.
func homeBase() (string, error) {
	longest := maxSocketPath - socketTail - len("/"+wire.SocketHomePrefix+"4294967295")
	var reason error
	for _, dir := range []string{os.TempDir(), "/tmp"} {
		abs, err := filepath.Abs(dir)
		switch info, statErr := os.Stat(abs); {
		case err != nil:
			reason = err
		case statErr != nil:
			reason = statErr
		case !info.IsDir():
			reason = fmt.Errorf("%s is not a folder", abs)
		case len(abs) > longest:
			reason = fmt.Errorf("%s is longer than %d bytes", abs, longest)
		default:
			return abs, nil
		}
	}
	return "", reason
}

// newHome makes a home for a process.
func newHome() (*home, error) {
	base, err := homeBase()
	if err != nil {
		return nil, err
	}
	return newHomeIn(base)
}

// newHomeIn makes a home in a folder. It gets its final name only when it is locked, so
// that no other host can take it for one that was left behind.
func newHomeIn(base string) (*home, error) {
	hidden, err := os.MkdirTemp(base, "."+wire.SocketHomePrefix)
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(hidden, lockName))
	if err != nil {
		os.RemoveAll(hidden)
		return nil, err
	}
	h := &home{dir: filepath.Join(base, filepath.Base(hidden)[1:]), lock: lock}
	if err := os.Rename(hidden, h.dir); err != nil {
		lock.Close()
		os.RemoveAll(hidden)
		return nil, err
	}
	return h, nil
}

func (h *home) remove() {
	os.RemoveAll(h.dir)
	h.lock.Close()
}

// sweepHomes removes homes whose host was killed, and ends what still is in them.
func sweepHomes() {
	if base, err := homeBase(); err == nil {
		sweepHomesIn(base)
	}
	sweepHomesIn(sharedMemory())
}

func sweepHomesIn(base string) {
	if base == "" {
		return
	}
	left, err := filepath.Glob(filepath.Join(base, wire.SocketHomePrefix+"*", lockName))
	if err != nil {
		return
	}
	for _, path := range left {
		dir := filepath.Dir(path)
		if !ours(dir) {
			continue
		}
		lock, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(lock) {
			endMarked(dir) // a plugin that did not end with its host
			os.RemoveAll(dir)
		}
		lock.Close()
	}
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if !tryLock(f) {
		f.Close()
		return nil, fmt.Errorf("cannot lock %s", path)
	}
	return f, nil
}
