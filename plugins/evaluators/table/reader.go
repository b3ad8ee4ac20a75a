package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// Table holds some columns of the results of all cells.
type Table struct {
	SHA256  string // of the file
	columns int
	values  []float64 // row after row, by Number of the cell
}

// Row is the values of an architecture, in the order of the columns asked for.
func (t *Table) Row(a nasbench201.Arch) []float64 {
	n := a.Number() * t.columns
	return t.values[n : n+t.columns]
}

// maxText bounds the text of a table: a damaged or hostile file must not fill
// the memory.
const maxText = 64 << 20

// Open reads the named columns of a CSV file, plain or gzip. The file has a
// header line, the columns "index" and "arch", and exactly one row for each of
// the 15,625 cells with a finite number in each column asked for: accuracies in
// per cent (0 to 100) and, in columns that end in "_s", positive seconds.
func Open(path string, columns []string) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Read(f, columns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Read is Open for a stream.
func Read(r io.Reader, columns []string) (*Table, error) {
	sum := sha256.New()
	raw := bufio.NewReaderSize(io.TeeReader(r, sum), 1<<16)
	text := io.Reader(raw)
	if magic, _ := raw.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, damaged(err)
		}
		text = z
	}
	p := parser{table: &Table{columns: len(columns)}, want: columns}
	if err := p.read(io.LimitReader(text, maxText+1)); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return nil, damaged(err)
	}
	p.table.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return p.table, nil
}

func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the file ends too early: it is incomplete")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return errors.New("the file is damaged: its gzip checksum or header is wrong")
	}
	return fmt.Errorf("the file cannot be read: %w", err)
}

// parser reads lines into a table.
type parser struct {
	table  *Table
	want   []string
	header []string
	places []int // of the wanted columns in a line
	index  int   // places of the two columns that name a row
	arch   int
	lines  []int32 // where each architecture was read; 0: not yet
	taken  []int32 // the same by index
	fields [][]byte
}

func (p *parser) read(text io.Reader) error {
	p.table.values = make([]float64, nasbench201.Architectures*p.table.columns)
	p.lines = make([]int32, nasbench201.Architectures)
	p.taken = make([]int32, nasbench201.Architectures)
	scan := bufio.NewScanner(text)
	scan.Buffer(make([]byte, 1<<16), 1<<20)
	line, size := 0, 0
	for scan.Scan() {
		line++
		if size += len(scan.Bytes()) + 1; size > maxText {
			return fmt.Errorf("the table is longer than %d MB", maxText>>20)
		}
		var err error
		if line == 1 {
			err = p.head(scan.Text())
		} else if len(scan.Bytes()) > 0 {
			err = p.row(scan.Bytes(), int32(line))
		}
		if err != nil && !scan.Scan() && scan.Err() != nil {
			break // the line is wrong because the file breaks off in it
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d is too long: this is no table of NAS-Bench-201", line+1)
	} else if err != nil {
		return damaged(err)
	}
	if line == 0 {
		return errors.New("the file is empty")
	}
	return p.complete()
}

func (p *parser) head(text string) error {
	p.header = strings.Split(strings.TrimPrefix(text, "\ufeff"), ",")
	place := map[string]int{}
	for i, name := range p.header {
		if _, twice := place[name]; twice {
			return fmt.Errorf("the header has the column %q twice", name)
		}
		place[name] = i
	}
	find := func(name string) (int, error) {
		i, ok := place[name]
		if !ok {
			return 0, fmt.Errorf("the header has no column %q", name)
		}
		return i, nil
	}
	var err error
	if p.index, err = find("index"); err != nil {
		return err
	}
	if p.arch, err = find("arch"); err != nil {
		return err
	}
	for _, name := range p.want {
		i, err := find(name)
		if err != nil {
			return err
		}
		p.places = append(p.places, i)
	}
	return nil
}

func (p *parser) row(text []byte, line int32) error {
	p.fields = p.fields[:0]
	for {
		i := bytes.IndexByte(text, ',')
		if i < 0 {
			p.fields = append(p.fields, text)
			break
		}
		p.fields = append(p.fields, text[:i])
		text = text[i+1:]
	}
	if len(p.fields) != len(p.header) {
		return fmt.Errorf("%d values for %d columns", len(p.fields), len(p.header))
	}
	a, err := nasbench201.ParseArch(string(p.fields[p.arch]))
	if err != nil {
		return fmt.Errorf("arch %q: %w", p.fields[p.arch], err)
	}
	n := a.Number()
	if p.lines[n] != 0 {
		return fmt.Errorf("the architecture %s is already on line %d", a, p.lines[n])
	}
	p.lines[n] = line
	index, err := strconv.ParseUint(string(p.fields[p.index]), 10, 31)
	if err != nil || index >= nasbench201.Architectures {
		return fmt.Errorf("index %q is not a number from 0 to %d", p.fields[p.index], nasbench201.Architectures-1)
	}
	if p.taken[index] != 0 {
		return fmt.Errorf("the index %d is already on line %d", index, p.taken[index])
	}
	p.taken[index] = line
	for k, place := range p.places {
		if p.table.values[n*p.table.columns+k], err = value(p.want[k], p.fields[place]); err != nil {
			return err
		}
	}
	return nil
}

// value reads one number of a column.
func value(column string, text []byte) (float64, error) {
	if len(text) == 0 {
		return 0, fmt.Errorf("column %s is empty", column)
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("column %s is %q, not a number", column, text)
	}
	seconds := strings.HasSuffix(column, "_s")
	switch {
	case seconds && v <= 0:
		return 0, fmt.Errorf("column %s is %v seconds", column, v)
	case !seconds && (v < 0 || v > 100):
		return 0, fmt.Errorf("column %s is %v, not per cent", column, v)
	}
	return v, nil
}

// complete tests that every architecture was there.
func (p *parser) complete() error {
	missing, first := 0, -1
	for n, line := range p.lines {
		if line != 0 {
			continue
		}
		if missing++; first < 0 {
			first = n
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d architectures are missing, such as %s", missing, nasbench201.Architectures, nasbench201.At(first))
	}
	return nil
}
