// Package torchtest lets tests compare nasc's engine with PyTorch: it finds a Python that
// has PyTorch, writes what the engine starts from, and runs the scripts of
// plugins/python/tests/engine on it.
package torchtest

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
)

// Python finds a Python with PyTorch that plugins can run in, first on the PATH; empty:
// there is none.
var Python = sync.OnceValue(func() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(python)
		if err == nil && exec.Command(path, "-c", "import torch, grpc, google.protobuf").Run() == nil {
			return path
		}
	}
	return ""
})

// Arrays are what a file holds, by name.
type Arrays struct {
	names []named
	data  []any
}

type named struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// Add adds an array of float32.
func (a *Arrays) Add(name string, shape []int, data any) {
	a.names, a.data = append(a.names, named{name, shape}), append(a.data, data)
}

// Write writes arrays to a file for a script, and what it has to know besides.
func (a *Arrays) Write(t testing.TB, file string, description map[string]any) {
	t.Helper()
	description["arrays"] = a.names
	if err := checkpoint.Write(file, description, a.data...); err != nil {
		t.Fatal(err)
	}
}

// Answers runs a script on the files of a folder, and returns what it prints: JSON, an
// answer for each file.
func Answers[A any](t testing.TB, script, folder string) map[string]A {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	cmd := exec.Command(Python(), filepath.Join(filepath.Dir(self), "..", "tests", "engine", script), folder)
	var complaint bytes.Buffer
	cmd.Stderr, cmd.Env = &complaint, append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	var got map[string]A
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// Need skips a test where there is no PyTorch.
func Need(t testing.TB) {
	t.Helper()
	if Python() == "" {
		t.Skip("no python3 has torch, grpcio and protobuf")
	}
}

// Distance is the largest difference of two lists, relative to the largest number of want
// if that is above 1.
func Distance(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	size, worst := 1.0, 0.0
	for i, w := range want {
		size = max(size, math.Abs(w))
		if d := math.Abs(got[i] - w); !(d <= worst) {
			worst = d
		}
	}
	return worst / size
}
