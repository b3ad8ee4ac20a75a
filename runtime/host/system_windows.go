package host

import (
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock of an open file, which ends with the host's process.
func tryLock(f *os.File) bool {
	return windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped)) == nil
}

// ours reports whether a folder belongs to this user; the temporary folder of
// Windows is the user's own.
func ours(string) bool { return true }

// separate keeps Ctrl-C at the terminal from the process.
func separate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// job holds every plugin process, and ends them all when this process ends.
var job = sync.OnceValue(func() windows.Handle {
	h, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(h, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		return 0
	}
	return h
})

// await puts the process into the job and returns how it ended.
func await(cmd *exec.Cmd, gone *atomic.Bool) error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		if j := job(); j != 0 {
			windows.AssignProcessToJobObject(j, h)
		}
		windows.CloseHandle(h)
	}
	err = cmd.Wait()
	gone.Store(true)
	return err
}

// killGroup kills the process. What it has started ends with the job.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		cmd.Process.Kill()
	}
}

// hostEnv are the variables that a plugin may see.
var hostEnv = []string{
	"PATH", "PATHEXT", "NASC_DATA", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TEMP", "TMP", "USERPROFILE", "HOMEDRIVE", "HOMEPATH",
	"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "TZ",
	"GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK", "GOCOVERDIR",
	"OMP_*", "MKL_*", "OPENBLAS_*", "CUDA_*", "NVIDIA_*", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_*",
}
