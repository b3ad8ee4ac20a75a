//go:build unix

package host

import (
	"os"
	"os/exec"
	"syscall"
)

// tryLock takes the lock of an open file, which ends with the host's process.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// ours reports whether a folder belongs to this user.
func ours(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}

// killGroup kills the process and every process of its group.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// hostEnv are the variables that a plugin may see.
var hostEnv = []string{
	"PATH", "HOME", "USER", "LOGNAME", "NASC_DATA", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR", "XDG_*",
	"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK", "GOCOVERDIR",
	"OMP_*", "MKL_*", "OPENBLAS_*", "CUDA_*", "NVIDIA_*", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_*",
}
