package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// processes lists the numbers of all processes.
func processes() (pids []int) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	for _, folder := range folders {
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// procStat is what the kernel tells of a process in /proc/PID/stat, from the third field
// on: the name before may hold anything. See proc(5).
type procStat [][]byte

// The places of some fields.
const (
	statState  = 0
	statParent = 1
	statUser   = 11 // processor time, in hundredths of a second
	statSystem = 12
	statBorn   = 19 // when it was started
)

// stat looks a process up; nil: there is none of this number.
func stat(pid int) procStat {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	if fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]); len(fields) > statBorn {
		return fields
	}
	return nil
}

// number is a field; 0: there is no such process.
func (s procStat) number(field int) int {
	if s == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(s[field])) // the kernel has written it
	return n
}

// zombie reports whether the process has ended and its parent has not asked how.
func (s procStat) zombie() bool { return s != nil && string(s[statState]) == "Z" }

// processorTime is how much a process has used.
func processorTime(pid int) time.Duration {
	s := stat(pid)
	return time.Duration(s.number(statUser)+s.number(statSystem)) * 10 * time.Millisecond
}
