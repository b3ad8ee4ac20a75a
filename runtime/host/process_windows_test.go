package host

import "os"

// gone reports whether a process has ended.
func gone(pid int) bool {
	p, err := os.FindProcess(pid)
	if err == nil {
		_ = p.Release()
	}
	return err != nil
}

// write writes to standard output or standard error.
func write(descriptor int, text []byte) {
	out := os.Stdout
	if descriptor == 2 {
		out = os.Stderr
	}
	_, _ = out.Write(text)
}
