//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	env    []string
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
	c.Env = append(os.Environ(), "TMPDIR="+s.temp(), "NASC_HOME="+filepath.Join(s.dir, "home"),
		"AWS_SECRET_ACCESS_KEY=hunter2", "GITHUB_TOKEN=hunter2", "SSH_AUTH_SOCK=/tmp/hunter2", "NASC_PRIVATE=hunter2")
	c.Env = append(c.Env, s.env...)
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
	if most := int64(256 << 20); e.memory > most {
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
