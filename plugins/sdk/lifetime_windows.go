package sdk

import (
	"os"

	"golang.org/x/sys/windows"
)

// endWithHost ends the process when its host is gone. There is no socket file
// to remove on Windows; the host's job object ends what plugin code has started.
func endWithHost(string) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getppid()))
	if err != nil {
		os.Exit(1)
	}
	go func() {
		windows.WaitForSingleObject(h, windows.INFINITE)
		os.Exit(1)
	}()
}
