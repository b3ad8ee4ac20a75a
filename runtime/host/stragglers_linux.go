package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nasc-project/nasc/plugins/wire"
)

// What a plugin has started ends with its group. A process that has left the group is
// found by its parents while the plugin lives ([below]), and afterwards by the name of
// the plugin's home, which it has inherited in its environment unless the plugin has
// taken it out, as the SDKs do ([endMarked]).

// straggler is a process that may belong to a plugin.
type straggler struct{ pid, parent int }

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

// parentOf is the parent of a process; 0: there is no such process.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before may hold anything
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return parent
}

// below lists what a process has started, and what that has.
func below(pid int) []straggler {
	children := map[int][]straggler{}
	for _, pid := range processes() {
		p := straggler{pid, parentOf(pid)}
		children[p.parent] = append(children[p.parent], p)
	}
	all := children[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
	}
	return all
}

// endBelow kills processes that below has listed.
func endBelow(all []straggler) {
	for _, p := range all {
		// When its parent has ended in the meantime, it has another one.
		end(p.pid, func() bool { now := parentOf(p.pid); return now == p.parent || now == 1 })
	}
}

// endMarked kills the processes that have the name of a home in their environment.
func endMarked(home string) {
	mark := []byte(wire.SocketHomeKey + "=" + home + "\x00")
	for _, pid := range processes() {
		end(pid, func() bool {
			env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			return err == nil && bytes.Contains(env, mark)
		})
	}
}

// end kills a process if it is the one that it is taken for.
func end(pid int, is func() bool) {
	if pid == os.Getpid() || !is() {
		return
	}
	fd, err := unix.PidfdOpen(pid, 0) // from here on no other process can have its number
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if is() {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) // it may have ended
	}
}
