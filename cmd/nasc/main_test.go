package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nasc-project/nasc/plugins/builtin"
	"github.com/nasc-project/nasc/plugins/python/torchtest"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestMain makes the test binary a nasc with three more plugins, which scripts and
// the kill tests run as real processes, and a plugin that does what none should.
func TestMain(m *testing.M) {
	programs["nasc"] = func() {
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
	}
	testscript.Main(m, programs)
}

// programs are what the test binary can be, by name.
var programs = map[string]func(){}

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
			"torch":   torch,
		},
		Condition: func(name string) (bool, error) {
			return name == "mount" && mountable() || name == "data" && benchmarks() != "" || name == "python" && pythonic() ||
				name == "torch" && torchtest.Python() != "", nil
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
