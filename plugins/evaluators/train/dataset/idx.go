package dataset

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// The idx format: two zero bytes, the element type (8: bytes), the number of
// dimensions, each dimension as a big-endian uint32, the elements.
const (
	idxImages = "-images-idx3-ubyte"
	idxLabels = "-labels-idx1-ubyte"
)

// idx reads grey images. The path is a folder with train-images-idx3-ubyte and so
// on, packed with gzip or not; or the beginning of two such names. t10k files
// are the test part.
func idx(o Options) (*Set, error) {
	if o.Path == "" {
		return nil, refuse("data", "must name the folder of the idx files")
	}
	prefix := o.Path
	if st, err := os.Stat(o.Path); err == nil && st.IsDir() {
		if prefix, err = trainingFiles(o.Path); err != nil {
			return nil, err
		}
	}
	s := &Set{Name: "idx", Channels: 1, Facts: map[string]string{}}
	train, err := s.pair(prefix)
	if err != nil {
		return nil, err
	}
	s.Facts["dataset.files"] = filepath.Base(prefix)
	tests := filepath.Join(filepath.Dir(prefix), "t10k")
	var test *Split
	if t, err := s.pair(tests); err == nil && tests != prefix {
		test = &t
		s.Facts["dataset.files"] += ", t10k"
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s.Classes = int(slices.Max(train.Labels)) + 1
	if test != nil && int(slices.Max(test.Labels)) >= s.Classes {
		return nil, refuse("data", "folder %s has labels in the test files that the training files lack", filepath.Dir(prefix))
	}
	s.divideFiles(train, test)
	return s, nil
}

// trainingFiles finds the beginning of the names of the training files: train if
// there is such a pair, else the only pair but t10k.
func trainingFiles(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", refuse("data", "folder %s cannot be read: %v", dir, err)
	}
	var found []string
	for _, e := range entries {
		if p, rest, ok := strings.Cut(e.Name(), idxImages); ok && (rest == "" || rest == ".gz") && p != "t10k" {
			found = append(found, p)
		}
	}
	sort.Strings(found)
	found = slices.Compact(found)
	switch {
	case slices.Contains(found, "train") || len(found) == 0:
		return filepath.Join(dir, "train"), nil
	case len(found) == 1:
		return filepath.Join(dir, found[0]), nil
	}
	return "", refuse("data", "folder %s has several sets: %s; name one, as in %s", dir, strings.Join(found, ", "), filepath.Join(dir, found[0]))
}

// pair reads images and labels and checks that they belong together.
func (s *Set) pair(prefix string) (Split, error) {
	images, dims, name, err := readIdx(prefix+idxImages, 3)
	if err != nil {
		return Split{}, err
	}
	labels, count, labelName, err := readIdx(prefix+idxLabels, 1)
	if err != nil {
		var p *Problem
		if !errors.As(err, &p) {
			err = refuse("data", "file %s%s (or .gz) is missing", prefix, idxLabels)
		}
		return Split{}, err
	}
	if dims[0] != count[0] {
		return Split{}, refuse("data", "file %s has %d images, but %s has %d labels", name, dims[0], labelName, count[0])
	}
	if dims[0] < 5 {
		return Split{}, refuse("data", "file %s has only %d images", name, dims[0])
	}
	if s.H != 0 && (dims[1] != s.H || dims[2] != s.W) {
		return Split{}, refuse("data", "file %s has images of %dx%d pixels, the training files of %dx%d", name, dims[1], dims[2], s.H, s.W)
	}
	s.H, s.W = dims[1], dims[2]
	return Split{images, labels}, nil
}

// missing is a file that is not there; it is an fs.ErrNotExist.
type missing struct{ *Problem }

func (m missing) Unwrap() []error { return []error{m.Problem, fs.ErrNotExist} }

func readIdx(path string, dims int) (data []byte, shape []int, name string, err error) {
	raw, name, err := read(path)
	var p *Problem
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, name, missing{&Problem{"data", "file " + path + " (or .gz) is missing"}}
	case errors.As(err, &p):
		return nil, nil, name, err
	case err != nil:
		return nil, nil, name, refuse("data", "file %s cannot be read: %v", name, err)
	}
	header := 4 + 4*dims
	if len(raw) < header {
		return nil, nil, name, refuse("data", "file %s has %d bytes; an idx header of %d dimensions has %d", name, len(raw), dims, header)
	}
	if raw[0] != 0 || raw[1] != 0 || raw[2] != 8 || int(raw[3]) != dims {
		return nil, nil, name, refuse("data", "file %s is not an idx file of bytes in %d dimensions: it starts with % x", name, dims, raw[:4])
	}
	size := uint64(1)
	for i := range dims {
		d := binary.BigEndian.Uint32(raw[4+4*i:])
		shape = append(shape, int(d))
		size *= uint64(d)
		if size > 1<<40 || d == 0 {
			return nil, nil, name, refuse("data", "file %s claims the dimensions %v", name, shape)
		}
	}
	if uint64(len(raw)-header) != size {
		return nil, nil, name, refuse("data", "file %s should have %d bytes for dimensions %v, but has %d", name, uint64(header)+size, shape, len(raw))
	}
	return raw[header:], shape, name, nil
}
