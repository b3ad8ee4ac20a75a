package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler"
)

const shotCells = `import { conv_bn_relu, skip, zero, global_pool, linear } from "std/vision"
block edge = zero | skip | conv_bn_relu(kernel: 1) | conv_bn_relu(kernel: 3)
cell mixed(x) {
    node n[2] = sum(edge(prev))
    return n[1]
}
space tiny(image: [3, 8, 8], c = 4) -> [10] = image -> conv_bn_relu(out: c) -> mixed * 2 -> global_pool -> linear(out: 10)
`

// shots are one-shot methods that differ in what they call for and keep. The last
// relaxes the space anew on the way.
var shots = [][]string{
	{"--optimizer", "darts"},
	{"--optimizer", "darts2", "--set", "warmup=1"},
	{"--optimizer", "toy", "--set", "relax=2", "--set", "extra=2"},
}

// standardMethods are the methods of std/oneshot that are not among the shots.
func standardMethods(t *testing.T) (out [][]string) {
	m, diags := compiler.Load("tiny.nas", func(string) ([]byte, error) { return []byte(shotCells), nil })
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, name := range m.Methods() {
		if name != "darts" && name != "darts2" {
			out = append(out, []string{"--optimizer", name})
		}
	}
	return out
}

// trained adds up the epochs of the stages in a log.
func trained(log string) (epochs float64) {
	for _, m := range regexp.MustCompile(`"epochs":([0-9.]+)`).FindAllStringSubmatch(log, -1) {
		n, _ := strconv.ParseFloat(m[1], 64)
		epochs += n
	}
	return epochs
}

// shooting is a one-shot search of the toy supernet, of four epochs of six steps.
func shooting(t *testing.T, method []string, more ...string) (*killing, *exec.Cmd) {
	k := newKilling(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(k.dir), "tiny.nas"), []byte(shotCells), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"run", "tiny.nas", "--evaluator", "toy.net", "--budget", "4epochs", "--seed", "5", "-o", k.dir,
		"--set", "evaluator.file=" + k.noted, "--set", "sleep=3", "--report", "hash"}, method...)
	return k, k.command(append(args, more...)...)
}

// resumed goes on with a search; a plugin that runs from where it lies must be named
// again.
func resumed(k *killing, method []string) *exec.Cmd {
	args := []string{"resume", k.dir}
	if method[0] == "--plugin" {
		args = append(args, method[:2]...)
	}
	return k.command(args...)
}

// TestKillOneShot kills the host with SIGKILL at many moments of one-shot searches,
// and again while they are resumed: in the end the log, mixtures and reports included,
// is that of an undisturbed search byte for byte, and nothing is left behind.
func TestKillOneShot(t *testing.T) {
	methods := shots
	if !testing.Short() {
		methods = append(slices.Clone(shots), standardMethods(t)...)
	}
	for n, method := range methods {
		t.Run(strings.Join(method, " "), func(t *testing.T) {
			whole, search := shooting(t, method)
			best := whole.must(search)
			want := whole.log()
			all := len(whole.evaluated())
			if all < 12 || all > 24 || !strings.Contains(want, `"stage":{"mixture":[[`) {
				t.Fatalf("%d weight steps, want up to 24, and the log\n%s", all, want)
			}
			moments := 8 // of the first shots; the others keep the same kinds of things
			switch {
			case testing.Short():
				moments = 2
			case n >= len(shots):
				moments = 3
			}
			for i := range moments {
				at := 1 + (all-4)*i/moments
				t.Run(fmt.Sprint("step", at), func(t *testing.T) {
					t.Parallel()
					killTwice(t, method, at, i, whole, best)
				})
			}
		})
	}
}

// killTwice kills a search at a weight step, i milliseconds later or so, and again while
// it is resumed. In the end it has the log of the whole search, and its winner.
func killTwice(t *testing.T, method []string, at, i int, whole *killing, best string) {
	k, search := shooting(t, method)
	k.kill(search, at, time.Duration(i%5)*time.Millisecond)
	if _, err := os.Stat(filepath.Join(k.dir, "nasc.db")); err != nil {
		t.Fatal("a step was made before there was a run")
	}
	k.kill(resumed(k, method), len(k.evaluated())+2, time.Duration(i%3)*time.Millisecond)
	finished := trained(k.log())
	before := len(k.evaluated())
	again := k.must(resumed(k, method))
	if got, want := k.log(), whole.log(); got != want {
		t.Fatalf("killed at step %d: the log differs:\n%swant:\n%s", at, got, want)
	}
	if strings.ReplaceAll(again, k.dir, "") != strings.ReplaceAll(best, whole.dir, "") {
		t.Errorf("killed at step %d: the winner is\n%swant\n%s", at, again, best)
	}
	all := len(whole.evaluated())
	if steps := len(k.evaluated()) - before; float64(steps) > float64(all)-6*finished {
		t.Errorf("killed at step %d with %v epochs finished: %d more steps were made of %d", at, finished, steps, all)
	}
	if _, err := os.Stat(filepath.Join(k.dir, "unfinished")); err == nil {
		t.Error("what the evaluator has kept is left")
	}
	k.wait("nothing is left", func() bool { return len(k.processes()) == 0 && len(k.sockets()) == 0 })
}

// TestKillOneShotPlugin kills the evaluator, and then the optimizer, in the middle of a
// stage, and stops the optimizer: both go on from the last one, and the log is that of an undisturbed search.
func TestKillOneShotPlugin(t *testing.T) {
	for _, c := range []struct {
		method []string
		die    []string
	}{
		{shots[0], []string{"--set", "die=15"}},
		{shots[0], []string{"--set", "die=0"}},
		{shots[2], []string{"--set", "evaluator.die=15"}},
		{shots[2], []string{"--set", "optimizer.die=3", "--set", "optimizer.file=NOTED"}},
		{shots[2], []string{"--set", "optimizer.die=0", "--set", "optimizer.file=NOTED"}},
		{shots[2], []string{"--set", "optimizer.die=1", "--set", "optimizer.file=NOTED", "--set", "stop=true"}},
	} {
		t.Run(strings.Join(append(c.method[:2:2], c.die...), " "), func(t *testing.T) {
			t.Parallel()
			whole, search := shooting(t, c.method)
			whole.must(search)
			k, search := shooting(t, c.method, c.die...)
			search.Env = append(search.Env, "NASC_PULSE=1s")
			for i, a := range search.Args {
				search.Args[i] = strings.ReplaceAll(a, "NOTED", k.noted)
			}
			k.must(search)
			if got, want := k.log(), whole.log(); got != want {
				t.Errorf("the log differs:\n%swant:\n%s", got, want)
			}
			if !exists(k.noted + ".died") {
				t.Error("nothing died")
			}
		})
	}
}

// TestFatalStage: a stage of which the evaluator dies each time ends the search, which
// can be resumed and says what happened.
func TestFatalStage(t *testing.T) {
	k, search := shooting(t, shots[2], "--set", "fatal=8")
	var stderr strings.Builder
	search.Stderr = &stderr
	err := search.Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitMachine {
		t.Errorf("it ends with %v", err)
	}
	if text := stderr.String(); !strings.Contains(text, "error E0505") || !strings.Contains(text, "stage 1") {
		t.Errorf("it says\n%s", text)
	}
	if n := strings.Count(k.log(), `{"trial":`); n != 1 {
		t.Errorf("%d stages are in the log, want 1", n)
	}
}
