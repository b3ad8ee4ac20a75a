//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostile: whatever a plugin does wrong, the search goes on or stops with a message
// that names it, what was finished is kept and can be gone on from, and nothing is left
// of the processes.
func TestHostile(t *testing.T) {
	honest := map[string][]string{"optimizer": undisturbed(t, "optimizer"), "evaluator": undisturbed(t, "evaluator")}
	for _, c := range []struct {
		mode string
		says string // why the search stops; empty: it goes on to its end
	}{
		{"optimizer dies", ""},
		{"optimizer sleeps", ""},
		{"optimizer loops", "error E0505 [bad/plugin 6.6.6]: the plugin died 4 times in a row"},
		{"optimizer outside", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: an architecture outside of the space"},
		{"optimizer lengths", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer"},
		{"optimizer counts", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: 1073741824 architectures where at most 1"},
		{"optimizer strangers", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: an answer for session 1001"},
		{"optimizer inflates", "error E0507 [bad/plugin 6.6.6]: grpc: received message larger than max"},
		{"evaluator dies", ""},
		{"evaluator sleeps", ""},
		{"optimizer stops", ""},
		{"evaluator stops", ""},
		{"evaluator computes", ""},
		{"optimizer hangs", "error E0530 [bad/plugin 6.6.6]: the plugin hung 2 times in a row"},
		{"evaluator floods", ""},
		{"evaluator lengths", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: a result of 3 metrics, not 1"},
		{"evaluator duplicates", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: it tells of trial"},
		{"evaluator strangers", "error E0506 [bad/plugin 6.6.6]: the plugin gave a wrong answer: it tells of trial"},
		{"evaluator inflates", "error E0507 [bad/plugin 6.6.6]: grpc: received message larger than max"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			t.Parallel()
			role, _, _ := strings.Cut(c.mode, " ")
			s := besieged(t, c.mode)
			switch _, what, _ := strings.Cut(c.mode, " "); what {
			case "hangs", "sleeps": // without an answer, but alive
				s.env = []string{"NASC_PATIENCE=1s"}
			case "stops", "computes":
				s.env = []string{"NASC_PULSE=1s"}
			}
			e := s.nasc(s.searched(role)...)
			s.env = nil
			want := honest[role]
			if c.says == "" {
				if log := s.log(); e.code != 0 || !slices.Equal(log, want) {
					t.Errorf("exit code %d, the log\n%s\nundisturbed\n%s\n%s", e.code, strings.Join(log, "\n"), strings.Join(want, "\n"), e.stderr)
				}
				return
			}
			if e.code != exitMachine || !strings.Contains(e.stderr, c.says) {
				t.Errorf("exit code %d, and nothing says %q:\n%s", e.code, c.says, e.stderr)
			}
			if log := s.log(); len(log) < doom || !slices.Equal(log[:doom], want[:doom]) {
				t.Errorf("of the first %d trials is kept\n%s", doom, strings.Join(log, "\n"))
			}
			s.does("")
			e = s.nasc(s.plugged("resume", s.run)...)
			if log := s.log(); e.code != 0 || !slices.Equal(log, want) {
				t.Errorf("resumed: exit code %d, the log\n%s\nundisturbed\n%s\n%s", e.code, strings.Join(log, "\n"), strings.Join(want, "\n"), e.stderr)
			}
		})
	}
}

// TestHostileTrial: an architecture that an evaluator cannot judge, or of which it dies or
// in which it hangs each time, fails alone.
func TestHostileTrial(t *testing.T) {
	for mode, says := range map[string]string{
		"evaluator nan":         "the metric accuracy is NaN, says bad/plugin 6.6.6",
		"evaluator dies of one": "the evaluator bad/plugin 6.6.6 died 4 times on it",
		"evaluator hangs":       "the evaluator bad/plugin 6.6.6 hung 2 times on it",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := besieged(t, mode)
			s.env = []string{"NASC_PATIENCE=2s"}
			e := s.nasc(s.searched("evaluator")...)
			log := s.log()
			if e.code != 0 || len(log) != 12 {
				t.Fatalf("exit code %d, %d trials\n%s", e.code, len(log), e.stderr)
			}
			for i, line := range log {
				if strings.Contains(line, says) != (i == doom) {
					t.Errorf("trial %d: %s", i, line)
				}
			}
		})
	}
}

// TestHostileStart: a plugin that does not come up is told with its name, and there is no
// run of it.
func TestHostileStart(t *testing.T) {
	for mode, says := range map[string]string{
		"exits":  "error E0502 [bad/plugin]: the plugin ended before it was ready",
		"mute":   "error E0504 [bad/plugin]: the plugin did not start within 1s",
		"silent": "error E0504 [bad/plugin]: the plugin did not start within 1s",
		"older":  "error E0503 [bad/plugin]: the plugin speaks another protocol",
		"newer":  "error E0503 [bad/plugin]: the plugin speaks another protocol",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := besieged(t, mode)
			s.env = []string{"NASC_START_TIMEOUT=1s"}
			e := s.nasc(s.searched("evaluator")...)
			if e.code != exitMachine || !strings.Contains(e.stderr, says) {
				t.Errorf("exit code %d\n%s", e.code, e.stderr)
			}
			if _, err := os.Stat(s.run); err == nil {
				t.Error("there is a run")
			}
		})
	}
}

// TestHostileHang: a search whose plugin hangs, or says more and more without an end, can
// be interrupted, also when the plugin ignores that it should end; it goes on later.
func TestHostileHang(t *testing.T) {
	for _, mode := range []string{"optimizer hangs", "evaluator hangs", "evaluator chatters", "stubborn"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			role, _, _ := strings.Cut(mode, " ")
			if role == "stubborn" {
				role = "evaluator"
			}
			s := besieged(t, mode)
			c, out, err := s.start(s.searched(role)...)
			s.hangs()
			time.Sleep(300 * time.Millisecond) // it goes on to chatter
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			if e := s.end(c, out, err); e.code != exitMachine || !strings.Contains(e.stderr, "interrupted; what is finished is kept") {
				t.Errorf("exit code %d\n%s", e.code, e.stderr)
			}
			if n := len(s.log()); n != doom {
				t.Errorf("%d trials are kept", n)
			}
			s.does("")
			if e := s.nasc(s.plugged("resume", s.run)...); e.code != 0 || len(s.log()) != 12 {
				t.Errorf("resumed: exit code %d\n%s", e.code, e.stderr)
			}
		})
	}
}

