//go:build unix

package packages

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// TestMain makes the test binary the plugin me/x as well.
func TestMain(m *testing.M) {
	if os.Getenv(wire.CookieKey) == "" {
		os.Exit(m.Run())
	}
	sdk.Serve(sdk.Plugin{Name: "me/x", Version: "0.1.0", Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(
		sdk.EvaluatorInfo{Name: "x", Metrics: []sdk.Metric{{Name: "score"}}},
		func(sdk.Env, struct{}) (sdk.Evaluator, error) { return itself{}, nil })}})
}

// itself tells what the process knows of its program.
type itself struct{}

func (itself) Facts() map[string]string {
	path, err := os.Executable()
	return map[string]string{"executable": path, "error": fmt.Sprint(err), "name": os.Args[0]}
}

func (itself) Evaluate(context.Context, sdk.Candidate, func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	return sdk.ValidationMetrics{}, errors.New("it judges nothing")
}

// packaged is a package of the test binary, and the file that another program would leave
// which says that it has run.
func packaged(t *testing.T, command string) (p *Package, c host.Command, other, ran string) {
	t.Helper()
	dir := folder(t, map[string]string{DescriptionFile: `{"name": "me/x", "version": "0.1.0", "protocol": 1, "command": ` + command + `}`,
		"main.sh": "exec \"$(dirname \"$0\")/run\"\n"})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFile(self, filepath.Join(dir, "run")); err != nil {
		t.Fatal(err)
	}
	if p, err = Read(dir); err != nil {
		t.Fatal(err)
	}
	hash, err := Hash(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = p.command(hash); err != nil {
		t.Fatal(err)
	}
	aside := t.TempDir()
	other, ran = filepath.Join(aside, "other"), filepath.Join(aside, "ran")
	if err := os.WriteFile(other, []byte("#!/bin/sh\necho >"+ran+"\nexec "+self+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return p, c, other, ran
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

func start(t *testing.T, c host.Command) (*host.Plugin, error) {
	t.Helper()
	h := host.New(host.Options{Commands: map[string]host.Command{"me/x": c}})
	t.Cleanup(h.Close)
	return h.Start(t.Context(), "me/x")
}

// TestVerifiedStart: a package that is as it was locked starts, and its program knows where
// it lies.
func TestVerifiedStart(t *testing.T) {
	for _, command := range []string{`["./run"]`, `["sh", "./main.sh"]`} {
		p, c, _, _ := packaged(t, command)
		plugin, err := start(t, c)
		if err != nil {
			t.Fatal(err)
		}
		e, err := plugin.Evaluator(t.Context(), host.EvaluatorConfig{})
		if err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(p.Dir, "run")
		if f := e.Facts(); f["executable"] != want || f["name"] != want {
			t.Errorf("%s: it is called %v", command, f)
		}
	}
}

// TestSwapped: what somebody does to a package between the look at its hash and the start of
// its process is noticed, and a program that is not the one that was looked at does not
// run, where programs can be executed by an open file.
func TestSwapped(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		swap    func(program, other string) error
		runs    bool // for a moment
	}{
		"renamed over": {`["./run"]`, func(program, other string) error { return os.Rename(other, program) }, false},
		"renamed and back": {`["./run"]`, func(program, other string) error {
			return errors.Join(os.Rename(program, program+"2"), os.Rename(other, program), os.Rename(program, other), os.Rename(program+"2", program))
		}, false},
		"written to": {`["./run"]`, func(program, other string) error { return copyFile(other, program) }, true},
		"appended to": {`["./run"]`, func(program, _ string) error {
			f, err := os.OpenFile(program, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		}, false},
		"called by a script": {`["sh", "./main.sh"]`, func(program, other string) error { return os.Rename(other, program) }, true},
		"removed":            {`["sh", "./main.sh"]`, func(program, _ string) error { return os.Remove(program) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, command, other, ran := packaged(t, c.command)
			verify := command.Verify
			command.Verify = func() (*host.Verified, error) {
				v, err := verify()
				return v, errors.Join(err, c.swap(filepath.Join(p.Dir, "run"), other))
			}
			_, err := start(t, command)
			if code(err) != Tampered {
				t.Errorf("it starts, or fails with %v", err)
			}
			if _, err := os.Stat(ran); runtime.GOOS == "linux" && errors.Is(err, fs.ErrNotExist) == c.runs {
				t.Errorf("that the other program has run is %v, not %v", err == nil, c.runs)
			}
		})
	}
}
