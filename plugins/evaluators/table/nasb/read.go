package nasb

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/edsrzf/mmap-go"
)

// File is an opened file. It may be read from several goroutines.
type File struct {
	Header
	file    *os.File
	data    mmap.MMap
	keys    []byte // rows and ends of names
	names   []byte
	offsets []byte
	n       int
}

// Open maps a file into memory and checks its header and indexes.
func Open(path string) (_ *File, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{file: file}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is no regular file", path)
	case info.Size() == 0: // which cannot be mapped
		return nil, fmt.Errorf("%s: %w", path, ErrNotNASB)
	}
	if f.data, err = mmap.Map(file, mmap.RDONLY, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.index(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Close unmaps the file. Records of it must not be used any more.
func (f *File) Close() error {
	if f.data != nil {
		if err := f.data.Unmap(); err != nil {
			return err
		}
		f.data = nil
	}
	return f.file.Close()
}

// index reads the tail and what it points to.
func (f *File) index() error {
	if len(f.data) < len(magic)+tailSize {
		return ErrNotNASB
	}
	end := f.data[len(f.data)-tailSize:]
	if [8]byte(f.data[:8]) != magic {
		return ErrNotNASB
	}
	if [8]byte(end[tailSize-8:]) != magic {
		return damaged("its end is missing")
	}
	if v := binary.LittleEndian.Uint32(end[64:]); v != Version {
		return fmt.Errorf("%w: its format is %d, this is %d", ErrVersion, v, Version)
	}
	if checksum(end[:60]) != binary.LittleEndian.Uint32(end[60:]) {
		return damaged("its tail does not have its checksum")
	}
	var parts [3][]byte
	for i := range parts {
		p := end[20*i:]
		offset, length := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		size := uint64(len(f.data) - tailSize)
		if offset > size || length > size-offset {
			return damaged("a part lies outside of the file")
		}
		parts[i] = f.data[offset : offset+length]
		if checksum(parts[i]) != binary.LittleEndian.Uint32(p[16:]) {
			return damaged("%s does not have its checksum", [3]string{"the list of names", "the list of records", "the header"}[i])
		}
	}
	if err := json.Unmarshal(parts[2], &f.Header); err != nil {
		return damaged("the header cannot be read: %v", err)
	}
	if len(f.Extents) != len(f.Series) {
		return damaged("the header has %d series and the extents of %d", len(f.Series), len(f.Extents))
	}
	if len(parts[1])%8 != 0 || len(parts[1]) == 0 {
		return damaged("the list of records is cut")
	}
	f.offsets, f.n = parts[1], len(parts[1])/8-1
	if len(parts[0]) < 8*f.n {
		return damaged("the list of names is cut")
	}
	f.keys, f.names = parts[0][:8*f.n], parts[0][8*f.n:]
	return nil
}

// Len is the number of architectures.
func (f *File) Len() int { return f.n }

// name is the name at place i of their order, and its row.
func (f *File) name(i int) (name []byte, row int) {
	start := uint32(0)
	if i > 0 {
		start = binary.LittleEndian.Uint32(f.keys[8*i-4:])
	}
	end := binary.LittleEndian.Uint32(f.keys[8*i+4:])
	if start > end || int(end) > len(f.names) {
		return nil, 0
	}
	return f.names[start:end], int(binary.LittleEndian.Uint32(f.keys[8*i:]))
}

// Find returns the row of an architecture.
func (f *File) Find(name string) (row int, ok bool) {
	i := sort.Search(f.n, func(i int) bool {
		b, _ := f.name(i)
		return string(b) >= name
	})
	if i == f.n {
		return 0, false
	}
	b, row := f.name(i)
	return row, string(b) == name && row < f.n
}

// Names yields the architectures in order of name, with their rows.
func (f *File) Names(yield func(string, int) bool) {
	for i := range f.n {
		b, row := f.name(i)
		if !yield(string(b), row) {
			return
		}
	}
}

// place is where the record of a row lies.
func (f *File) place(row int) (start, end uint64, err error) {
	if row < 0 || row >= f.n {
		return 0, 0, fmt.Errorf("there is no row %d", row)
	}
	start, end = binary.LittleEndian.Uint64(f.offsets[8*row:]), binary.LittleEndian.Uint64(f.offsets[8*row+8:])
	if start > end || end > uint64(len(f.data)) {
		return 0, 0, damaged("record %d lies outside of the file", row)
	}
	return start, end, nil
}

// Record reads what is known of the architecture of a row.
func (f *File) Record(row int) (Record, error) {
	start, end, err := f.place(row)
	if err != nil {
		return Record{}, err
	}
	return record(f.Series, f.data[start:end])
}

// Copy is Record, but reads the file into buf, made larger where it is too small, and
// returns that for the next time; the record is good until then. Going through a
// large file in this way does not make a process large, as touching mapped memory
// does.
func (f *File) Copy(row int, buf []byte) (Record, []byte, error) {
	start, end, err := f.place(row)
	if err != nil {
		return Record{}, buf, err
	}
	if n := int(end - start); cap(buf) < n {
		buf = make([]byte, n)
	} else {
		buf = buf[:n]
	}
	if _, err := f.file.ReadAt(buf, int64(start)); err != nil {
		return Record{}, buf, err
	}
	r, err := record(f.Series, buf)
	return r, buf, err
}
