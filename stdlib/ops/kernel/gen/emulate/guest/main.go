//go:build linux

// Guest is the first process of the emulated machine: it runs the tests, says how
// they ended, and turns the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

func main() {
	err := run()
	fmt.Println("emulated tests ended:", err)
	const drain = 0x5409 // TCSBRK: wait until everything is sent
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, os.Stdout.Fd(), drain, 1); e != 0 {
		fmt.Println("drain:", e)
	}
	if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("power off:", err)
	}
	select {}
}

// run runs the tests as the file call says: a variable of the environment in the
// first line, an argument in each other line.
func run() error {
	for _, m := range []struct{ at, kind string }{{"/proc", "proc"}, {"/dev", "devtmpfs"}, {"/tmp", "tmpfs"}} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	lines, err := os.ReadFile("/call")
	if err != nil {
		return err
	}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(cpu), "\n") {
		if strings.HasPrefix(line, "model name") || strings.HasPrefix(line, "flags") {
			fmt.Println(line)
		}
	}
	call := strings.Split(string(lines), "\n")
	c := exec.Command("/tests", call[1:]...)
	c.Env = []string{"HOME=/tmp", "TMPDIR=/tmp", call[0]}
	c.Stdout, c.Stderr = os.Stdout, os.Stdout
	return c.Run()
}
