package host

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/nasc-project/nasc/plugins/wire"
)

// What a plugin has started ends with its group. A process that has left the group is
// found by its parents while the plugin lives ([below]), and afterwards by the name of
// the plugin's home, which it has inherited in its environment unless the plugin has
// taken it out, as the SDKs do ([endMarked]). What cannot be found in either way is an
// orphan (orphans_linux.go).

// straggler is a process that may belong to a plugin. No other has both its number and
// its birth.
type straggler struct{ pid, born int }

// below lists what a process has started, and what that has.
func below(pid int) []straggler {
	children := map[int][]straggler{}
	for _, pid := range processes() {
		if s := stat(pid); s != nil {
			parent := s.number(statParent)
			children[parent] = append(children[parent], straggler{pid, s.number(statBorn)})
		}
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
		end(p.pid, func() bool { return stat(p.pid).number(statBorn) == p.born })
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
