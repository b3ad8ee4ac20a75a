package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nasc-project/nasc/plugins/builtin"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// TestMain makes the test binary a nasc with three more plugins, which scripts and
// the kill tests run as real processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nasc": func() {
		builtins.names = func() []string { return append(builtin.Names(), "hash", "pooled", "toy") }
		builtins.plugin = func(name string) (sdk.Plugin, bool) {
			switch name {
			case "hash", "pooled":
				return hashPlugin(name), true
			case "toy":
				return toyPlugin(), true
			}
			return builtin.Plugin(name)
		}
		os.Exit(run())
	}})
}

// TestScripts runs testdata/script: every command, every bad input.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    code,
			"tmpfs":   tmpfs,
			"garbage": garbage,
			"nested":  nested,
			"await":   await,
			"cells":   cells,
			"sql":     edit,
			"build":   build,
		},
		Condition: func(name string) (bool, error) {
			return name == "mount" && mountable() || name == "data" && benchmarks() != "" || name == "python" && pythonic(), nil
		},
		Setup: func(e *testscript.Env) error {
			repo, err := filepath.Abs(filepath.Join("..", ".."))
			e.Setenv("REPO", repo)
			e.Setenv("PLATFORM", runtime.GOOS+"_"+runtime.GOARCH)
			e.Setenv("DATA", benchmarks())
			return err
		},
	})
}

// TestPanic: a bug in nasc is one sentence and exit code 3, never a trace.
func TestPanic(t *testing.T) {
	names, args, stderr := builtins.names, os.Args, os.Stderr
	defer func() { builtins.names, os.Args, os.Stderr = names, args, stderr }()
	t.Setenv("NASC_DEBUG", "")
	out, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	builtins.names = func() []string { panic("boom") }
	os.Args, os.Stderr = []string{"nasc", "plugin", "list"}, out
	code := run()
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	if code != exitMachine || !strings.Contains(string(text), "internal error: boom") || strings.Contains(string(text), "goroutine") {
		t.Errorf("exit code %d, %q", code, text)
	}
}

// code N nasc args… runs a command that must exit with N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// pythonic reports whether there is a Python that plugins in Python can be tested with.
func pythonic() bool {
	return exec.Command("python3", "-c", "import grpc, google.protobuf, pytest").Run() == nil
}

// mountable reports whether file systems can be mounted here.
func mountable() bool {
	dir, err := os.MkdirTemp("", "mount")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if exec.Command("mount", "-t", "tmpfs", "tmpfs", dir).Run() != nil {
		return false
	}
	return exec.Command("umount", dir).Run() == nil
}

// tmpfs SIZE DIR mounts a small file system.
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs SIZE DIR")
	}
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[0], "tmpfs", dir).CombinedOutput(); err != nil {
		ts.Fatalf("%v %s", err, out)
	}
	ts.Defer(func() { _ = exec.Command("umount", dir).Run() })
}

// benchmarks is the folder with tables of real benchmarks, empty where there is none.
func benchmarks() string {
	for _, dir := range []string{os.Getenv("NASC_DATA"), filepath.Join("..", "..", "..", "shared", "data")} {
		abs, err := filepath.Abs(dir)
		if _, missing := os.Stat(filepath.Join(abs, "nasbench201.csv.gz")); dir != "" && err == nil && missing == nil {
			return abs
		}
	}
	return ""
}

// cells FILE writes a table of made-up results of all of NAS-Bench-201, in which an
// architecture is as good as it has convolutions, early ones counting more.
func cells(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cells FILE")
	}
	var b strings.Builder
	b.WriteString("arch,cifar10_valid_epoch_s,cifar10_valid_12,cifar10_test_200,cifar100_test_200,imagenet16_test_200\n")
	for i := range nasbench201.Architectures {
		a := nasbench201.At(i)
		good := 0.0
		for e, op := range a {
			if op == nasbench201.Conv3x3 {
				good += 1 / float64(e+2)
			}
		}
		fmt.Fprintf(&b, "%s,10,%.5f,%.5f,%.5f,%.5f\n", a, 60+10*good, 70+10*good, 40+10*good, 20+10*good)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

// await FILE waits until a file exists.
func await(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not appear", args[0])
		}
	}
}

