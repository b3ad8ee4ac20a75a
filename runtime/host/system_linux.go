package host

import (
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/nasc-project/nasc/plugins/wire"
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

// held is a path by which a child executes a file that is open here, whatever has its name
// by then. To the program it makes no difference: the kernel knows the name of the file.
func held(f *os.File) string {
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())
	// A process that must not be looked into hides its files from its children, too.
	open, err := f.Stat()
	named, missing := os.Stat(path)
	if dumpable, e := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || missing != nil || e != nil || dumpable != 1 || !os.SameFile(open, named) {
		return f.Name()
	}
	return path
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

// roomy is how much must be left of the memory that is a file system to use it.
const roomy = 256 << 20

// scratch reports whether a folder is there, can be written and has room.
func scratch(dir string, free int64) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || free < roomy {
		return false
	}
	probe, err := os.MkdirTemp(dir, wire.SocketHomePrefix+"probe-")
	if err != nil {
		return false
	}
	return os.Remove(probe) == nil
}
