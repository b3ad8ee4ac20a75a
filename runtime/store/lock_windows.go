package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// takeLock takes an exclusive lock, which the system releases when the file is
// closed or the process dies.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, ErrBusy
		}
		return nil, err
	}
	return f, nil
}

// syncDir does nothing: Windows has no call for it and NTFS journals renames.
func syncDir(string) error { return nil }
