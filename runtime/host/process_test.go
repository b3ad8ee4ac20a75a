package host

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nasc-project/nasc/plugins/wire"
)

// within waits until something holds; a minute is far more than it may take.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("still not so: %s", what)
}

// runHost is a host that starts two plugins, tells about them and waits to be
// killed.
func runHost() {
	ctx := context.Background()
	h := New(Options{Commands: commands("nasc/evolution", "test/evaluator")})
	o, err := h.Start(ctx, "nasc/evolution")
	if err != nil {
		panic(err)
	}
	p, err := h.Start(ctx, "test/evaluator")
	if err != nil {
		panic(err)
	}
	proc := p.proc
	e, err := p.Evaluator(ctx, EvaluatorConfig{Settings: wire.Settings{"child": true, "slow": true}})
	if err != nil {
		panic(err)
	}
	fmt.Println(o.proc.runner.ID(), o.proc.home.dir)
	fmt.Println(proc.runner.ID(), proc.home.dir)
	fmt.Println(e.Facts()["child"], proc.home.dir)
	e.Evaluate(ctx, trial(0, 0), nil)
}

func TestHostIsKilled(t *testing.T) {
	tmp, err := os.MkdirTemp("/tmp", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), hostKey+"=1", "TMPDIR="+tmp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 3 && lines.Scan(); {
		pid, home, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(home); err != nil || gone(n) {
			t.Errorf("process %d or its folder is not there: %v", n, err)
		}
		pids = append(pids, n)
	}
	if len(pids) != 3 {
		t.Fatalf("only %d processes", len(pids))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for _, pid := range pids {
		within(t, fmt.Sprintf("process %d is gone", pid), func() bool { return gone(pid) })
	}
	within(t, "the sockets are gone", func() bool {
		left, err := os.ReadDir(tmp)
		return err == nil && len(left) == 0
	})
}

func TestHomesLeftBehindAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", shortTemp(t))
	left, err := newHome()
	if err != nil {
		t.Fatal(err)
	}
	used, err := newHome()
	if err != nil {
		t.Fatal(err)
	}
	left.lock.Close() // as when its host is killed
	sweepHomes()
	if _, err := os.Stat(left.dir); err == nil {
		t.Error("a folder that was left behind is still there")
	}
	if info, err := os.Stat(used.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder in use: %v, %v", info, err)
	}
	used.remove()
}

// shortTemp is a temporary folder whose name leaves room for a socket.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestCloseLeavesNothing(t *testing.T) {
	tmp := shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, wire.Settings{"child": true})
	p := start(t, h, "nasc/random")
	child, err := strconv.Atoi(e.Facts()["child"])
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 2 {
		t.Errorf("%d folders, %v", len(entries), err)
	}
	pids := []int{child}
	for _, id := range []string{e.session.at.proc.runner.ID(), p.proc.runner.ID()} {
		pid, _ := strconv.Atoi(id)
		pids = append(pids, pid)
	}
	h.Close()
	for _, pid := range pids {
		within(t, "the process is gone", func() bool { return gone(pid) })
	}
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 0 {
		t.Errorf("%v left, %v", entries, err)
	}
	if _, err := h.Start(t.Context(), "nasc/random"); err == nil {
		t.Error("a closed host started a plugin")
	}
}

func TestChildrenOfADeadPlugin(t *testing.T) {
	e := newEvaluator(t, newTestHost(t, Options{}), wire.Settings{"child": true})
	child, err := strconv.Atoi(e.Facts()["child"])
	if err != nil {
		t.Fatal(err)
	}
	killProcess(t, e.session)
	within(t, "what the plugin had started is gone", func() bool { return gone(child) })
}

func TestLongTemporaryFolder(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	start(t, newTestHost(t, Options{}), "nasc/random")
}

