package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killing is the search of the kill tests.
type killing struct {
	t      *testing.T
	nasc   string
	dir    string
	noted  string
	sleep  int
	die    int
	worker int
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are found in /proc")
	}
	nasc, err := exec.LookPath("nasc")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return &killing{t: t, nasc: nasc, dir: filepath.Join(dir, "run"), noted: filepath.Join(dir, "noted"), sleep: 8, die: -1, worker: 1}
}

func (k *killing) command(args ...string) *exec.Cmd {
	c := exec.Command(k.nasc, args...)
	c.Dir = filepath.Dir(k.dir)
	c.Env = append(os.Environ(), "TMPDIR="+c.Dir)
	return c
}

func (k *killing) search() *exec.Cmd {
	return k.command("run", "nasbench201/nasbench201.nas", "--optimizer", "evolution", "--evaluator", "hash", "--budget", "40",
		"--seed", "5", "--workers", strconv.Itoa(k.worker), "-o", k.dir, "--set", "file="+k.noted,
		"--set", "sleep="+strconv.Itoa(k.sleep), "--set", "die="+strconv.Itoa(k.die))
}

func (k *killing) must(c *exec.Cmd) string {
	k.t.Helper()
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		k.t.Fatalf("nasc %v: %v\n%s", c.Args[1:], err, &errs)
	}
	return string(out)
}

func (k *killing) log() string { return k.must(k.command("show", "--log", k.dir)) }

// evaluated lists the trials that an evaluator process was given.
func (k *killing) evaluated() []string {
	text, err := os.ReadFile(k.noted)
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// finished lists the trials in the log of a run that was killed.
func (k *killing) finished() []string {
	var out []string
	for _, line := range strings.Split(k.log(), "\n") {
		if rest, ok := strings.CutPrefix(line, `{"trial":`); ok && !strings.Contains(line, `"reused"`) {
			number, _, _ := strings.Cut(rest, ",")
			out = append(out, number)
		}
	}
	return out
}

// sockets are the folders of plugins' sockets.
func (k *killing) sockets() []string {
	all, _ := filepath.Glob(filepath.Join(filepath.Dir(k.dir), "nasc-*"))
	return all
}

// processes are the plugins of this search that are alive.
func (k *killing) processes() (pids []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, e := range entries {
		env, err := os.ReadFile(e)
		if err == nil && strings.Contains(string(env), "TMPDIR="+filepath.Dir(k.dir)+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(e)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// wait waits for something that must come true.
func (k *killing) wait(what string, done func() bool) {
	k.t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			k.t.Fatalf("%s: still not so after 30 s: processes %v, sockets %v", what, k.processes(), k.sockets())
		}
	}
}

// kill starts a command and kills it once n evaluations are noted.
func (k *killing) kill(c *exec.Cmd, n int, later time.Duration) {
	k.t.Helper()
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.wait("evaluations", func() bool { return len(k.evaluated()) >= n })
	time.Sleep(later)
	_ = c.Process.Kill()
	_ = c.Wait()
	k.wait("no process stays behind", func() bool { return len(k.processes()) == 0 })
}

// TestKill kills the host with SIGKILL at many moments of a search, and again
// while it is resumed: in the end the log is that of an undisturbed search byte
// for byte, no finished trial has been evaluated again, and neither processes
// nor sockets are left.
func TestKill(t *testing.T) {
	for _, c := range []struct{ workers, moments int }{{1, 20}, {2, 6}} {
		t.Run(fmt.Sprint("workers", c.workers), func(t *testing.T) {
			whole := newKilling(t)
			whole.worker = c.workers
			whole.must(whole.search())
			want := whole.log()
			all := len(whole.evaluated())
			if all < 25 {
				t.Fatalf("only %d of 40 trials were evaluated", all)
			}
			if testing.Short() {
				c.moments = 3
			}
			for i := range c.moments {
				at := (all - 4) * i / c.moments
				t.Run(fmt.Sprint("evaluation", at), func(t *testing.T) {
					t.Parallel()
					k := newKilling(t)
					k.worker = c.workers
					k.kill(k.search(), at, time.Duration(i%5)*time.Millisecond)
					if _, err := os.Stat(filepath.Join(k.dir, "nasc.db")); err != nil {
						if _, err := os.Stat(k.dir); err == nil {
							t.Fatal("half a run folder is left")
						}
						return // killed before there was a run
					}
					again := len(k.evaluated())
					k.kill(k.command("resume", k.dir), again+2, time.Duration(i%3)*time.Millisecond)
					before, finished := len(k.evaluated()), k.finished()
					k.must(k.command("resume", k.dir))
					if got := k.log(); got != want {
						t.Fatalf("killed at evaluation %d: the log differs:\n%swant:\n%s", at, got, want)
					}
					for _, number := range k.evaluated()[before:] {
						if slices.Contains(finished, number) {
							t.Errorf("killed at evaluation %d: trial %s was finished and evaluated again", at, number)
						}
					}
					k.wait("nothing is left", func() bool { return len(k.processes()) == 0 && len(k.sockets()) == 0 })
				})
			}
		})
	}
}

// TestKillPlugin kills the evaluator and then the optimizer in the middle of a
// search, which goes on and ends with the same log.
func TestKillPlugin(t *testing.T) {
	whole := newKilling(t)
	whole.must(whole.search())
	want := whole.log()

	k := newKilling(t)
	k.die = 17
	k.must(k.search())
	if got := k.log(); got != want {
		t.Errorf("the evaluator died: the log differs:\n%swant:\n%s", got, want)
	}
	if _, err := os.Stat(k.noted + ".died"); err != nil {
		t.Error("the evaluator did not die")
	}

	k = newKilling(t)
	k.sleep = 20
	c := k.search()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	killed := 0
	k.wait("evaluations", func() bool { return len(k.evaluated()) >= 12 })
	for _, pid := range k.processes() {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.HasSuffix(string(line), "serve\x00evolution\x00") {
			if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
				killed++
			}
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if killed != 1 {
		t.Errorf("%d optimizers killed, want 1", killed)
	}
	if got := k.log(); got != want {
		t.Errorf("the optimizer died: the log differs:\n%swant:\n%s", got, want)
	}
	k.wait("nothing is left", func() bool { return len(k.processes()) == 0 && len(k.sockets()) == 0 })
}
