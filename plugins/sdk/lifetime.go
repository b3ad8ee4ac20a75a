//go:build unix

package sdk

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nasc-project/nasc/plugins/wire"
)

// endWithHost ends the process, and every process it has started, when its host
// is gone: a killed host cannot do it. On Linux the kernel sends SIGTERM at that
// moment; everywhere, a change of parent is noticed within half a second.
func endWithHost(home string) {
	parent := os.Getppid()
	host, _ := strconv.Atoi(os.Getenv(wire.HostPidKey))
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		for {
			if os.Getppid() != parent || host > 0 && syscall.Kill(host, 0) == syscall.ESRCH {
				end(home)
			}
			select {
			case <-term:
				end(home)
			case <-tick.C:
			}
		}
	}()
}

// end removes the socket and ends the process with its group, which holds the
// processes that plugin code has started.
func end(home string) {
	if home != "" {
		os.RemoveAll(home)
	}
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(1)
}
