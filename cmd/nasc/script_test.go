package main

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nasc-project/nasc/plugins/python/torchtest"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

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

// torch puts the Python with PyTorch first on the PATH.
func torch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 || torchtest.Python() == "" {
		ts.Fatalf("usage: torch, where [torch] holds")
	}
	ts.Setenv("PATH", filepath.Dir(torchtest.Python())+string(os.PathListSeparator)+ts.Getenv("PATH"))
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