// hangs waits until the plugin does.
func (s *siege) hangs() {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.folder, "hanging")); err == nil {
			return
		}
	}
	s.t.Fatal("the plugin was never called")
}

// TestHostileSuspended: when nasc and its plugins are stopped for a while, as a batch system
// does with a job, no plugin is taken for one that hangs.
func TestHostileSuspended(t *testing.T) {
	want := undisturbed(t, "evaluator")
	s := besieged(t, "evaluator rests")
	s.env = []string{"NASC_PULSE=2s", "NASC_PATIENCE=3s"}
	c, out, err := s.start(s.searched("evaluator")...)
	s.hangs()
	all := []int{c.Process.Pid}
	for _, line := range s.processes() {
		var pid int
		if _, err := fmt.Sscanf(line, "/proc/%d", &pid); err == nil && pid != c.Process.Pid {
			all = append(all, pid)
		}
	}
	if len(all) < 3 {
		t.Fatalf("only the processes %v", all)
	}
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		for _, pid := range all {
			if err := syscall.Kill(pid, signal); err != nil {
				t.Error(pid, err)
			}
		}
		if signal == syscall.SIGSTOP {
			time.Sleep(5 * time.Second)
		}
	}
	if e := s.end(c, out, err); e.code != 0 || strings.Contains(e.stderr, "plugin hangs") {
		t.Errorf("exit code %d\n%s", e.code, e.stderr)
	}
	if log := s.log(); !slices.Equal(log, want) {
		t.Errorf("the log is\n%s", strings.Join(log, "\n"))
	}
}

// TestHostileOutlives: a plugin that ignores the end of a host that was killed is ended
// by the next host.
func TestHostileOutlives(t *testing.T) {
	s := besieged(t, "stubborn")
	c, _, _ := s.start(s.searched("evaluator")...)
	s.hangs()
	_ = c.Process.Kill()
	_ = c.Wait()
	if len(s.processes()) == 0 {
		t.Error("the plugin is not stubborn")
	}
	s.does("")
	if e := s.nasc(s.plugged("resume", s.run)...); e.code != 0 || len(s.log()) != 12 {
		t.Errorf("resumed: exit code %d\n%s", e.code, e.stderr)
	}
}

