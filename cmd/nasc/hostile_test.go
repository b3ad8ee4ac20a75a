package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// siege is a search with a hostile plugin: a package that runs this test binary.
type siege struct {
	t      *testing.T
	dir    string // where nasc runs; its temporary folder is below
	folder string // of what the plugin is to do wrong
	run    string // of the search
}

// besieged prepares a search whose plugin does one thing wrong.
func besieged(t *testing.T, mode string) *siege {
	t.Helper()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are found in /proc")
	}
	dir, err := os.MkdirTemp("/tmp", "hostile") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &siege{t: t, dir: dir, folder: filepath.Join(dir, "does"), run: filepath.Join(dir, "run")}
	for _, d := range []string{s.folder, s.temp(), filepath.Join(dir, "package")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	hostile, err := exec.LookPath("hostile")
	if err != nil {
		t.Fatal(err)
	}
	s.write("package/plugin.json", `{"name": "bad/plugin", "version": "6.6.6", "protocol": 1, "command": ["./start"], "unencrypted": true}`)
	s.write("package/start", fmt.Sprintf("#!/bin/sh\nexec %s %s \"$0\"\n", hostile, s.folder))
	s.write("tiny.nas", hostileSpace)
	s.does(mode)
	return s
}

// hostileSpace has 81 architectures.
const hostileSpace = `import { skip, conv_bn, global_pool, linear } from "std/vision"

block step = skip | conv_bn(out: 4) | conv_bn(out: 4, kernel: 1)

space tiny(image: [3, 8, 8]) -> [10] = image -> conv_bn(out: 4) -> step -> step -> step -> step -> global_pool -> linear(out: 10)
`

func (s *siege) temp() string { return filepath.Join(s.dir, "t") }

func (s *siege) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// does says what the plugin does wrong from now on.
func (s *siege) does(mode string) { s.write("does/mode", mode) }

// noted is a file that the plugin has written for the test; empty: it has not.
func (s *siege) noted(name string) string {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// ended is how a command of nasc ended.
type ended struct {
	code   int
	stderr string
	stdout string
	memory int64 // that it had at most, in bytes
}

func (s *siege) start(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	s.t.Helper()
	c := exec.Command("nasc", args...)
	var out, err bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = s.dir, &out, &err
	c.Env = append(os.Environ(), "TMPDIR="+s.temp(), "NASC_HOME="+filepath.Join(s.dir, "home"), "NASC_START_TIMEOUT=1s",
		"AWS_SECRET_ACCESS_KEY=hunter2", "GITHUB_TOKEN=hunter2", "SSH_AUTH_SOCK=/tmp/hunter2", "NASC_PRIVATE=hunter2")
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	return c, &out, &err
}

// end waits for a command, after which nothing of it may be left.
func (s *siege) end(c *exec.Cmd, out, err *bytes.Buffer) ended {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		_ = c.Process.Kill()
		s.t.Fatalf("nasc %v does not end:\n%s", c.Args[1:], err)
	}
	e := ended{code: c.ProcessState.ExitCode(), stderr: err.String(), stdout: out.String()}
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		e.memory = usage.Maxrss << 10
	}
	if most := int64(512 << 20); e.memory > most {
		s.t.Errorf("nasc %s had %d MiB", c.Args[1], e.memory>>20)
	}
	if len(e.stderr) > 4<<20 {
		s.t.Errorf("nasc %s printed %d bytes", c.Args[1], len(e.stderr))
	}
	s.nothingIsLeft()
	return e
}

func (s *siege) nasc(args ...string) ended {
	s.t.Helper()
	return s.end(s.start(args...))
}

// nothingIsLeft demands that there is neither a process nor a socket nor a temporary
// file of a search.
func (s *siege) nothingIsLeft() {
	s.t.Helper()
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		left = s.processes()
		files, err := os.ReadDir(s.temp())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, f := range files {
			left = append(left, f.Name())
		}
		if len(left) == 0 {
			return
		}
	}
	s.t.Errorf("left behind: %v", left)
}

// processes are those that have the temporary folder of the search.
func (s *siege) processes() (all []string) {
	found, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range found {
		env, err := os.ReadFile(file)
		if err == nil && bytes.Contains(env, []byte("TMPDIR="+s.temp()+"\x00")) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			all = append(all, fmt.Sprintf("%s: %q", filepath.Dir(file), line))
		}
	}
	return all
}

// plugged makes the arguments of a command run the hostile plugin from where it lies.
func (s *siege) plugged(args ...string) []string {
	return append(args, "--plugin", "bad/plugin="+filepath.Join(s.dir, "package"))
}

// searched searches with the hostile plugin as the optimizer or the evaluator.
func (s *siege) searched(role string) []string {
	optimizer, evaluator := "bad/plugin", "hash"
	if role == "evaluator" {
		optimizer, evaluator = "random", "bad/plugin"
	}
	return s.plugged("run", "tiny.nas", "--optimizer", optimizer, "--evaluator", evaluator, "--budget", "12", "--seed", "3", "-o", s.run)
}

// patient is searched, with a limit to how long the plugin may be silent.
func (s *siege) patient(role string) []string {
	return append(s.searched(role), "--patience", "500ms")
}

// log are the trials of the search.
func (s *siege) log() (trials []string) {
	s.t.Helper()
	e := s.nasc("show", "--log", s.run)
	if e.code != 0 {
		s.t.Fatalf("the log cannot be read: %s", e.stderr)
	}
	for _, line := range strings.Split(e.stdout, "\n") {
		if strings.HasPrefix(line, `{"trial":`) {
			trials = append(trials, line)
		}
	}
	return trials
}

// undisturbed is the log of a search with a plugin that behaves.
func undisturbed(t *testing.T, role string) []string {
	t.Helper()
	s := besieged(t, "")
	if e := s.nasc(s.searched(role)...); e.code != 0 {
		t.Fatalf("a plugin that behaves: exit code %d\n%s", e.code, e.stderr)
	}
	log := s.log()
	if len(log) != 12 {
		t.Fatalf("%d trials:\n%s", len(log), strings.Join(log, "\n"))
	}
	return log
}

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
		{"optimizer hangs", "it was ended since it said nothing for 500ms while a call was under way"},
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
			run := s.searched
			if strings.HasSuffix(c.mode, "hangs") || strings.HasSuffix(c.mode, "sleeps") {
				run = s.patient
			}
			e := s.nasc(run(role)...)
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

// TestHostileTrial: an architecture that an evaluator cannot judge, or of which it dies
// each time, fails alone.
func TestHostileTrial(t *testing.T) {
	for mode, says := range map[string]string{
		"evaluator nan":         "the metric accuracy is NaN, says bad/plugin 6.6.6",
		"evaluator dies of one": "the evaluator bad/plugin 6.6.6 died 4 times on it",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := besieged(t, mode)
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
	for _, name := range []string{"childfalse", "childtrue"} {
		pid, err := strconv.Atoi(s.noted(name))
		if err != nil {
			t.Fatal(err)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && !bytes.Contains(stat, []byte(") Z ")) { // its parent may not ask for its end
			t.Errorf("process %d, %s, is alive: %s", pid, name, stat)
		}
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
