package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// job is what a process is told on its command line.
type job struct {
	Work
	Variant string `json:"variant"`
	Threads int    `json:"threads"`
}

// answer is a line that a process writes.
type answer struct {
	Ready   string    `json:"ready,omitempty"`   // the first line: a version
	Missing string    `json:"missing,omitempty"` // or what it would need
	Seconds []float64 `json:"seconds,omitempty"` // of each run
	CPU     []float64 `json:"cpu,omitempty"`     // the same in processor time
	Peak    int64     `json:"peak,omitempty"`    // of the resident memory, in bytes
}

// process is a side at work: it sleeps until it is asked to run.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errors  strings.Builder
	version string

	seconds, cpu []float64 // of all runs so far
	peak         int64
}

// errMissing is that of a variant that this PyTorch does not have.
var errMissing = errors.New("not available")

// start starts a side and waits until it is warm.
func start(ctx context.Context, j job, env []string, name string, args ...string) (*process, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, name, append(args, string(text))...)}
	p.cmd.Env, p.cmd.Stderr = env, &p.errors
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	a, err := p.read()
	if err == nil && a.Missing != "" {
		err = fmt.Errorf("%s: %w", a.Missing, errMissing)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.version = a.Ready
	return p, nil
}

func (p *process) read() (answer, error) {
	var a answer
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		err = fmt.Errorf("%s gave no answer: %w\n%s", p.cmd.Path, err, p.errors.String())
	}
	return a, err
}

// run runs the work n times and returns the last n times that it took.
func (p *process) run(n int) ([]float64, error) {
	if _, err := fmt.Fprintln(p.in, n); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", p.cmd.Path, err, p.errors.String())
	}
	a, err := p.read()
	if err != nil {
		return nil, err
	}
	if len(a.Seconds) != n {
		return nil, fmt.Errorf("%s: asked for %d runs, got %d", p.cmd.Path, n, len(a.Seconds))
	}
	p.seconds, p.cpu, p.peak = append(p.seconds, a.Seconds...), append(p.cpu, a.CPU...), a.Peak
	return a.Seconds, nil
}

// forget drops the times of the runs so far.
func (p *process) forget() { p.seconds, p.cpu = nil, nil }

// close ends the process.
func (p *process) close() error {
	err := p.in.Close()
	if e := p.cmd.Wait(); e != nil {
		err = fmt.Errorf("%s: %w\n%s", p.cmd.Path, e, p.errors.String())
	}
	return err
}