// TestHostileForks: what a plugin starts ends with it, in its group or in another.
func TestHostileForks(t *testing.T) {
	s := besieged(t, "forks")
	if e := s.nasc(s.searched("evaluator")...); e.code != 0 { // after which nothing is left
		t.Errorf("exit code %d\n%s", e.code, e.stderr)
	}
	s.hasEnded("childfalse")
	s.hasEnded("childtrue")
}

// TestHostileDaemon: a daemon that nothing connects with its plugin any more outlives that
// plugin, and not nasc.
func TestHostileDaemon(t *testing.T) {
	s := besieged(t, "daemon")
	e := s.nasc(s.searched("evaluator")...)
	if e.code != 0 || len(s.log()) != 12 {
		t.Errorf("exit code %d\n%s", e.code, e.stderr)
	}
	if !exists(filepath.Join(s.folder, "died")) {
		t.Error("the plugin has not died in between")
	}
	s.hasEnded("its daemon")
}

// TestHostileLitters: processes that have lost their parent are asked how they ended, so
// that no zombies gather below nasc.
func TestHostileLitters(t *testing.T) {
	s := besieged(t, "litters")
	if e := s.nasc(s.searched("evaluator")...); e.code != 0 || s.noted("unburied") != "" {
		t.Errorf("exit code %d, and %q is a zombie\n%s", e.code, s.noted("unburied"), e.stderr)
	}
}

// hasEnded demands that a process whose number the plugin has noted is gone.
func (s *siege) hasEnded(name string) {
	s.t.Helper()
	pid, err := strconv.Atoi(s.noted(name))
	if err != nil {
		s.t.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil && !bytes.Contains(stat, []byte(") Z ")) { // its parent may not ask for its end
		s.t.Errorf("process %d, %s, is alive: %s", pid, name, stat)
	}
}

// TestHostileSpies: a plugin sees no secret in its environment.
func TestHostileSpies(t *testing.T) {
	s := besieged(t, "spies")
	if e := s.nasc(s.searched("evaluator")...); e.code != 0 {
		t.Errorf("exit code %d\n%s", e.code, e.stderr)
	}
	seen := s.noted("seen")
	if !strings.Contains(seen, "PATH=") {
		t.Error("it does not even see PATH")
	}
	for _, line := range strings.Split(seen, "\n") {
		if strings.Contains(line, "hunter2") {
			t.Errorf("it sees %s", line)
		}
	}
}

// TestHostilePackage: a package that is not what was locked does not start, and one that
// changes itself while it runs does not start again.
func TestHostilePackage(t *testing.T) {
	s := besieged(t, "")
	for _, args := range [][]string{{"plugin", "install", "package"}, {"plugin", "lock", "bad/plugin"}} {
		if e := s.nasc(args...); e.code != 0 {
			t.Fatalf("nasc %v: %s", args, e.stderr)
		}
	}
	search := func(name string) ended {
		s.run = filepath.Join(s.dir, name)
		return s.nasc("run", "tiny.nas", "--optimizer", "random", "--evaluator", "bad/plugin", "--budget", "12", "-o", s.run)
	}
	if e := search("locked"); e.code != 0 {
		t.Fatalf("as it was locked: exit code %d\n%s", e.code, e.stderr)
	}
	s.does("swaps")
	e := search("swapped")
	if e.code != exitInput || !strings.Contains(e.stderr, "error E0514: bad/plugin 6.6.6 has changed since it was locked") {
		t.Errorf("swapped while it runs: exit code %d\n%s", e.code, e.stderr)
	}
	if n := len(s.log()); n != doom {
		t.Errorf("%d trials are kept", n)
	}
	e = search("later")
	if _, err := os.Stat(s.run); e.code != exitInput || !strings.Contains(e.stderr, "E0514") || err == nil {
		t.Errorf("swapped before: exit code %d, %v\n%s", e.code, err, e.stderr)
	}
}

// TestHostilePlain: a plugin that is to encrypt its connection and does not is not spoken
// to.
func TestHostilePlain(t *testing.T) {
	s := besieged(t, "")
	s.write("package/plugin.json", `{"name": "bad/plugin", "version": "6.6.6", "protocol": 1, "command": ["./start"]}`)
	e := s.nasc(s.searched("evaluator")...)
	if e.code != exitMachine || !strings.Contains(e.stderr, "error E0502 [bad/plugin]: the plugin does not encrypt its connection") {
		t.Errorf("exit code %d\n%s", e.code, e.stderr)
	}
}
