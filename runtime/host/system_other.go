//go:build unix && !linux

package host

import (
	"os/exec"
	"sync/atomic"
	"syscall"
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
