package official

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// maxCSV bounds a table, unpacked.
const maxCSV = 256 << 20

// tables reads tables of one benchmark, plain or packed by gzip, and merges them by
// architecture.
func tables(j *job, paths []string) error {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return unreadable(p, err)
		}
		j.size += info.Size()
	}
	m := merged{rows: map[string]int{}, columns: map[cell]int{}}
	for _, p := range paths {
		if err := j.csvFile(p, &m); err != nil {
			return err
		}
	}
	if m.layout != nil {
		j.about(m.layout.benchmark, m.layout.doc)
	}
	return m.write(j, paths[0])
}

// cell says what a number of a row is.
type cell struct {
	series nasb.Series
	seed   uint32
	epoch  int
}

// merged holds the numbers of all tables by column, NaN for none. It takes 8 bytes a
// number, so that the largest table, of 423,624 rows, takes little.
type merged struct {
	layout  *layout
	names   []string
	rows    map[string]int
	columns map[cell]int
	cells   []cell
	values  [][]float64 // by column, then row; rows at the end may be missing
	from    []string    // by column: the table that filled it first
}

func (m *merged) row(name string) int {
	n, ok := m.rows[name]
	if !ok {
		n = len(m.names)
		m.rows[name] = n
		m.names = append(m.names, name)
	}
	return n
}

func (m *merged) column(c cell, path string) int {
	n, ok := m.columns[c]
	if !ok {
		n = len(m.cells)
		m.columns[c] = n
		m.cells, m.values, m.from = append(m.cells, c), append(m.values, nil), append(m.from, path)
	}
	return n
}

// set takes a number. Two tables may give the same one, also rounded to fewer
// decimals; the one with more is kept.
func (m *merged) set(row, column int, v float64) error {
	have := m.values[column]
	for len(have) <= row {
		have = append(have, math.NaN())
	}
	m.values[column] = have
	if old := have[row]; !math.IsNaN(old) && old != v {
		a, b := decimals(old), decimals(v)
		if math.Abs(old-v) > 0.5001*math.Pow10(-max(min(a, b), 3)) {
			return fmt.Errorf("its %s is %v here and %v in %s", m.cells[column].series, v, old, m.from[column])
		}
		if a > b {
			return nil
		}
	}
	have[row] = v
	return nil
}

// decimals is how many a number was written with, zeros at the end aside.
func decimals(v float64) int {
	_, after, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	return len(after)
}

func (m *merged) write(j *job, path string) error {
	order := make([]int, len(m.cells))
	for i := range order {
		order[i] = i
	}
	first := map[nasb.Series]int{}
	for i, c := range m.cells {
		if _, ok := first[c.series]; !ok {
			first[c.series] = i
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := m.cells[a], m.cells[b]
		for _, d := range []int{first[x.series] - first[y.series], int(x.seed) - int(y.seed), x.epoch - y.epoch} {
			if d != 0 {
				return d
			}
		}
		return 0
	})
	for row, name := range m.names {
		if row%1024 == 0 {
			if err := j.ctx.Err(); err != nil {
				return err
			}
		}
		var list []measure
		for _, i := range order {
			if row >= len(m.values[i]) || math.IsNaN(m.values[i][row]) {
				continue
			}
			c, v := m.cells[i], m.values[i][row]
			if n := len(list) - 1; n >= 0 && list[n].series == c.series && list[n].seed == c.seed && list[n].first+len(list[n].values) == c.epoch && c.epoch != nasb.NoEpoch {
				list[n].values = append(list[n].values, v)
				continue
			}
			list = append(list, measure{c.series, c.seed, c.epoch, []float64{v}})
		}
		if err := j.add(path, name, list); err != nil {
			return err
		}
	}
	return nil
}