// garbage FILE writes bytes that are no text.
func garbage(ts *testscript.TestScript, neg bool, args []string) {
	b := make([]byte, 4096)
	for i := range b {
		b[i] = byte(i*i*31 + i*7 + i>>3)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// sql LOG STATEMENTS changes the log of a folder, as nasc never would.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql LOG STATEMENTS")
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(err)
	ts.Check(db.Close())
}

// nested N FILE writes a space with N brackets around its result.
func nested(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := "space s(image: [3, 8, 8]) = " + strings.Repeat("(", n) + "image" + strings.Repeat(")", n) + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

// hashParameters configure the test's evaluator.
type hashParameters struct {
	File  string `default:"" doc:"appended to: the number of every trial that is evaluated"`
	Sleep int    `default:"0" min:"0" doc:"milliseconds that an evaluation takes"`
	Limit int    `default:"0" min:"0" doc:"more parameters than this fail; 0: no limit"`
	Die   int    `default:"-1" doc:"the trial at which the process kills itself, once; needs file"`
}

// hashPlugin is an evaluator whose accuracy is a hash of the graph: cheap,
// deterministic, and without any knowledge of spaces. Called pooled, one process of it
// serves many searches.
func hashPlugin(name string) sdk.Plugin {
	percent := func(name string) []sdk.Metric {
		return []sdk.Metric{{Name: name, Unit: "%", HigherIsBetter: true}}
	}
	return sdk.Plugin{Name: "nasc/" + name, Version: "1.0.0", Doc: "An evaluator for tests.", Evaluators: []sdk.EvaluatorSpec{
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "hash", Doc: "A hash of the graph.",
			Metrics:     append(percent("accuracy"), sdk.Metric{Name: "speed_pixel_1", Unit: "ms"}),
			TestMetrics: percent("accuracy"), Deterministic: true, Shared: name == "pooled"},
			func(_ sdk.Env, p hashParameters) (sdk.Evaluator, error) { return hashEvaluator{p}, nil }),
	}}
}

type hashEvaluator struct{ p hashParameters }

func (h hashEvaluator) Evaluate(ctx context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	select {
	case <-ctx.Done():
		return sdk.ValidationMetrics{}, ctx.Err()
	case <-time.After(time.Duration(h.p.Sleep) * time.Millisecond):
	}
	if h.p.Limit > 0 && c.Graph.Params() > int64(h.p.Limit) {
		return sdk.ValidationMetrics{}, fmt.Errorf("%d parameters are too many", c.Graph.Params())
	}
	if h.p.File != "" {
		if err := h.note(c.Number); err != nil {
			return sdk.ValidationMetrics{}, err
		}
	}
	return sdk.ValidationMetrics{Values: map[string]float64{"accuracy": score(c, 0), "speed_pixel_1": score(c, 4) / 10}, SimulatedSeconds: 1.5, Epochs: 1}, nil
}

func (h hashEvaluator) Test(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.TestMetrics, error) {
	return sdk.TestMetrics{Values: map[string]float64{"accuracy": score(c, 8)}}, nil
}

func score(c sdk.Candidate, from int) float64 {
	digest := c.Graph.Hash()
	return float64(binary.LittleEndian.Uint64(digest[from:])%10000) / 100
}

