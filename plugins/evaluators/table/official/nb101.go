package official

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const nasbench101Doc = "NAS-Bench-101: modules of up to seven vertices, trained on CIFAR-10."

// nasbench101TFRecord reads nasbench_full.tfrecord or nasbench_only108.tfrecord. The
// trainings of a module stand anywhere in the file, so records are first sorted into
// parts by their hash, on disk, each of which fits into memory.
func nasbench101TFRecord(j *job, paths []string) error {
	path := paths[0]
	j.about("nasbench101", nasbench101Doc)
	s, err := j.open(path)
	if err != nil {
		return err
	}
	j.size = 2 * s.size // it is read, and then what was sorted
	if s.size == 0 {
		return fail(WrongFile, path, "", "the file is empty")
	}
	parts := newSpill(j.dir)
	defer parts.close()
	f := frames{r: bufio.NewReaderSize(s, 1<<20)}
	for n := 0; ; n++ {
		data, err := f.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return frameError(path, n, err)
		}
		if err := parts.add(data); err != nil {
			return err
		}
	}
	if err := s.end(); err != nil {
		return err
	}
	return parts.each(func(rows [][]byte) error {
		for _, data := range rows {
			j.read(int64(len(data)) + frameHead)
		}
		return j.nasbench101Rows(path, rows)
	})
}

func frameError(path string, n int, err error) error {
	switch {
	case (errors.Is(err, errFrameSum) || errors.Is(err, io.ErrUnexpectedEOF)) && n == 0:
		return fail(WrongFile, path, "", "it is no TFRecord file: its first record does not have its checksum")
	case errors.Is(err, errFrameSum), errors.Is(err, errFrameSize):
		return fail(Damaged, path, "", "record %d: %v", n, err)
	}
	return broken(path, err)
}

// nasbench101Rows writes the modules of one part, in the order of their hashes.
func (j *job) nasbench101Rows(path string, records [][]byte) error {
	slices.SortStableFunc(records, func(a, b []byte) int { return bytes.Compare(hashOf(a), hashOf(b)) })
	for len(records) > 0 {
		if err := j.ctx.Err(); err != nil {
			return err
		}
		n := 1
		for n < len(records) && bytes.Equal(hashOf(records[n]), hashOf(records[0])) {
			n++
		}
		rows := make([]row, n)
		for i, data := range records[:n] {
			var err error
			if rows[i], err = parseRow(data); err != nil {
				return fail(Damaged, path, rows[i].hash, "%v", err)
			}
			for _, other := range records[:i] {
				if bytes.Equal(data, other) {
					return fail(Twice, path, rows[i].hash, "a training of %d epochs comes twice, with the same numbers", rows[i].epochs)
				}
			}
		}
		slices.SortStableFunc(rows, func(a, b row) int { return a.epochs - b.epochs })
		if err := j.nasbench101Module(path, rows); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// hashOf is what stands between the first quotes of a record.
func hashOf(data []byte) []byte {
	_, rest, _ := bytes.Cut(data, []byte{'"'})
	hash, _, _ := bytes.Cut(rest, []byte{'"'})
	return hash
}

// nasbench101Module writes a module of all its trainings. Repeats of a number of
// epochs are told apart by the order in which they stand in the file, from 0.
func (j *job) nasbench101Module(path string, rows []row) error {
	hash := rows[0].hash
	if h, ok := rows[0].module.Hash(); !ok || h != hash {
		return fail(Damaged, path, hash, "its matrix and operations have another hash")
	}
	list := moduleMeasures(rows[0].module)
	list = append(list, paramsMeasure(rows[0].params))
	repeat := map[int]uint32{}
	for _, r := range rows {
		if r.params != rows[0].params {
			return fail(BadValue, path, hash, "it has %v parameters in one training and %v in another", rows[0].params, r.params)
		}
		ms, err := r.measures(repeat[r.epochs])
		if err != nil {
			return fail(BadValue, path, hash, "%v", err)
		}
		repeat[r.epochs]++
		list = append(list, ms...)
	}
	return j.add(path, hash, list)
}

// spill sorts records by hash into files that have no name any more, so that nothing
// is left of them whatever happens.
type spill struct {
	dir   string
	files [64]*os.File
	out   [64]*bufio.Writer
}

func newSpill(dir string) *spill { return &spill{dir: dir} }

// part is the part of a record: by the first digits of its hash.
func part(data []byte) int {
	n := 0
	for i, c := range hashOf(data) {
		if i == 2 {
			break
		}
		n = n<<4 | strings.IndexByte("0123456789abcdef", c)&15
	}
	return n >> 2
}

func (s *spill) add(data []byte) error {
	p := part(data)
	if s.files[p] == nil {
		f, err := os.CreateTemp(s.dir, ".nasc-import-")
		if err != nil {
			return err
		}
		os.Remove(f.Name()) // where that is not possible, close does it
		s.files[p], s.out[p] = f, bufio.NewWriterSize(f, 1<<16)
	}
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(data)))
	if _, err := s.out[p].Write(n[:]); err != nil {
		return err
	}
	_, err := s.out[p].Write(data)
	return err
}

// each hands the records of every part over.
func (s *spill) each(f func([][]byte) error) error {
	for p, file := range s.files {
		if file == nil {
			continue
		}
		if err := s.out[p].Flush(); err != nil {
			return err
		}
		size, err := file.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		data := make([]byte, size)
		if _, err := file.ReadAt(data, 0); err != nil {
			return err
		}
		var rows [][]byte
		for len(data) >= 4 {
			n := int(binary.LittleEndian.Uint32(data))
			rows = append(rows, data[4:4+n])
			data = data[4+n:]
		}
		if err := f(rows); err != nil {
			return err
		}
	}
	return nil
}

func (s *spill) close() {
	for _, f := range s.files {
		if f != nil {
			f.Close()
			os.Remove(filepath.Clean(f.Name()))
		}
	}
}
