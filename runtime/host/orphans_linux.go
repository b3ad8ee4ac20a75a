package host

import (
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Orphans. A process whose parent ends gets the first process of the machine for a parent,
// or the nearest one above it that has asked for orphans ([adopt]). A plugin's daemon, which
// has left its group and its session and has rid its environment of the plugin's name, so
// becomes a child of nasc, and there it is known: nasc starts nothing but plugins, and what
// is its child and was not started by it is what a plugin has left behind. But for what was
// its child before: a script may have started something and then become nasc by exec.
//
// Of which plugin is not known any more. So it ends when no plugin is there.

// nursery holds the processes that hosts have started here and that have not been waited
// for: whoever else is a child of this process has been adopted.
type nursery struct {
	mu     sync.Mutex
	own    map[int]bool
	before []int // children of this process before it took orphans
	takes  bool  // orphans
}

var children = nursery{own: map[int]bool{}}

// adopt has orphans become children of this process, for the rest of its life.
func adopt() error {
	children.mu.Lock()
	defer children.mu.Unlock()
	if children.takes {
		return nil
	}
	before := children.strangers() // of which none is an orphan yet
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	children.before = before
	children.takes = true
	go children.bury()
	return nil
}

// start starts a process.
func (n *nursery) start(cmd *exec.Cmd) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := cmd.Start()
	if err == nil {
		n.own[cmd.Process.Pid] = true
	}
	return err
}

// waited notes that a process has been waited for, so that its number may be another's.
// After the last one it ends the orphans.
func (n *nursery) waited(pid int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.own, pid)
	if n.takes && len(n.own) == 0 {
		n.endOrphans()
	}
}

// strangers lists the children that hosts have not started. The lock is held: a process
// that is being started is a child before it is known as such.
func (n *nursery) strangers() (all []int) {
	self := os.Getpid()
	for _, pid := range processes() {
		if !n.own[pid] && stat(pid).number(statParent) == self {
			all = append(all, pid)
		}
	}
	return all
}

// orphans lists those that there are. The lock is held.
func (n *nursery) orphans() []int {
	return slices.DeleteFunc(n.strangers(), func(pid int) bool { return slices.Contains(n.before, pid) })
}

// endOrphans kills the orphans, and those that are orphans then, until there are none.
func (n *nursery) endOrphans() {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		all := n.orphans()
		if len(all) == 0 {
			return
		}
		for _, pid := range all { // whose number stays theirs until it is asked how they ended
			_ = unix.Kill(pid, unix.SIGKILL)
			reap(pid)
		}
	}
}

// bury asks how orphans have ended, as their parent has to: else they stay zombies.
func (n *nursery) bury() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	for range ended {
		time.Sleep(time.Second) // there may be many
		n.mu.Lock()
		for _, pid := range n.orphans() {
			if stat(pid).zombie() {
				reap(pid)
			}
		}
		n.mu.Unlock()
	}
}

func reap(pid int) {
	var status unix.WaitStatus
	for {
		if _, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); err != unix.EINTR {
			return
		}
	}
}
