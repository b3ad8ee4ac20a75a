//go:build unix && !linux

package host

import (
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// separate makes the process the head of a group of its own.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// await returns how the process ended, and ends what is left of its group.
func await(cmd *exec.Cmd, gone *atomic.Bool) error {
	err := cmd.Wait()
	killGroup(cmd)
	gone.Store(true)
	return err
}

// sharedMemory is empty: there are no files here that are memory.
func sharedMemory() string { return "" }

// processorTime is not known.
func processorTime(int) time.Duration { return 0 }

// held is the path of a file: programs are executed by name only.
func held(f *os.File) string { return f.Name() }
