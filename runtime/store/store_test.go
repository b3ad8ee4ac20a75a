package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func manifest() *Manifest {
	return &Manifest{
		Name:      "r",
		Space:     Space{Name: "s", Args: map[string]any{"c": int64(16), "width": 1.0, "deep": true, "image": []int64{3, 32, 32}}},
		Optimizer: Component{Parameters: map[string]any{"rate": 0.5, "whole": 2.0, "n": int64(1) << 62}},
		Seed:      1<<64 - 1,
	}
}

func trial(n int64) *Trial {
	return &Trial{
		Number: n, Genotype: "1,2", Labels: json.RawMessage(`{"a":"x < y"}`), Hash: "h", Status: OK,
		Seed: 1<<64 - 1, Epochs: 1, Simulated: 0.1, Metrics: map[string]float64{"b": 1.0 / 3, "a": 90},
		Seconds: float64(n), Elapsed: float64(n),
	}
}

func create(t *testing.T) *Run {
	t.Helper()
	r, err := Create(filepath.Join(t.TempDir(), "runs", "r"), manifest())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestManifestKeepsTypes(t *testing.T) {
	r := create(t)
	want := manifest()
	want.Format = ManifestFormat
	if !reflect.DeepEqual(r.Manifest, want) {
		t.Errorf("read back %+v, want %+v", r.Manifest, want)
	}
}

func TestLog(t *testing.T) {
	r := create(t)
	for _, n := range []int64{1, 0} { // workers finish in any order
		if err := r.Append(trial(n)); err != nil {
			t.Fatal(err)
		}
	}
	source := int64(0)
	reused := trial(2)
	reused.Reused = &source
	failed := &Trial{Number: 3, Genotype: "0", Labels: json.RawMessage(`{}`), Status: Failed, Failure: "too large"}
	for _, x := range []*Trial{reused, failed} {
		if err := r.Append(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.SetTest(1, map[string]float64{"accuracy": 91.5}); err != nil {
		t.Fatal(err)
	}
	got, err := r.Trials()
	if err != nil {
		t.Fatal(err)
	}
	if want := []*Trial{trial(0), trial(1), reused, failed}; !reflect.DeepEqual(got, want) {
		t.Errorf("Trials() = %+v, want %+v", got, want)
	}
	const line = `"genotype":"1,2","labels":{"a":"x < y"},"hash":"h","status":"ok","seed":18446744073709551615,` +
		`"epochs":1,"simulated_seconds":0.1,"metrics":{"a":90,"b":0.3333333333333333}}` + "\n"
	want := `{"trial":0,` + line + `{"trial":1,` + line + `{"trial":2,` + strings.Replace(line, `"seed"`, `"reused":0,"seed"`, 1) +
		`{"trial":3,"genotype":"0","labels":{},"hash":"","status":"failed","failure":"too large","seed":0}` + "\n" +
		`{"winner":1,"test":{"accuracy":91.5}}` + "\n"
	var log bytes.Buffer
	if err := r.Log(&log); err != nil {
		t.Fatal(err)
	}
	if log.String() != want {
		t.Errorf("log:\n%swant:\n%s", &log, want)
	}
}

// TestAppendOnly: a second result for a trial is refused and changes nothing.
func TestAppendOnly(t *testing.T) {
	r := create(t)
	if err := r.Append(trial(0)); err != nil {
		t.Fatal(err)
	}
	again := trial(0)
	again.Metrics["a"] = 1
	if err := r.Append(again); err == nil {
		t.Error("a trial was appended twice")
	}
	got, err := r.Trials()
	if err != nil || !reflect.DeepEqual(got, []*Trial{trial(0)}) {
		t.Errorf("Trials() = %+v, %v", got, err)
	}
}

func TestLockAndReaders(t *testing.T) {
	r := create(t)
	if err := r.Append(trial(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(r.Dir); !errors.Is(err, ErrBusy) {
		t.Errorf("second Open: %v, want ErrBusy", err)
	}
	if !Busy(r.Dir) {
		t.Error("Busy is false while the run is open")
	}
	read, err := Read(r.Dir) // beside the writer
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read.Trials(); err != nil || len(got) != 1 {
		t.Errorf("a reader sees %d trials, %v", len(got), err)
	}
	read.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if Busy(r.Dir) {
		t.Error("Busy is true after Close")
	}
	again, err := Open(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestReadChangesNothing: reading a closed run leaves every file as it is.
func TestReadChangesNothing(t *testing.T) {
	r := create(t)
	if err := r.Append(trial(0)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	before := snapshot(t, r.Dir)
	read, err := Read(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read.Trials(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	if after := snapshot(t, r.Dir); !reflect.DeepEqual(before, after) {
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
	if _, err := Create(taken, manifest()); !errors.Is(err, ErrExists) {
		t.Errorf("Create over a folder in use: %v", err)
	}
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := Create(filepath.Join(file, "deep", "r"), manifest()); err == nil {
		t.Error("Create below a file succeeded")
	}
	for _, d := range []string{taken, filepath.Join(dir, "none")} {
		if _, err := Open(d); !errors.Is(err, ErrNotRun) {
			t.Errorf("Open(%s): %v, want ErrNotRun", d, err)
		}
	}
	os.WriteFile(filepath.Join(taken, ManifestFile), []byte(`{"format": 1, "na`), 0o644)
	var damaged *DamagedError
	for _, text := range []string{`{"format": 1, "na`, `{"format": 1} x`, `{"format": 9}`, `null`, `{"format": 1}`} {
		os.WriteFile(filepath.Join(taken, ManifestFile), []byte(text), 0o644)
		if _, err := Read(taken); !errors.As(err, &damaged) { // the last has no log
			t.Errorf("Read with the manifest %s: %v", text, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d entries left behind, want 2", len(entries))
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

	r, err := Create(filepath.Join(mount, "r"), manifest())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var n int64
	for ; err == nil; n++ {
		if n == 100000 {
			t.Fatal("the disk never fills")
		}
		big := trial(n)
		big.Genotype = strings.Repeat("1,", 1000)
		err = r.Append(big)
	}
	got, err := r.Trials()
	if err != nil || int64(len(got)) != n-1 {
		t.Errorf("%d trials after a failed append of number %d, %v", len(got), n-1, err)
	}
	if _, err := Create(filepath.Join(mount, "folder", "second"), manifest()); err == nil {
		t.Error("a run was created on a full disk")
	}
	entries, _ := os.ReadDir(mount)
	if len(entries) != 1 {
		t.Errorf("a failed Create left %v", entries)
	}
}

func BenchmarkAppend(b *testing.B) {
	r, err := Create(filepath.Join(b.TempDir(), "r"), manifest())
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	var n int64
	for b.Loop() {
		if err := r.Append(trial(n)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
