package segment

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestShared: what one side writes the other reads, after the file has lost its name too.
func TestShared(t *testing.T) {
	dir := t.TempDir()
	shapes := [][]int{{2, 3}, {1}, {4, 5, 6, 7}}
	here, path, err := Create(dir, shapes)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != Bytes(shapes) {
		t.Errorf("the file: %v, %v", info, err)
	}
	there, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !there.Shaped(shapes) || there.Shaped(shapes[:2]) {
		t.Errorf("the shapes are %v", there.Tensors)
	}
	for k := range here.Tensors {
		for i := range here.Tensors[k].Data {
			if v := there.Tensors[k].Data[i]; v != 0 {
				t.Fatalf("tensor %d begins with %v", k, v)
			}
			here.Tensors[k].Data[i] = float32(100*k + i)
		}
	}
	for k := range there.Tensors {
		if !slices.Equal(there.Tensors[k].Data, here.Tensors[k].Data) {
			t.Errorf("tensor %d is %v", k, there.Tensors[k].Data)
		}
	}
	for _, s := range []*Segment{here, there} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error("twice:", err)
		}
	}
}

// damaged are files that hold no tensors, made from one that does.
func damaged(good []byte) map[string][]byte {
	number := func(at int, v uint32) []byte {
		b := slices.Clone(good)
		binary.NativeEndian.PutUint32(b[at:], v)
		return b
	}
	return map[string][]byte{
		"another file":       append([]byte("something"), good...),
		"cut":                good[:20],
		"too many tensors":   number(8, 1<<31),
		"a tensor more":      number(8, 2000),
		"dimensions":         number(12, 1<<20),
		"an empty dimension": number(16, 0),
		"a large one":        number(16, 1<<31),
		"outside":            number(24, 1<<20),
		"at an odd place":    number(24, 65),
	}
}

// TestDamaged: whatever is in a file, opening it is an error and nothing worse.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	s, path, err := Create(dir, [][]int{{4, 4}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range damaged(good) {
		bad := filepath.Join(dir, strings.ReplaceAll(what, " ", "-"))
		if err := os.WriteFile(bad, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(bad); err == nil {
			t.Errorf("%s: %v", what, s.Tensors)
		}
	}
	if _, err := Open(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that there is not")
	}
	if _, _, err := Create(filepath.Join(dir, "none"), [][]int{{1}}); err == nil {
		t.Error("a folder that there is not")
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	s, path, err := Create(dir, [][]int{{4, 4}, {3}})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, data := range damaged(good) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "tensors")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(file)
		if err != nil {
			return
		}
		sum := float32(0)
		for _, x := range s.Tensors {
			for _, v := range x.Data { // all of it is there
				sum += v
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
