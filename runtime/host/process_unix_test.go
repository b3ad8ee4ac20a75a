//go:build unix

package host

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// gone reports whether a process has ended, if only as a zombie.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(after, []byte("Z"))
}

// write writes to a descriptor, whatever the SDK has made of the files in package os.
func write(descriptor int, text []byte) {
	_, _ = syscall.Write(descriptor, text)
}

func TestStopsAFrozenPlugin(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "nasc/random")
	pid, _ := strconv.Atoi(p.proc.runner.ID())
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.Close()
	within(t, "the process is gone", func() bool { return gone(pid) })
}
