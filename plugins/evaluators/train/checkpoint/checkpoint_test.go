package checkpoint

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type note struct {
	Name string
	Sum  float64
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "x.checkpoint")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	want := note{"net", 0.1 + 0.2}
	a, b, c := []float32{1, float32(math.NaN()), float32(math.Copysign(0, -1)), 1e-45}, []float64{math.Pi, math.Inf(-1)}, []uint64{1 << 63}
	for range 2 { // the second replaces the first
		if err := Write(path, want, a, []float32{}, b, c); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var got note
	x, y, z := make([]float32, 4), make([]float64, 2), make([]uint64, 1)
	if err := errors.Join(f.Describe(&got), f.Arrays(x, []float32{}, y, z)); err != nil {
		t.Fatal(err)
	}
	if got != want || !reflect.DeepEqual(y, b) || !reflect.DeepEqual(z, c) {
		t.Errorf("%v %v %v", got, y, z)
	}
	for i := range a {
		if math.Float32bits(x[i]) != math.Float32bits(a[i]) {
			t.Errorf("number %d is %v, was %v", i, x[i], a[i])
		}
	}
	if err := f.Arrays(x); err == nil || !strings.Contains(err.Error(), "holds 40 bytes of numbers, not 16") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%v are left in the folder (%v)", left, err)
	}
}

// TestDamage: whatever byte is changed or lost, the file is refused.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := Write(path, note{"net", 1}, []float32{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(data []byte, want ...string) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if err == nil {
			t.Fatalf("%d bytes of %d are read", len(data), len(whole))
		}
		for _, w := range want {
			if strings.Contains(err.Error(), w) {
				return
			}
		}
		t.Errorf("error %v, want one of %q", err, want)
	}
	for n := range whole {
		refused(whole[:n], "is cut off: it has")
		flipped := append([]byte{}, whole...)
		flipped[n] ^= 1 << (n % 8)
		refused(flipped, "checksum is wrong", "is no checkpoint", "of the format", "is cut off")
	}
	refused(append(append([]byte{}, whole...), 0), "checksum is wrong")
	refused([]byte("PK\x03\x04 something else that is long enough"), "is no checkpoint")
}

func TestCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(file, "x"), note{}); err == nil {
		t.Error("a file below a file")
	}
	if err := Write(file+"2", note{}, []int{1}); err == nil || !strings.Contains(err.Error(), "cannot write []int") {
		t.Errorf("error %v", err)
	}
}

// FuzzRead: whatever a file holds, it is read or refused. What is read has a right
// checksum, so it is what Write has written.
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x")
	if err := Write(path, note{"net", 1}, []float32{1, 2, 3}, []uint64{4}); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:30])
	f.Fuzz(func(t *testing.T, data []byte) {
		at := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Read(at)
		if err != nil {
			return
		}
		var n note
		if file.Describe(&n) == nil {
			_ = file.Arrays(make([]float32, 3), make([]uint64, 1))
		}
	})
}
