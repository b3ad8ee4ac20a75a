package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func manifest() *Manifest {
	return &Manifest{
		Name:      "r",
		Space:     Space{Name: "s", Args: map[string]any{"c": int64(16), "width": 1.0, "deep": true, "image": []int64{3, 32, 32}}},
		Optimizer: Component{Parameters: map[string]any{"rate": 0.5, "whole": 2.0, "n": int64(1) << 62}},
		Report:    &Component{Plugin: "t", Parameters: map[string]any{"x": 1.0}},
		Seed:      1<<64 - 1,
		Metrics:   []string{"b", "a"},
		Sources:   []SourceFile{{File: "s.nas", SHA256: "x", Text: "space s"}},
	}
}

// single is a new folder of one run.
func single(dir string) (*Folder, error) {
	m := manifest()
	return Create(dir, &Folder{Nasc: "test", Name: m.Name, Sources: m.Sources}, []Point{{Manifest: m}})
}

func create(t testing.TB) *Run {
	t.Helper()
	f, err := single(filepath.Join(t.TempDir(), "runs", "r"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Runs[0]
}

// architecture adds one to the folder of a run.
func architecture(t testing.TB, r *Run) *Architecture {
	t.Helper()
	a, err := r.Folder.Add("1,2", json.RawMessage(`{"a":"x < y"}`), "h")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func trial(n int64, a *Architecture) *Trial {
	return &Trial{
		Number: n, Architecture: a, Status: OK, Seed: 1<<64 - 1, Epochs: 1, Simulated: 0.1,
		Metrics: Metrics{Names: []string{"b", "a"}, Values: []float64{1.0 / 3, 90}},
		Seconds: float64(n), Elapsed: float64(n),
	}
}

// all are the trials that a reader of a run finds.
func all(t testing.TB, r *Run) []*Trial {
	t.Helper()
	var out []*Trial
	for x, err := range r.Trials() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// log is the log of a run.
func log(t testing.TB, r *Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Log(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestManifestKeepsTypes(t *testing.T) {
	r := create(t)
	want := manifest()
	want.Format = ManifestFormat
	got, err := r.Manifest()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v, %v, want %+v", got, err, want)
	}
	text, err := os.ReadFile(filepath.Join(r.Folder.Dir, ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	if got, err = readManifest(text); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the file says %+v, %v", got, err)
	}
}

func TestLog(t *testing.T) {
	r := create(t)
	a := architecture(t, r)
	other, err := r.Folder.Add("0", json.RawMessage(`{}`), "")
	if err != nil {
		t.Fatal(err)
	}
	source := int64(0)
	reused := &Trial{Number: 2, Architecture: a, Status: OK, Reused: &source, Elapsed: 9}
	failed := &Trial{Number: 3, Architecture: other, Status: Failed, Failure: "too large"}
	outside := trial(4, a)
	outside.Status, outside.Failure = Infeasible, "a is 90"
	four := int64(4)
	again := &Trial{Number: 5, Architecture: a, Status: Infeasible, Reused: &four}
	for _, x := range []*Trial{trial(1, a), trial(0, a), reused, failed, outside, again} { // evaluations end in any order
		if err := r.Append([]*Trial{x}, x == again); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SetTest(1, map[string]float64{"accuracy": 91.5}); err != nil {
		t.Fatal(err)
	}
	if err := r.Folder.Sync(); err != nil {
		t.Fatal(err)
	}
	got := all(t, r)
	full := trial(2, a)
	full.Reused, full.Seconds, full.Elapsed = &source, 0, 9
	if len(got) != 6 || !reflect.DeepEqual(got[2].Metrics, full.Metrics) || got[2].Elapsed != 9 || got[2].Seconds != 0 || got[1].Seconds != 1 {
		t.Errorf("Trials() = %+v", got)
	}
	const line = `"genotype":"1,2","labels":{"a":"x < y"},"hash":"h","status":"ok","seed":18446744073709551615,` +
		`"epochs":1,"simulated_seconds":0.1,"metrics":{"a":90,"b":0.3333333333333333}}` + "\n"
	infeasible := strings.Replace(line, `"ok"`, `"infeasible","failure":"a is 90"`, 1)
	want := `{"trial":0,` + line + `{"trial":1,` + line + `{"trial":2,` + strings.Replace(line, `"seed"`, `"reused":0,"seed"`, 1) +
		`{"trial":3,"genotype":"0","labels":{},"hash":"","status":"failed","failure":"too large","seed":0}` + "\n" +
		`{"trial":4,` + infeasible + `{"trial":5,` + strings.Replace(infeasible, `"seed"`, `"reused":4,"seed"`, 1) +
		`{"winner":1,"test":{"accuracy":91.5}}` + "\n"
	if text := log(t, r); text != want {
		t.Errorf("log:\n%swant:\n%s", text, want)
	}
	tally, err := r.Tally()
	if want := (Tally{Trials: 6, Failed: 1, Infeasible: 2, Reused: 2, Seconds: 9}); err != nil || tally != want {
		t.Errorf("Tally() = %+v, %v", tally, err)
	}
	top, err := r.Top([]Objective{{Metric: "a", Maximize: true}}, 2)
	if err != nil || len(top) != 2 || top[0].Number != 0 || top[1].Number != 1 {
		t.Errorf("Top() = %v, %v", top, err)
	}
}

// TestAppendOnly: a second result for a trial is refused and changes nothing, and
// nothing is written after it.
func TestAppendOnly(t *testing.T) {
	r := create(t)
	a := architecture(t, r)
	if err := r.Append([]*Trial{trial(0, a)}, true); err != nil {
		t.Fatal(err)
	}
	before := log(t, r)
	again := trial(0, a)
	again.Metrics.Values = []float64{1, 1}
	if err := r.Append([]*Trial{trial(1, a), again}, true); err == nil {
		t.Error("a trial was appended twice")
	}
	if err := r.Append([]*Trial{trial(2, a)}, false); err == nil {
		t.Error("the log goes on behind what it lacks")
	}
	if got := log(t, r); got != before {
		t.Errorf("the log is now\n%s", got)
	}
	if err := r.Folder.Close(); err == nil {
		t.Error("Close does not tell of it")
	}
}

// TestStudy: runs of one folder that are written to at once have each their own
// log, whatever they are measured by.
func TestStudy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	var points []Point
	for i := range 7 {
		points = append(points, Point{Label: fmt.Sprint("seed=", i)})
	}
	f, err := Create(dir, &Folder{Name: "study", Options: json.RawMessage(`{"x":1}`), Sources: manifest().Sources}, points)
	if err != nil {
		t.Fatal(err)
	}
	const trials = 3 * page
	var wg sync.WaitGroup
	for i, r := range f.Runs[:6] {
		wg.Go(func() {
			m := manifest()
			m.Seed = uint64(i)
			if i == 3 {
				m.Metrics = []string{"c", "b"}
			}
			if err := r.Begin(m); err != nil {
				t.Error(err)
				return
			}
			a, err := f.Add(fmt.Sprint(i), json.RawMessage("{}"), "")
			if err != nil {
				t.Error(err)
				return
			}
			for n := range int64(trials) {
				x := trial(n, a)
				x.Metrics = Metrics{m.Metrics, []float64{float64(i), float64(n)}}
				if zero := int64(0); n%3 == 2 {
					x = &Trial{Number: n, Architecture: a, Reused: &zero, Status: OK}
				}
				if err := r.Append([]*Trial{x}, false); err != nil {
					t.Error(err)
					return
				}
			}
			if err := errors.Join(r.SetTest(5, map[string]float64{"t": float64(i)}), r.Finish(5)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	results, err := OpenAll(dir)
	if err != nil || len(results) != 6 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		if r.Manifest.Seed != uint64(i) || r.State != Finished || r.Test["t"] != float64(i) || r.Address != filepath.Join(dir, fmt.Sprint(i+1)) || len(r.Manifest.Sources) != 1 {
			t.Errorf("run %d: %+v", i, r)
		}
		if w := r.Winner; w == nil || w.Number != 5 || w.Reused == nil {
			t.Errorf("run %d: the winner is %+v", i, w)
		}
		n := 0
		first, second := r.Manifest.Metrics[0], r.Manifest.Metrics[1]
		for x, err := range r.Trials() {
			want := float64(n)
			if n%3 == 2 {
				want = 0
			}
			if err != nil || x.Number != int64(n) || x.Genotype != fmt.Sprint(i) || x.Metrics.Get(first) != float64(i) || x.Metrics.Get(second) != want {
				t.Fatalf("run %d: trial %d is %+v, %v", i, n, x, err)
			}
			n++
		}
		if n != trials {
			t.Errorf("run %d: %d trials", i, n)
		}
	}
	one, err := OpenAll(filepath.Join(dir, "4"))
	if err != nil || len(one) != 1 || one[0].Metrics()[0] != "c" {
		t.Errorf("one run: %v, %v", one, err)
	}
	for _, n := range []string{"7", "8", "0", "x"} {
		if _, err := OpenAll(filepath.Join(dir, n)); !errors.Is(err, ErrNotRun) {
			t.Errorf("run %s: %v", n, err)
		}
	}
}

func TestLockAndReaders(t *testing.T) {
	r := create(t)
	if err := r.Append([]*Trial{trial(0, architecture(t, r))}, true); err != nil {
		t.Fatal(err)
	}
	dir := r.Folder.Dir
	if _, err := Open(dir); !errors.Is(err, ErrBusy) {
		t.Errorf("second Open: %v, want ErrBusy", err)
	}
	if !Busy(dir) {
		t.Error("Busy is false while the run is open")
	}
	read, err := Read(dir) // beside the writer
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, read.Runs[0]); len(got) != 1 {
		t.Errorf("a reader sees %d trials", len(got))
	}
	read.Close()
	if err := r.Folder.Close(); err != nil {
		t.Fatal(err)
	}
	if Busy(dir) {
		t.Error("Busy is true after Close")
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := again.Add("9", nil, ""); err != nil || a.ID != 2 {
		t.Errorf("the next architecture is %+v, %v", a, err)
	}
	again.Close()
}

// TestReadChangesNothing: reading a closed run leaves every file as it is.
func TestReadChangesNothing(t *testing.T) {
	r := create(t)
	if err := r.Append([]*Trial{trial(0, architecture(t, r))}, true); err != nil {
		t.Fatal(err)
	}
	r.Folder.Close()
	before := snapshot(t, r.Folder.Dir)
	read, err := Read(r.Folder.Dir)
	if err != nil {
		t.Fatal(err)
	}
	all(t, read.Runs[0])
	read.Close()
	if after := snapshot(t, r.Folder.Dir); !reflect.DeepEqual(before, after) {
		t.Errorf("before %v, after %v", keys(before), keys(after))
	}
}

func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

func keys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestBadFolders(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	os.Mkdir(taken, 0o755)
	os.WriteFile(filepath.Join(taken, "notes"), []byte("mine"), 0o644)
	if _, err := single(taken); !errors.Is(err, ErrExists) {
		t.Errorf("Create over a folder in use: %v", err)
	}
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := single(filepath.Join(file, "deep", "r")); err == nil {
		t.Error("Create below a file succeeded")
	}
	for _, d := range []string{taken, filepath.Join(dir, "none")} {
		if _, err := Open(d); !errors.Is(err, ErrNotRun) {
			t.Errorf("Open(%s): %v, want ErrNotRun", d, err)
		}
	}
	var damaged *DamagedError
	os.WriteFile(filepath.Join(taken, ManifestFile), nil, 0o644) // without a log
	if _, err := Read(taken); !errors.As(err, &damaged) {
		t.Errorf("Read without a log: %v", err)
	}
	os.Remove(filepath.Join(taken, ManifestFile))
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d entries left behind, want 2", len(entries))
	}
}

// TestDamagedLog changes a log in ways that nasc never writes.
func TestDamagedLog(t *testing.T) {
	for _, statement := range []string{
		`UPDATE runs SET manifest = '{"format": 3, "na'`,
		`UPDATE runs SET manifest = '{"format": 3} x'`,
		`UPDATE runs SET manifest = '{"format": 9}'`,
		`UPDATE runs SET manifest = 'null'`,
		`UPDATE runs SET manifest = NULL`,
		`UPDATE runs SET metrics = '["none"]'`,
		`UPDATE runs SET metrics = 'x'`,
		`DELETE FROM runs`,
		`DELETE FROM architectures`,
		`UPDATE trials SET status = 7`,
		`PRAGMA user_version = 2`,
	} {
		r := create(t)
		if err := r.Append([]*Trial{trial(0, architecture(t, r))}, true); err != nil {
			t.Fatal(err)
		}
		if err := r.Folder.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := openLog(filepath.Join(r.Folder.Dir, LogFile), "rw")
		if err == nil {
			_, err = db.Exec(statement)
			db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(r.Folder.Dir)
		if err == nil {
			_, err = f.Runs[0].Manifest()
			for _, e := range f.Runs[0].Trials() {
				err = errors.Join(err, e)
			}
			f.Close()
		}
		var damaged *DamagedError
		if !errors.As(err, &damaged) || strings.Count(err.Error(), LogFile) != 1 {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestName(t *testing.T) {
	dir := t.TempDir()
	for _, want := range []string{"a", "a-2", "a-3"} {
		if got := Name(dir, "a"); got != want {
			t.Errorf("Name = %s, want %s", got, want)
		}
		os.Mkdir(filepath.Join(dir, want), 0o755)
	}
}

// TestFullDisk fills a small file system: nothing of a new run stays behind,
// and an Append that does not fit changes nothing.
func TestFullDisk(t *testing.T) {
	mount := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", mount).Run() })

	f, err := single(filepath.Join(mount, "r"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := f.Runs[0]
	a := architecture(t, r)
	var n int64
	for ; err == nil; n++ {
		if n == 100000 {
			t.Fatal("the disk never fills")
		}
		big := trial(n, a)
		big.Failure = strings.Repeat("1,", 1000)
		err = r.Append([]*Trial{big}, true)
	}
	if !Disk(err) {
		t.Errorf("the disk is full: %v", err)
	}
	if got := all(t, r); int64(len(got)) != n-1 {
		t.Errorf("%d trials after a failed append of number %d", len(got), n-1)
	}
	if _, err := single(filepath.Join(mount, "folder", "second")); err == nil {
		t.Error("a run was created on a full disk")
	}
	entries, _ := os.ReadDir(mount)
	if len(entries) != 1 {
		t.Errorf("a failed Create left %v", entries)
	}
}

// BenchmarkAppend writes trials as fast as the log takes them: evaluations of their
// own, repeats, and evaluations that are waited for one by one.
func BenchmarkAppend(b *testing.B) {
	zero := int64(0)
	for _, c := range []struct {
		name  string
		batch int
		wait  bool
		trial func(int64, *Architecture) *Trial
	}{
		{"evaluated", 1000, false, trial},
		{"repeated", 1000, false, func(n int64, a *Architecture) *Trial {
			return &Trial{Number: n, Architecture: a, Status: OK, Reused: &zero, Elapsed: float64(n)}
		}},
		{"single", 1, false, trial},
		{"waited", 1, true, trial},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := create(b)
			a := architecture(b, r)
			if err := r.Append([]*Trial{trial(0, a)}, true); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var batch []*Trial
			n := int64(1)
			for b.Loop() {
				batch = append(batch, c.trial(n, a))
				n++
				if len(batch) == c.batch {
					if err := r.Append(batch, c.wait); err != nil {
						b.Fatal(err)
					}
					batch = nil
				}
			}
			if err := r.Folder.Sync(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trials/s")
		})
	}
}

func TestTitle(t *testing.T) {
	for _, tt := range []struct{ plugin, component, method, want string }{
		{"nasc/evolution", "regularized", "", "evolution"},
		{"nasc/oneshot", "shot", "darts", "darts"},
		{"me/annealing", "annealing", "", "me/annealing"},
		{"torch/train", "train", "", "torch/train"},
		{"me/walks", "down", "", "me/walks.down"},
	} {
		c := Component{Plugin: tt.plugin, Component: tt.component, Method: tt.method}
		if got := c.Title(); got != tt.want {
			t.Errorf("%s of %s is called %s, want %s", tt.component, tt.plugin, got, tt.want)
		}
	}
}
