package table

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph/graphtest"
	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/official"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// data finds published files and tables: in $NASC_DATA or beside the repository.
func data(t testing.TB, name string) string {
	t.Helper()
	dirs := []string{os.Getenv(DataEnv)}
	for up := ".."; len(up) < 30; up = filepath.Join(up, "..") {
		dirs = append(dirs, filepath.Join(up, "shared", "data"))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil && dir != "" {
			return filepath.Join(dir, name)
		}
	}
	t.Skipf("%s is neither in $NASC_DATA nor in ../shared/data", name)
	return ""
}

// imports are the files that this run of the tests has imported.
var imports struct {
	sync.Mutex
	dir  string
	made map[string]string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if imports.dir != "" {
		os.RemoveAll(imports.dir)
	}
	os.Exit(code)
}

// imported is the file that an import makes, made once.
func imported(t testing.TB, kind string, names ...string) string {
	t.Helper()
	var paths []string
	for _, name := range names {
		paths = append(paths, data(t, name))
	}
	return importedFrom(t, kind, paths...)
}

func importedFrom(t testing.TB, kind string, paths ...string) string {
	t.Helper()
	imports.Lock()
	defer imports.Unlock()
	key := kind + " " + strings.Join(paths, " ")
	if out, ok := imports.made[key]; ok {
		return out
	}
	if imports.dir == "" {
		var err error
		if imports.dir, err = os.MkdirTemp("", "nasc-table-test-"); err != nil {
			t.Fatal(err)
		}
		imports.made = map[string]string{}
	}
	out := filepath.Join(imports.dir, fmt.Sprintf("%d.nasb", len(imports.made)))
	if _, err := official.Import(context.Background(), kind, paths, out, nil); err != nil {
		t.Fatal(err)
	}
	imports.made[key] = out
	return out
}

// settings are the defaults with some of them changed.
func settings(path string, change ...func(*Settings)) Settings {
	s := Settings{Data: path, Split: "valid", Seed: mean}
	for _, c := range change {
		c(&s)
	}
	return s
}

func on(dataset string) func(*Settings)  { return func(s *Settings) { s.Dataset = dataset } }
func after(epochs int) func(*Settings)   { return func(s *Settings) { s.Epochs = epochs } }
func of(schedule int) func(*Settings)    { return func(s *Settings) { s.Schedule = schedule } }
func seeded(seed string) func(*Settings) { return func(s *Settings) { s.Seed = seed } }
func timed(path string) func(*Settings)  { return func(s *Settings) { s.Latency = path } }
func devicesOf(n string) func(*Settings) { return func(s *Settings) { s.Devices = n } }
func split(split string) func(*Settings) { return func(s *Settings) { s.Split = split } }

func open(t testing.TB, s Settings) *Evaluator {
	t.Helper()
	e, err := start(sdk.Env{}, s)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Evaluator)
}

// cell is a network of NAS-Bench-201.
func cell(arch string) sdk.Candidate { return sdk.Candidate{Graph: graphtest.NASBench201(arch, 5)} }

// named is an architecture as if it had been recognised.
func (e *Evaluator) named(name string) sdk.Candidate {
	return sdk.Candidate{Key: &network{benchmark: e.benchmark, name: name}}
}

func evaluate(t testing.TB, e *Evaluator, c sdk.Candidate) sdk.ValidationMetrics {
	t.Helper()
	v, err := e.Evaluate(context.Background(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func test(t testing.TB, e *Evaluator, c sdk.Candidate) map[string]float64 {
	t.Helper()
	m, err := e.Test(context.Background(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Values
}

// problemOf asserts that an error is a Problem with some text in message or help.
func problemOf(t testing.TB, err error, path, want string) {
	t.Helper()
	var p *sdk.Problem
	if !errors.As(err, &p) || p.Path != path || !strings.Contains(p.Message+" ("+p.Help+")", want) {
		t.Errorf("error %v, want a problem of %s with %q", err, path, want)
	}
}

// made writes a file of a benchmark with some series.
func made(t testing.TB, benchmark string, total int, fill func(w *nasb.Writer)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.nasb")
	w, err := nasb.Create(path, nasb.Header{Benchmark: benchmark, Total: total})
	if err != nil {
		t.Fatal(err)
	}
	fill(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func add(t testing.TB, w *nasb.Writer, name string, runs ...nasb.Run) {
	t.Helper()
	if err := w.Add(name, runs); err != nil {
		t.Fatal(err)
	}
}

// rows reads a packed table, its header first.
func rows(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
