package table

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// source is an imported benchmark, open for reading.
type source struct {
	*nasb.File
	hashes byHash
}

// identity tells files apart, also one that was replaced under its name.
type identity struct {
	path     string
	size     int64
	modified time.Time
}

// sources are the files that this process has open. Hundreds of searches share a
// process and ask one table; it is opened once and stays open, mapped and read only,
// as long as the process lives.
var sources struct {
	sync.Mutex
	open map[identity]*source
}

// openSource opens a file, or returns it when it is open.
func openSource(path string) (*source, identity, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, identity{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, identity{}, err
	}
	id := identity{path, info.Size(), info.ModTime()}
	sources.Lock()
	defer sources.Unlock()
	if s := sources.open[id]; s != nil {
		return s, id, nil
	}
	f, err := nasb.Open(path)
	if err != nil {
		return nil, id, err
	}
	s := &source{File: f}
	if sources.open == nil {
		sources.open = map[identity]*source{}
	}
	sources.open[id] = s
	return s, id, nil
}

// row finds an architecture by the benchmark's name of it.
func (s *source) row(b *benchmark, name string) (int, bool) {
	if b.row != nil {
		return b.row(s, name)
	}
	return s.Find(name)
}

// buffers are what records are read into.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// read gives f the record of a row. The files of some benchmarks are larger than a
// process should be, so their records are not read from mapped memory.
func (s *source) read(row int, f func(nasb.Record) error) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	var r nasb.Record
	var err error
	if r, *buf, err = s.Copy(row, *buf); err != nil {
		return err
	}
	return f(r)
}

// extent says how many of the benchmark's architectures a file holds.
func (s *source) extent() string {
	if s.Total > s.Len() {
		return fmt.Sprintf("%d of the benchmark's %d architectures", s.Len(), s.Total)
	}
	return fmt.Sprintf("%d architectures", s.Len())
}
