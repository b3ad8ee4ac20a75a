package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

const cifarRecord = 1 + 3*32*32 // label, red, green and blue plane

// cifar10 reads the binary version of CIFAR-10 from a folder: all files
// data_batch_*.bin for training and validation, test_batch.bin for the test when
// it is there, each possibly packed with gzip.
func cifar10(o Options) (*Set, error) {
	if o.Path == "" {
		return nil, refuse("data", "must name the folder of data_batch_1.bin and so on")
	}
	entries, err := os.ReadDir(o.Path)
	if err != nil {
		return nil, refuse("data", "folder %s cannot be read: %v", o.Path, err)
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".gz")
		if strings.HasPrefix(name, "data_batch_") && strings.HasSuffix(name, ".bin") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, refuse("data", "folder %s has no file data_batch_*.bin (or .bin.gz)", o.Path)
	}
	sort.Strings(names)
	s := &Set{Name: "cifar10", Channels: 3, H: 32, W: 32, Classes: 10, Facts: map[string]string{}}
	var train Split
	for i, name := range names {
		if i > 0 && name == names[i-1] {
			continue // packed and unpacked
		}
		if err := appendCifar(&train, filepath.Join(o.Path, name)); err != nil {
			return nil, err
		}
	}
	s.Facts["dataset.files"] = strings.Join(names, ", ")
	var test *Split
	switch err := appendCifar(&s.Test, filepath.Join(o.Path, "test_batch.bin")); {
	case err == nil:
		t := s.Test
		test = &t
		s.Facts["dataset.files"] += ", test_batch.bin"
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if train.Len() < 5 {
		return nil, refuse("data", "folder %s has only %d training images", o.Path, train.Len())
	}
	s.divideFiles(train, test)
	return s, nil
}

func appendCifar(to *Split, path string) error {
	raw, name, err := read(path)
	var p *Problem
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &p):
		return err
	case err != nil:
		return refuse("data", "file %s cannot be read: %v", name, err)
	}
	if len(raw) == 0 || len(raw)%cifarRecord != 0 {
		whole := len(raw) / cifarRecord
		return refuse("data", "file %s has %d bytes: %d images of %d bytes and %d bytes more", name, len(raw), whole, cifarRecord, len(raw)%cifarRecord)
	}
	for i := 0; i < len(raw); i += cifarRecord {
		if raw[i] > 9 {
			return refuse("data", "file %s has the label %d at byte %d", name, raw[i], i)
		}
		to.Labels = append(to.Labels, raw[i])
		to.Pixels = append(to.Pixels, raw[i+1:i+cifarRecord]...)
	}
	return nil
}

// String is the set with its shape and parts.
func (s *Set) String() string {
	return fmt.Sprintf("%s [%d, %d, %d], %d classes, %d/%d/%d examples", s.Name, s.Channels, s.H, s.W, s.Classes,
		s.Train.Len(), s.Valid.Len(), s.Test.Len())
}
