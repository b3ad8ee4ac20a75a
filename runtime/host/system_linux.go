package host

import (
	"os/exec"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// separate makes the process the head of a group of its own, which the kernel
// asks to end when the thread that starts it does.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// await returns how the process ended, and ends what is left of its group
// before its number can belong to another process.
func await(cmd *exec.Cmd, gone *atomic.Bool) error {
	var info unix.Siginfo
	for unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	killGroup(cmd)
	gone.Store(true)
	return cmd.Wait()
}

// sharedMemory is the folder of files that are memory, if there is one with room.
func sharedMemory() string {
	const dir = "/dev/shm"
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil || !scratch(dir, int64(st.Bavail)*st.Bsize) {
		return ""
	}
	return dir
}