// csvFile reads a table.
func (j *job) csvFile(path string, m *merged) error {
	s, err := j.open(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	in, err := s.unpacked(maxCSV)
	if err != nil {
		return err
	}
	r := csv.NewReader(in)
	r.ReuseRecord = true
	header, err := r.Read()
	if err == io.EOF {
		return fail(WrongFile, path, "", "the table is empty")
	}
	if err != nil {
		return csvError(s, err)
	}
	header = slices.Clone(header)
	l, err := recognise(header)
	if err != nil {
		return fail(WrongFile, path, "", "%v", err)
	}
	if m.layout != nil && m.layout.benchmark != l.benchmark {
		return fail(WrongFile, path, "", "it is a table of %s, and the others are of %s", l.benchmark, m.layout.benchmark)
	}
	if m.layout == nil {
		m.layout = l
	}
	t := csvTable{path: path, header: header, layout: l, merged: m, once: map[[2]int]bool{}}
	if err := t.prepare(); err != nil {
		return err
	}
	for {
		record, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return csvError(s, err)
		}
		if err := t.record(record); err != nil {
			return err
		}
	}
	return s.end()
}

func csvError(s *source, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fail(Damaged, s.path, "", "line %d: %v", p.Line, p.Err)
	}
	return s.broken(err)
}

// csvTable is a table that is being read.
type csvTable struct {
	path    string
	header  []string
	layout  *layout
	merged  *merged
	key     int // the column of the architecture
	epoch   int // the column of the epoch, or -1
	cells   []cell
	columns []int // of merged; isText for what is no number, byEpoch where it depends on the epoch
	once    map[[2]int]bool
}

const (
	isText  = -1
	byEpoch = -2
)

func (t *csvTable) prepare() error {
	t.key, t.epoch = slices.Index(t.header, t.layout.key), slices.Index(t.header, "epoch")
	t.columns, t.cells = make([]int, len(t.header)), make([]cell, len(t.header))
	for i, name := range t.header {
		t.columns[i] = isText
		c, ok := t.layout.column(name)
		switch {
		case slices.Index(t.header, name) != i:
			return fail(WrongFile, t.path, "", "the column %q comes twice", name)
		case i == t.key || i == t.epoch || slices.Contains(t.layout.texts, name):
		case !ok:
			return fail(WrongFile, t.path, "", "the column %q is none of a table of %s", name, t.layout.benchmark)
		case t.epoch >= 0 && c.epoch != nasb.NoEpoch:
			t.columns[i] = byEpoch
		default:
			t.columns[i] = t.merged.column(c, t.path)
		}
		t.cells[i] = c
	}
	return nil
}

// record takes a line.
func (t *csvTable) record(record []string) error {
	name := record[t.key]
	if !t.layout.valid(name) {
		return fail(NotInBenchmark, t.path, name, "%s has no such architecture", t.layout.benchmark)
	}
	row := t.merged.row(string([]byte(name)))
	epoch := -1
	if t.epoch >= 0 {
		n, err := strconv.Atoi(record[t.epoch])
		if err != nil || n < 0 || n >= t.layout.epochs {
			return fail(BadValue, t.path, name, "%.20q is no epoch from 0 to %d", record[t.epoch], t.layout.epochs-1)
		}
		epoch = n
	}
	if t.once[[2]int{row, epoch}] {
		return fail(Twice, t.path, name, "it comes twice in the table")
	}
	t.once[[2]int{row, epoch}] = true
	if t.layout.check != nil {
		list, err := t.layout.check(t.header, record)
		if err != nil {
			return fail(Damaged, t.path, name, "%v", err)
		}
		for _, m := range list {
			if err := t.merged.set(row, t.merged.column(cell{m.series, m.seed, m.first}, t.path), m.values[0]); err != nil {
				return fail(Twice, t.path, name, "%v", err)
			}
		}
	}
	for i, text := range record {
		if text == "" || t.columns[i] == isText {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fail(BadValue, t.path, name, "its %s is %.30q", t.header[i], text)
		}
		if t.layout.absent(t.header[i], v) {
			continue
		}
		column := t.columns[i]
		if column == byEpoch {
			c := t.cells[i]
			c.epoch = epoch
			column = t.merged.column(c, t.path)
		}
		if err := t.merged.set(row, column, v); err != nil {
			return fail(Twice, t.path, name, "%v", err)
		}
	}
	return nil
}