// note writes the trial down, and ends the process where it is told to.
func (h hashEvaluator) note(number int64) error {
	died := h.p.File + ".died"
	if _, err := os.Stat(died); err != nil && number == int64(h.p.Die) {
		if err := os.WriteFile(died, nil, 0o644); err != nil {
			return err
		}
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
	}
	f, err := os.OpenFile(h.p.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, number)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

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

// studyFile is a study of three methods.
const studyFile = `import { nasbench201 } from "./spaces/nasbench201/nasbench201.nas"
import plugin "nasc/evolution" as evolution
import plugin "nasc/local" as local
import plugin "nasc/random" as random
import plugin "nasc/%s" as judge

search methods over nasbench201 {
    optimizer = random | evolution(population: 4, sample: 2) | local
    evaluator = judge(sleep: %d, file: %q)
    budget    = evaluations(25)
    seed      = 0..2
    maximize accuracy
}
`

// TestStudyLogs: each run of a study has the log of the same search alone, however
// many searches go on at once, whether they share a process, and however often the
// study is killed and resumed.
func TestStudyLogs(t *testing.T) {
	whole := newKilling(t)
	dir := filepath.Dir(whole.dir)
	write := func(name, plugin string, sleep int) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, fmt.Appendf(nil, studyFile, plugin, sleep, whole.noted), 0o644); err != nil {
			t.Fatal(err)
		}
		return name // below the working folder, from where shipped spaces are found as well
	}
	study := write("pooled.nas", "pooled", 0)
	var want []string
	for _, optimizer := range []string{"random", "evolution", "local"} {
		for seed := range 3 {
			alone := filepath.Join(dir, fmt.Sprint(optimizer, seed))
			args := []string{"run", study, "--optimizer", optimizer, "--seed", strconv.Itoa(seed), "-o", alone}
			if optimizer == "evolution" {
				args = append(args, "--set", "population=4", "--set", "sample=2")
			}
			whole.must(whole.command(args...))
			want = append(want, whole.must(whole.command("show", "--log", alone)))
		}
	}
	check := func(t *testing.T, what, at string) {
		t.Helper()
		for i := range want {
			if got := whole.must(whole.command("show", "--log", filepath.Join(at, strconv.Itoa(i+1)))); got != want[i] {
				t.Errorf("%s: run %d has the log\n%salone it is\n%s", what, i+1, got, want[i])
			}
		}
	}
	for _, n := range []string{"1", "4", "9"} {
		at := filepath.Join(dir, "at"+n)
		whole.must(whole.command("run", study, "--searches", n, "-o", at))
		check(t, n+" searches at once", at)
	}
	own := write("own.nas", "hash", 0)
	whole.must(whole.command("run", own, "--searches", "3", "-o", filepath.Join(dir, "own")))
	check(t, "a process for each", filepath.Join(dir, "own"))

	moments := 5
	if testing.Short() {
		moments = 2
	}
	slow := write("slow.nas", "pooled", 12) // more than what is waited for
	for i := range moments {
		k := *whole
		k.dir = filepath.Join(dir, fmt.Sprint("killed", i))
		_ = os.Remove(k.noted)
		k.kill(k.command("run", slow, "--searches", "3", "-o", k.dir), 10+i*25, time.Duration(i)*time.Millisecond)
		again := len(k.evaluated())
		k.kill(k.command("resume", k.dir, "--searches", "9"), again+5, 0)
		k.must(k.command("resume", k.dir))
		check(t, fmt.Sprint("killed after ", 10+i*25, " evaluations"), k.dir)
		if n := len(k.evaluated()); n > len(want)*25+2*9 {
			t.Errorf("%d evaluations of %d trials: finished ones were evaluated again", n, len(want)*25)
		}
	}
}

// build DIR builds the project of a plugin that `nasc plugin new` has written, and runs
// its test: with nasc's own requirements, so that nothing has to be fetched.
func build(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: build DIR")
	}
	dir, repo := ts.MkAbs(args[0]), ts.Getenv("REPO")
	module, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	ts.Check(err)
	sums, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	ts.Check(err)
	_, rest, _ := strings.Cut(string(module), "\n")
	own := "module me/" + filepath.Base(dir) + "\n" + rest +
		"\nrequire github.com/nasc-project/nasc v0.1.0\nreplace github.com/nasc-project/nasc => " + filepath.ToSlash(repo) + "\n"
	ts.Check(os.WriteFile(filepath.Join(dir, "go.mod"), []byte(own), 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644))
	for _, command := range [][]string{{"vet", "./..."}, {"test", "./..."}, {"build", "-o", filepath.Base(dir), "."}} {
		c := exec.Command("go", command...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
		if out, err := c.CombinedOutput(); err != nil {
			ts.Fatalf("go %s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
}
