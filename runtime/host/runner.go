package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nasc-project/nasc/plugins/wire"
)

// runner is go-plugin's view of the process. It differs from the one that comes
// with go-plugin in what it keeps away from it:
//
//   - The process heads a group of its own and ends with the host; when it ends,
//     so does the rest of the group, and what has left it, where that can be found; what
//     cannot ends with the last plugin (orphans_linux.go).
//   - Of standard output go-plugin sees the handshake and nothing else, of
//     standard error nothing: both go to the log, line by line and bounded. (Its
//     own reader stops at a line of 64 KB, which blocks the plugin, and panics on
//     JSON whose level is not a string.)
//   - The environment holds what is allowed and the handshake's variables.
//   - The only address that it may hand out is a socket inside its own home.
type runner struct {
	cmd  *exec.Cmd
	out  *logStream
	log  *logStream
	home string
	gone atomic.Bool // the process has ended and its number may be another's

	mu     sync.Mutex // held while the process starts
	killed bool

	stdout  *io.PipeReader
	stderr  *io.PipeReader
	stdoutW *io.PipeWriter
	stderrW *io.PipeWriter
	ended   chan struct{} // closed when the process has ended and its output is read
	err     error         // how it ended; set before ended is closed
}

func newRunner(c Command, v *Verified, home string, j *journal) *runner {
	r := &runner{out: j.printed(), log: j.stream(), home: home, ended: make(chan struct{})}
	r.stdout, r.stdoutW = io.Pipe()
	r.stderr, r.stderrW = io.Pipe()
	r.cmd = exec.Command(c.Path, c.Args...)
	if v != nil && v.Program != nil && machineCode(v.Program) {
		r.cmd.Path = held(v.Program)
	}
	r.cmd.Env = append(allowed(os.Environ()), wire.HostPidKey+"="+strconv.Itoa(os.Getpid()), wire.SocketHomeKey+"="+home)
	r.cmd.Env = append(r.cmd.Env, c.Env...)
	separate(r.cmd)
	return r
}

// allowed are the entries of an environment that a plugin may see.
func allowed(environ []string) []string {
	var out []string
	for _, entry := range environ {
		key, _, _ := strings.Cut(entry, "=")
		for _, pattern := range hostEnv {
			prefix, open := strings.CutSuffix(pattern, "*")
			if strings.EqualFold(key, pattern) || open && strings.HasPrefix(key, prefix) {
				out = append(out, entry)
				break
			}
		}
	}
	return out
}

// Start starts the process. The thread that does lives as long as the process:
// Linux takes the end of that thread for the end of the host.
func (r *runner) Start(context.Context) error {
	outR, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		outR.Close()
		outW.Close()
		return err
	}
	r.cmd.Stdout, r.cmd.Stderr = outW, errW
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := r.launch()
		outW.Close()
		errW.Close()
		started <- err
		if err != nil {
			outR.Close()
			errR.Close()
			return
		}
		var pumps sync.WaitGroup
		pumps.Go(func() { r.pumpStdout(outR) })
		pumps.Go(func() { io.Copy(r.log, errR) })
		err = await(r.cmd, &r.gone)
		endMarked(r.home)
		children.waited(r.pid())
		// A process that left the group may still hold the pipes.
		shut := time.AfterFunc(200*time.Millisecond, func() { outR.Close(); errR.Close() })
		pumps.Wait()
		shut.Stop()
		outR.Close()
		errR.Close()
		r.out.flush()
		r.log.flush()
		r.err = err
		close(r.ended)
		r.stdoutW.Close()
		r.stderrW.Close()
	}()
	return <-started
}

// launch starts the process unless it was killed before it began.
func (r *runner) launch() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return context.Canceled
	}
	return children.start(r.cmd)
}

// handshake is the line by which go-plugin learns the address.
var handshake = regexp.MustCompile(`^\d{1,9}\|\d{1,9}\|[^|]*\|[^|]*(\||$)`)

// pumpStdout hands the handshake on and logs everything else.
func (r *runner) pumpStdout(out io.Reader) {
	in := bufio.NewReaderSize(out, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		if err == nil && handshake.Match(line) {
			if _, err := r.stdoutW.Write(line); err != nil {
				break
			}
			break
		}
		r.out.Write(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
	io.Copy(r.out, in)
}

func (r *runner) Stdout() io.ReadCloser { return r.stdout }
func (r *runner) Stderr() io.ReadCloser { return r.stderr }
func (r *runner) Name() string          { return r.cmd.Args[0] }

// pid is the number of the process, which has started.
func (r *runner) pid() int { return r.cmd.Process.Pid }

func (r *runner) ID() string {
	if r.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(r.cmd.Process.Pid)
}

// Wait returns when the process has ended.
func (r *runner) Wait(context.Context) error {
	<-r.ended
	return r.err
}

// Kill ends the process with its group, and returns when it has ended.
func (r *runner) Kill(context.Context) error {
	r.mu.Lock()
	r.killed = true
	r.mu.Unlock()
	if r.cmd.Process == nil {
		return nil
	}
	if !r.gone.Load() {
		all := below(r.cmd.Process.Pid)
		killGroup(r.cmd)
		endBelow(all)
	}
	select {
	case <-r.ended:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("process %s cannot be killed", r.ID())
	}
}

// Diagnose adds nothing: the last words of the process are in the log.
func (r *runner) Diagnose(context.Context) string { return "" }

// PluginToHost accepts a socket inside the home, and on Windows a local port.
func (r *runner) PluginToHost(network, address string) (string, string, error) {
	switch {
	case network == "unix" && strings.HasPrefix(filepath.Clean(address), r.home+string(filepath.Separator)):
		return network, filepath.Clean(address), nil
	case network == "tcp" && runtime.GOOS == "windows" && strings.HasPrefix(address, "127.0.0.1:"):
		return network, address, nil
	}
	return "", "", fmt.Errorf("the plugin listens at %s %s, outside of its folder", network, tidy(address, 200))
}

// HostToPlugin leaves addresses as they are: both sides see the same files.
func (r *runner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