func TestEnvironment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("PLUGIN_CLIENT_CERT", "of an outer host")
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("NASC_DATA", "/data") // where evaluators look for data sets
	h := newTestHost(t, Options{})
	e := newEvaluator(t, h, wire.Settings{"env": "LC_ALL"})
	if e.Facts()["env"] != "C.UTF-8" {
		t.Error("an allowed variable is not there")
	}
	for _, entry := range strings.Split(e.Facts()["all"], "\n") {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, "PLUGIN_") || strings.HasPrefix(key, "NASC_") && key != "NASC_DATA" || strings.Contains(entry, "secret") {
			t.Errorf("plugin code sees %s", key)
		}
	}
}

func TestBadStarts(t *testing.T) {
	all := []string{"bad/exits", "bad/babbles", "bad/protocol", "bad/netrpc", "bad/elsewhere", "bad/nameless", "bad/impostor", "bad/odd_default", "bad/large"}
	c := commands(all...)
	c["bad/missing"] = Command{Path: "/nowhere/plugin"}
	for i, test := range []struct{ name, code, want string }{
		{"bad/exits", CannotStart, "cannot find libtorch.so"},
		{"bad/exits", CannotStart, "the plugin ended before it was ready"},
		{"bad/exits", CannotStart, "exit status 3"},
		{"bad/babbles", CannotStart, "zzz"},
		{"bad/missing", CannotStart, "no such file"},
		{"bad/protocol", WrongProtocol, "Plugin version: 99"},
		{"bad/netrpc", WrongProtocol, "netrpc"},
		{"bad/elsewhere", CannotStart, "outside of its folder"},
		{"bad/nameless", BadAnswer, "name and version"},
		{"bad/impostor", BadAnswer, "it calls itself nasc/evolution"},
		{"bad/odd_default", BadAnswer, "its default is not of type int"},
		{"bad/large", CannotStart, "larger than max"},
	} {
		h := newTestHost(t, Options{Commands: c})
		_, err := h.Start(t.Context(), test.name)
		if err == nil {
			t.Errorf("%d: %s started", i, test.name)
			continue
		}
		fails(t, err, test.code, test.want, "source: "+test.name)
	}
}

func TestSlowStarts(t *testing.T) {
	for _, name := range []string{"bad/mute", "bad/hangs"} {
		h := newTestHost(t, Options{Commands: commands(name), StartTimeout: time.Second})
		_, err := h.Start(t.Context(), name)
		fails(t, err, TooSlow, "did not start within 1s")
	}
	h := newTestHost(t, Options{Commands: commands("bad/mute")})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := h.Start(ctx, "bad/mute"); err != context.DeadlineExceeded {
		t.Errorf("cancelled start: %v", err)
	}
}

// syncBuffer is written to by several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestFloods(t *testing.T) {
	var log syncBuffer
	h := newTestHost(t, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	e := newEvaluator(t, h, wire.Settings{"print": int64(1 << 20)})
	if got, want := judge(t, e, 2), "0; 1.1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h.Close()
	text := log.String()
	if !strings.Contains(text, "xxxx…") || !strings.Contains(text, `@level`) {
		t.Error("the log lacks what was printed")
	}
	if len(text) > 1<<20 {
		t.Errorf("the log has %d bytes", len(text))
	}
}

func TestJournal(t *testing.T) {
	var log syncBuffer
	j := newJournal(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.LevelWarn)
	s := j.stream()
	fmt.Fprint(s, `{"@level":"error","@message":"half`)
	fmt.Fprint(s, ` and half","epoch":3,"@module":"m"}`+"\nplain\x1b[31m\n")
	for range 3000 {
		fmt.Fprintln(s, strings.Repeat("f", 1000))
	}
	s.flush()
	text := log.String()
	for _, want := range []string{`level=WARN msg="half and half" epoch=3`, "level=DEBUG msg=\"plain", "output of the plugin dropped"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if len(text) > 2*logBurst {
		t.Errorf("%d bytes were logged", len(text))
	}
	if w := j.words(); len(w) != tailLines {
		t.Errorf("%d last words", len(w))
	}
}
