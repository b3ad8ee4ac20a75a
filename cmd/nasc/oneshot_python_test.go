package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// snakeShot is a one-shot optimizer in Python with a component of its own that remembers
// something.
const snakeShot = `import sys
sys.path.insert(0, %q)
import nasc_plugin as nasc
from nasc_plugin import oneshot


class Momentum(oneshot.Update):
    """along the mean of past gradients"""

    name = "momentum"
    share = nasc.real(0.9, min=0, max=1, doc="of the past")

    def begin(self, p):
        self.past = [[0.0] * len(v) for v in p]

    def step(self, p, grad):
        for x, g, past in zip(p, grad, self.past):
            for k, v in enumerate(g):
                past[k] = self.share * past[k] + v
                x[k] -= 0.1 * past[k]

    def save(self):
        return self.past

    def load(self, state):
        self.past = state


c = oneshot.standard()
c.updates.add(Momentum)
nasc.serve(nasc.Plugin("me/snake", "0.1.0", "One-shot search.", [c.optimizer("shot", "One-shot search.")]))
`

// pythonShots are methods of a plugin in Python.
func pythonShots(t *testing.T) [][]string {
	t.Helper()
	if !pythonic() {
		t.Skip("python3 has no grpcio, protobuf and pytest")
	}
	source, err := filepath.Abs(filepath.Join("..", "..", "plugins", "python", "src"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.py":     fmt.Sprintf(snakeShot, source),
		"plugin.json": `{"name": "me/snake", "version": "0.1.0", "protocol": 1, "platform": "any", "command": ["python3", "-B", "./main.py"], "unencrypted": true}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	own := []string{"--plugin", "me/snake=" + dir, "--optimizer", "me/snake"}
	with := func(settings ...string) (method []string) {
		method = slices.Clone(own)
		for _, s := range settings {
			method = append(method, "--set", s)
		}
		return method
	}
	return [][]string{with(), with("relax=gumbel", "update=momentum", "weights_first=true"), with("relax=concrete", "order=second", "edge_norm=true")}
}

// TestKillOneShotPython: a one-shot search by an optimizer in Python that is killed with
// SIGKILL, twice, has the log of an undisturbed one.
func TestKillOneShotPython(t *testing.T) {
	for n, method := range pythonShots(t) {
		t.Run(strings.Join(method[4:], " "), func(t *testing.T) {
			whole, search := shooting(t, method)
			best := whole.must(search)
			moments := []int{1, 8, 14, 20}
			if testing.Short() || n > 0 {
				moments = []int{11}
			}
			for i, at := range moments {
				t.Run(fmt.Sprint("step", at), func(t *testing.T) {
					t.Parallel()
					killTwice(t, method, at, i, whole, best)
				})
			}
		})
	}
}

// TestKillPythonOptimizer kills the process of the optimizer in the middle of a stage:
// another one goes on from the last, with the same log.
func TestKillPythonOptimizer(t *testing.T) {
	method := pythonShots(t)[1]
	whole, search := shooting(t, method)
	whole.must(search)
	k, search := shooting(t, method)
	if err := search.Start(); err != nil {
		t.Fatal(err)
	}
	k.wait("two stages are over", func() bool { return len(k.evaluated()) >= 15 })
	killed := 0
	for _, pid := range k.processes() {
		if line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); err == nil && strings.Contains(string(line), "main.py") {
			if p, err := os.FindProcess(pid); err == nil && p.Kill() == nil {
				killed++
			}
		}
	}
	if killed == 0 {
		t.Error("nothing was killed")
	}
	if err := search.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := k.log(), whole.log(); got != want {
		t.Errorf("the log differs:\n%swant:\n%s", got, want)
	}
	if again := len(k.evaluated()); again <= len(whole.evaluated()) {
		t.Errorf("%d weight steps were made, none of them again", again)
	}
	k.wait("nothing is left", func() bool { return len(k.processes()) == 0 && len(k.sockets()) == 0 })
}

// TestPythonOneShotIsInterrupted: Ctrl-C ends a search while its optimizer in Python waits
// for a reply, and leaves a run that can be resumed.
func TestPythonOneShotIsInterrupted(t *testing.T) {
	method := pythonShots(t)[0]
	k, search := shooting(t, method)
	if err := search.Start(); err != nil {
		t.Fatal(err)
	}
	k.wait("a stage is over", func() bool { return len(k.evaluated()) >= 9 })
	begun := time.Now()
	if err := search.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = search.Wait()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
	k.wait("no process stays behind", func() bool { return len(k.processes()) == 0 })
	k.must(resumed(k, method))
	whole, search := shooting(t, method)
	whole.must(search)
	if got, want := k.log(), whole.log(); got != want {
		t.Errorf("the log differs:\n%swant:\n%s", got, want)
	}
}
