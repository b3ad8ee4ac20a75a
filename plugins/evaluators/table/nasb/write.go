package nasb

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
)

// Writer writes a file record by record.
type Writer struct {
	path    string
	file    *os.File
	out     *bufio.Writer
	header  Header
	at      uint64
	keys    []key
	buf     []byte
	offsets []uint64
	extents []extent // by series
	sum     hash.Hash
}

type key struct {
	text string
	row  uint32
}

// Create begins a file. Nothing stands at path until [Writer.Close]; call
// [Writer.Abort] otherwise.
func Create(path string, h Header) (*Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-")
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, file: f, out: bufio.NewWriterSize(f, 1<<20), header: h, sum: sha256.New()}
	if err := w.write(magic[:]); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.at += uint64(n)
	return err
}

// Series returns the number of a series, which is added when it is new.
func (w *Writer) Series(s Series) int {
	if i := slices.Index(w.header.Series, s); i >= 0 {
		return i
	}
	w.header.Series = append(w.header.Series, s)
	return len(w.header.Series) - 1
}

// Add writes the record of an architecture. Its row is the number of records before.
func (w *Writer) Add(name string, runs []Run) error {
	if name == "" || len(name) > maxKey {
		return fmt.Errorf("an architecture cannot be called %.40q", name)
	}
	var err error
	if w.buf, err = appendRecord(w.buf[:0], w.header.Series, runs); err != nil {
		return fmt.Errorf("architecture %s: %w", name, err)
	}
	for _, r := range runs {
		w.extend(r, len(w.keys))
	}
	w.sum.Write(w.buf)
	w.keys = append(w.keys, key{name, uint32(len(w.keys))})
	w.offsets = append(w.offsets, w.at)
	return w.write(w.buf)
}

// About says what the file is about, where that was not known when it was begun.
func (w *Writer) About(benchmark, doc string, total int) {
	w.header.Benchmark, w.header.Doc, w.header.Total = benchmark, doc, total
}

// Len is the number of records that were written.
func (w *Writer) Len() int { return len(w.keys) }

// Source notes a file that was imported.
func (w *Writer) Source(s Source) { w.header.Source = append(w.header.Source, s) }

// Close completes the file and gives it its name.
func (w *Writer) Close() (err error) {
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	if len(w.keys) == 0 {
		return fmt.Errorf("there is no architecture to write")
	}
	slices.SortStableFunc(w.keys, func(a, b key) int { return cmp.Compare(a.text, b.text) })
	for i := range w.keys[1:] {
		if w.keys[i].text == w.keys[i+1].text {
			return fmt.Errorf("architecture %s comes twice", w.keys[i].text)
		}
	}
	w.offsets = append(w.offsets, w.at)
	w.header.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	for i := range w.header.Series {
		w.header.Extents = append(w.header.Extents, w.extent(i))
	}
	header, err := json.Marshal(w.header)
	if err != nil {
		return err
	}
	var t tail
	for i, b := range [][]byte{w.keyIndex(), w.offsetIndex(), header} {
		t.parts[i] = part{w.at, uint64(len(b)), checksum(b)}
		if err := w.write(b); err != nil {
			return err
		}
	}
	if err := w.write(t.bytes()); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := w.file.Chmod(0o644); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return err
	}
	return os.Rename(w.file.Name(), w.path)
}

// Abort gives the file up and removes what was written.
func (w *Writer) Abort() {
	w.file.Close()
	os.Remove(w.file.Name())
}

// keyIndex is, per architecture in order of name: row and the end of its name in
// what follows, the names.
func (w *Writer) keyIndex() []byte {
	var index, names []byte
	for _, k := range w.keys {
		names = append(names, k.text...)
		index = binary.LittleEndian.AppendUint32(index, k.row)
		index = binary.LittleEndian.AppendUint32(index, uint32(len(names)))
	}
	return append(index, names...)
}

func (w *Writer) offsetIndex() []byte {
	b := make([]byte, 0, 8*len(w.offsets))
	for _, o := range w.offsets {
		b = binary.LittleEndian.AppendUint64(b, o)
	}
	return b
}

// tail says where the parts after the records are: keys, offsets, header.
type tail struct{ parts [3]part }

type part struct {
	offset, length uint64
	sum            uint32
}

const tailSize = 3*20 + 4 + 4 + 8

func (t *tail) bytes() []byte {
	b := make([]byte, 0, tailSize)
	for _, p := range t.parts {
		b = binary.LittleEndian.AppendUint64(b, p.offset)
		b = binary.LittleEndian.AppendUint64(b, p.length)
		b = binary.LittleEndian.AppendUint32(b, p.sum)
	}
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	b = binary.LittleEndian.AppendUint32(b, Version)
	return append(b, magic[:]...)
}
