package nasb

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// sample writes a file of some architectures and returns its path.
func sample(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.nasb")
	w, err := Create(path, Header{Benchmark: "test", Doc: "Made for a test."})
	if err != nil {
		t.Fatal(err)
	}
	accuracy := w.Series(Series{Dataset: "cifar10-valid", Split: "valid", Metric: "accuracy", Schedule: 12, Unit: "%", Higher: true})
	params := w.Series(Series{Metric: "params", Single: true})
	for i := range n {
		x := float64(i)
		err := w.Add(name(i), []Run{
			{Series: accuracy, Seed: 777, First: 0, Values: []float64{x, x + 0.1, x + 0.2}},
			{Series: accuracy, Seed: 888, First: 2, Values: []float64{-x / 3}},
			{Series: params, First: NoEpoch, Values: []float64{math.Round(x)}},
			{Series: accuracy, Seed: 999, First: 0, Values: []float64{x, x, x, x}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.Source(Source{Name: "none", Size: 1, SHA256: "00"})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// name gives names whose order is not that of the rows.
func name(i int) string { return fmt.Sprintf("arch-%d-%d", i*7919%1000, i) }

func TestRoundTrip(t *testing.T) {
	const n = 300
	f, err := Open(sample(t, n))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Len() != n || f.Benchmark != "test" || len(f.Series) != 2 || f.Source[0].Name != "none" {
		t.Errorf("%d architectures, header %+v", f.Len(), f.Header)
	}
	var buf []byte
	for i := range n {
		row, ok := f.Find(name(i))
		if !ok || row != i {
			t.Fatalf("%s is in row %d, %v", name(i), row, ok)
		}
		r, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		x := float64(i)
		want := []Run{
			{0, 777, 0, []float64{x, x + 0.1, x + 0.2}},
			{0, 888, 2, []float64{-x / 3}},
			{1, 0, NoEpoch, []float64{x}},
			{0, 999, 0, []float64{x, x, x, x}},
		}
		var got []Run
		for run := range r.Runs {
			run.Values = append([]float64(nil), run.Values...)
			got = append(got, run)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		var copied Record
		if copied, buf, err = f.Copy(row, buf); err != nil || !reflect.DeepEqual(copied, r) {
			t.Fatalf("row %d, copied, is another record, %v", row, err)
		}
		at := map[uint32]float64{}
		r.At(0, 2, func(seed uint32, v float64) { at[seed] = v })
		if want := map[uint32]float64{777: x + 0.2, 888: -x / 3, 999: x}; !reflect.DeepEqual(at, want) {
			t.Fatalf("at epoch 2 %v, want %v", at, want)
		}
	}
	for _, absent := range []string{"", "arch", "zzz", name(n)} {
		if row, ok := f.Find(absent); ok {
			t.Errorf("%q is in row %d", absent, row)
		}
	}
	seen := ""
	for name := range f.Names {
		if name <= seen {
			t.Fatalf("%s comes after %s", name, seen)
		}
		seen = name
	}
}

// TestRefused: what cannot be written is refused, and leaves nothing behind.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		what string
		name string
		run  Run
	}{
		{"no name", "", Run{Values: []float64{1}}},
		{"no values", "a", Run{}},
		{"an unknown series", "a", Run{Series: 9, Values: []float64{1}}},
		{"an epoch before the first", "a", Run{First: -1, Values: []float64{1}}},
		{"two values without an epoch", "a", Run{First: NoEpoch, Values: []float64{1, 2}}},
		{"more digits than 32 bits hold", "a", Run{Series: 1, Values: []float64{0.1}}},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := t.TempDir()
			w, err := Create(filepath.Join(dir, "x.nasb"), Header{Series: []Series{{Metric: "loss"}, {Metric: "params", Single: true}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Add(c.name, []Run{c.run}); err == nil {
				t.Error("it was written")
			}
			w.Abort()
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "x.nasb"), Header{Series: []Series{{Metric: "loss"}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Add("twice", []Run{{Values: []float64{1}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err == nil {
		t.Error("an architecture stands twice in the file")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// read reads all of a file that is in memory.
func read(data []byte) error {
	f := &File{data: data}
	if err := f.index(); err != nil {
		return err
	}
	for _, row := range f.Names {
		r, err := f.Record(row)
		if err != nil {
			return err
		}
		for range r.Runs {
		}
	}
	return nil
}

// TestEveryBit: a file with one bit turned is never read to its end, and neither is
// one cut short.
func TestEveryBit(t *testing.T) {
	good, err := os.ReadFile(sample(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	if err := read(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			good[i] ^= 1 << bit
			if err := read(good); err == nil {
				t.Fatalf("bit %d of byte %d was turned, and nothing was said", bit, i)
			}
			good[i] ^= 1 << bit
		}
	}
	for n := range good {
		if err := read(good[:n]); !errors.Is(err, ErrNotNASB) && !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d of %d bytes: %v", n, len(good), err)
		}
	}
}

// TestNoFile: what is no file is told apart from one that is damaged.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{filepath.Join(dir, "none"): os.ErrNotExist, dir: nil, empty: ErrNotNASB} {
		if _, err := Open(path); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

// FuzzOpen: any bytes are read or refused.
func FuzzOpen(f *testing.F) {
	good, err := os.ReadFile(sample(f, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, data []byte) { _ = read(data) })
}

func BenchmarkOpen(b *testing.B) {
	path := sample(b, 15625)
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

func BenchmarkFind(b *testing.B) {
	f, err := Open(sample(b, 15625))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	i := 0
	for b.Loop() {
		row, _ := f.Find(name(i % 15625))
		r, err := f.Record(row)
		if err != nil {
			b.Fatal(err)
		}
		r.At(0, 2, func(uint32, float64) {})
		i++
	}
}
