package official

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// data finds the published files and tables: in $NASC_DATA or beside the repository.
func data(t testing.TB, name string) string {
	t.Helper()
	dirs := []string{os.Getenv("NASC_DATA")}
	if dirs[0] == "" {
		dirs = nil
		for d := "../../../.."; len(d) < 40; d += "/.." {
			dirs = append(dirs, filepath.Join(d, "shared", "data"))
		}
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, name)); err == nil {
			return filepath.Join(d, name)
		}
	}
	t.Skipf("%s is not at hand: set NASC_DATA to the folder of published tables", name)
	return ""
}

// imported imports and opens.
func imported(t testing.TB, kind string, paths ...string) *nasb.File {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.nasb")
	s, err := Import(context.Background(), kind, paths, out, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := nasb.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if f.Len() != s.Architectures || f.Benchmark != s.Benchmark || len(f.Series) != s.Series {
		t.Errorf("the file has %d architectures of %s in %d series; told were %+v", f.Len(), f.Benchmark, len(f.Series), s)
	}
	return f
}

// refused imports what must not be, and checks that nothing is left.
func refused(t testing.TB, code, about, kind string, paths ...string) {
	t.Helper()
	dir := t.TempDir()
	_, err := Import(context.Background(), kind, paths, filepath.Join(dir, "out.nasb"), nil)
	var e *Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Error(), about) {
		t.Errorf("error %v, want %s about %q", err, code, about)
	}
	empty(t, dir)
}

func empty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// value is the number of an architecture in a series, of a seed at an epoch.
func value(t testing.TB, f *nasb.File, arch string, s nasb.Series, seed uint32, epoch int) (float64, bool) {
	t.Helper()
	id := slices.Index(f.Series, s)
	row, ok := f.Find(arch)
	if !ok {
		t.Fatalf("%s is not in the file", arch)
	}
	r, err := f.Record(row)
	if err != nil {
		t.Fatal(err)
	}
	v, n := 0.0, 0
	r.At(id, epoch, func(got uint32, x float64) {
		if got == seed {
			v = x
			n++
		}
	})
	if n > 1 {
		t.Fatalf("%s of %s is there %d times", s, arch, n)
	}
	return v, n == 1
}

// mean is the mean over the seeds.
func mean(t testing.TB, f *nasb.File, arch string, s nasb.Series, epoch int) float64 {
	t.Helper()
	id := slices.Index(f.Series, s)
	row, ok := f.Find(arch)
	if id < 0 || !ok {
		t.Fatalf("no %s of %s", s, arch)
	}
	r, err := f.Record(row)
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0.0, 0.0
	r.At(id, epoch, func(_ uint32, v float64) { sum, n = sum+v, n+1 })
	return sum / n
}

// csvRows reads a table, its header first.
func csvRows(t testing.TB, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// near reports whether a number agrees with one that was rounded to some digits.
func near(a, b float64) bool { return math.Abs(a-b) <= 5.1e-6*max(1, math.Abs(b)) }

// best is the architecture with the highest value.
func best(t testing.TB, f *nasb.File, s nasb.Series, epoch int) (string, float64) {
	t.Helper()
	id := slices.Index(f.Series, s)
	if id < 0 {
		t.Fatalf("no series %s", s)
	}
	name, top := "", math.Inf(-1)
	for arch, row := range f.Names {
		r, err := f.Record(row)
		if err != nil {
			t.Fatal(err)
		}
		r.At(id, epoch, func(_ uint32, v float64) {
			if v > top {
				name, top = arch, v
			}
		})
	}
	return name, top
}

// TestCodesAreExplained: `nasc explain` knows every code of this package.
func TestCodesAreExplained(t *testing.T) {
	for _, code := range []string{UnknownKind, WrongFile, Damaged, Forbidden, BadValue, Twice, NotInBenchmark, TooLarge, NoTable, Unreadable} {
		if _, ok := diag.Explain(code); !ok {
			t.Errorf("%s has no page", code)
		}
	}
}

func TestKinds(t *testing.T) {
	dir := t.TempDir()
	_, err := Import(context.Background(), "nasbench102", []string{"x"}, filepath.Join(dir, "x"), nil)
	var e *Error
	if !errors.As(err, &e) || e.Code != UnknownKind || len(e.Known) != len(Kinds()) {
		t.Errorf("%v", err)
	}
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			refused(t, Unreadable, "no such file", k.Name, filepath.Join(dir, "none"))
			for what, content := range map[string][]byte{
				"empty": nil, "text": []byte("hello"), "zeros": make([]byte, 5000),
				"zip": []byte("PK\x03\x04xxxxxxxxxxxxxxxxxxxxxxxxxxxx"), "gzip": {0x1f, 0x8b, 8, 0, 0, 0}, "bzip2": []byte("BZh91AY&SYxxxx"),
			} {
				path := filepath.Join(dir, what)
				if err := os.WriteFile(path, content, 0o644); err != nil {
					t.Fatal(err)
				}
				out := t.TempDir()
				_, err := Import(context.Background(), k.Name, []string{path}, filepath.Join(out, "x.nasb"), nil)
				var e *Error
				if !errors.As(err, &e) || e.Code != WrongFile && e.Code != Damaged {
					t.Errorf("%s: %v", what, err)
				}
				empty(t, out)
			}
		})
	}
}

// TestInterrupted: an import that is given up leaves nothing, and can be made again.
func TestInterrupted(t *testing.T) {
	for kind, name := range map[string]string{
		"csv": "nasbench201.csv.gz", "nasbench101": "official/nasbench-tfrecord/energy_4V9E.tfrecord", "nats-tss": "official/nats-tss",
	} {
		t.Run(kind, func(t *testing.T) {
			path := data(t, name)
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(context.Background())
			n := 0
			_, err := Import(ctx, kind, []string{path}, filepath.Join(dir, "x.nasb"), func(int64, int64) {
				if n++; n == 3 {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			empty(t, dir)
			imported(t, kind, path)
		})
	}
}

// TestRepeatable: equal sources give equal bytes.
func TestRepeatable(t *testing.T) {
	for kind, name := range map[string]string{"nasbench101": "official/nasbench-tfrecord/energy_4V9E.tfrecord", "nats-tss": "official/nats-tss"} {
		path := data(t, name)
		var files [][]byte
		for range 2 {
			out := filepath.Join(t.TempDir(), "x.nasb")
			if _, err := Import(context.Background(), kind, []string{path}, out, nil); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, b)
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Errorf("%s: two imports differ", kind)
		}
	}
}
