package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SweepFile tells of a folder that it holds the runs of a sweep.
const SweepFile = "sweep.json"

// Sweep is a folder of runs, one for each point of a search block that sweeps. It
// is written before the first run and never changed. A run that has not begun yet
// has no folder.
type Sweep struct {
	Format  int             `json:"format"`
	Nasc    string          `json:"nasc"`
	Name    string          `json:"name"`
	Started string          `json:"started"` // RFC 3339
	Options json.RawMessage `json:"options"` // what the command line said
	Points  []SweepPoint    `json:"points"`
	Sources []SourceFile    `json:"sources"`
}

// SweepPoint is one run of a sweep.
type SweepPoint struct {
	Label  string `json:"label"`  // "population=16 seed=2"
	Folder string `json:"folder"` // in the folder of the sweep
}

// CreateSweep makes the folder of a new sweep, which must not exist yet or be
// empty.
func CreateSweep(dir string, s *Sweep) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s: %w", dir, ErrExists)
	}
	c := *s
	c.Format = ManifestFormat
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&c); err != nil {
		return fmt.Errorf("%s: %w", SweepFile, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, SweepFile), buf.Bytes()); err != nil {
		os.Remove(dir) // fails, rightly, when somebody else uses it
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// ReadSweep reads what a folder's runs are; ErrNotRun when it is no sweep.
func ReadSweep(dir string) (*Sweep, error) {
	data, err := os.ReadFile(filepath.Join(dir, SweepFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRun)
	} else if err != nil {
		return nil, err
	}
	s := new(Sweep)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, damaged("%s: %w", SweepFile, err)
	}
	if s.Format != ManifestFormat {
		return nil, damaged("%s has format %d, this nasc reads format %d", SweepFile, s.Format, ManifestFormat)
	}
	for _, p := range s.Points {
		if p.Folder == "" || p.Folder != filepath.Base(p.Folder) || p.Folder[0] == '.' {
			return nil, damaged("%s names a folder %q", SweepFile, p.Folder)
		}
	}
	return s, nil
}

// LockSweep keeps other processes from running a sweep; ErrBusy while one does.
func LockSweep(dir string) (release func(), err error) {
	lock, err := hold(dir)
	if err != nil {
		return nil, err
	}
	return func() { lock.Close() }, nil
}
