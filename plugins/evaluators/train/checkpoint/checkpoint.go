// Package checkpoint writes files that hold a description and arrays of numbers,
// and survive a power cut or are not there.
//
// A file is, with all numbers little-endian:
//
//	8 bytes   "nasc.chk"
//	4 bytes   version of the format, 1
//	8 bytes   length of the whole file
//	8 bytes   length of the description
//	…         the description, JSON
//	…         the arrays one after the other, 4 or 8 bytes an element
//	32 bytes  SHA-256 of everything before
//
// What the arrays are, and how long each is, is for the description to say.
package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
)

const (
	magic   = "nasc.chk"
	version = 1
	fixed   = len(magic) + 4 + 8 + 8
)

// Write replaces path by a file with a description, which JSON can hold, and arrays,
// each a []float32, []float64 or []uint64. Its folder is made if it is not there.
func Write(path string, description any, arrays ...any) error {
	text, err := json.Marshal(description)
	if err != nil {
		return err
	}
	size := fixed + len(text) + sha256.Size
	for _, a := range arrays {
		size += binary.Size(a)
	}
	b := make([]byte, 0, size)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(text)))
	b = append(b, text...)
	for _, a := range arrays {
		switch a := a.(type) {
		case []float32:
			for _, v := range a {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
		case []float64:
			for _, v := range a {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
			}
		case []uint64:
			for _, v := range a {
				b = binary.LittleEndian.AppendUint64(b, v)
			}
		default:
			return fmt.Errorf("cannot write %T", a)
		}
	}
	sum := sha256.Sum256(b)
	return replace(path, append(b, sum[:]...))
}

// replace makes data the contents of path in one step: whatever happens, the file is
// the old one or the new one.
func replace(path string, data []byte) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	if runtime.GOOS == "windows" { // where a folder cannot be synchronized
		return nil
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// File is a file that has been read and whose checksum is right.
type File struct {
	path        string
	description []byte
	arrays      []byte
}

// Read reads a file. A missing one is fs.ErrNotExist; one that is cut off, damaged,
// of another version or no checkpoint at all is an error that says so.
func Read(path string) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) < fixed || string(b[:len(magic)]) != magic {
		if len(b) < fixed && bytes.HasPrefix([]byte(magic), b[:min(len(b), len(magic))]) {
			return nil, fmt.Errorf("%s is cut off: it has %d bytes", path, len(b))
		}
		return nil, fmt.Errorf("%s is no checkpoint", path)
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != version {
		return nil, fmt.Errorf("%s has version %d of the format, this program reads version %d", path, v, version)
	}
	size, text := binary.LittleEndian.Uint64(b[len(magic)+4:]), binary.LittleEndian.Uint64(b[len(magic)+12:])
	if uint64(len(b)) < size {
		return nil, fmt.Errorf("%s is cut off: it has %d of %d bytes", path, len(b), size)
	}
	body := b[:max(len(b)-sha256.Size, fixed)]
	if sum := sha256.Sum256(body); uint64(len(b)) > size || !bytes.Equal(sum[:], b[len(body):]) || text > uint64(len(body)-fixed) {
		return nil, fmt.Errorf("%s is damaged: its checksum is wrong", path)
	}
	return &File{path, body[fixed:][:text], body[uint64(fixed)+text:]}, nil
}

// Describe decodes the description.
func (f *File) Describe(to any) error {
	if err := json.Unmarshal(f.description, to); err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

// Arrays fills arrays, each a []float32, []float64 or []uint64, with those of the
// file. If they are not as long altogether as those of the file, it is an error and
// none is touched.
func (f *File) Arrays(to ...any) error {
	size := 0
	for _, a := range to {
		size += binary.Size(a)
	}
	if size != len(f.arrays) {
		return fmt.Errorf("%s holds %d bytes of numbers, not %d", f.path, len(f.arrays), size)
	}
	b := f.arrays
	for _, a := range to {
		switch a := a.(type) {
		case []float32:
			for i := range a {
				a[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
			}
		case []float64:
			for i := range a {
				a[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
			}
		case []uint64:
			for i := range a {
				a[i] = binary.LittleEndian.Uint64(b[8*i:])
			}
		}
		b = b[binary.Size(a):]
	}
	return nil
}
