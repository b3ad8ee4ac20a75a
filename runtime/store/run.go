// Package store keeps runs. A run is a folder:
//
//	manifest.json   everything that could confound a comparison
//	nasc.db         the trial log (SQLite in WAL mode)
//	best.nas        the winner, written at the end
//	best.svg        its drawing
//	retrained.nas   the network that was tested, when the search says `retrain`
//
// The folder appears at once and complete: it is prepared under a temporary
// name with its manifest and an empty log, and renamed. From then on the log
// only grows. One process at a time may write; it holds an advisory lock on
// the folder, which the kernel drops when the process dies, so a killed search
// leaves nothing to clean up. Readers need no lock.
//
// [Run.Append] returns when the trial is on the disk (synchronous = FULL: one
// fsync, well under a millisecond beside an evaluation), and only then is the
// optimizer told. A kill at any instant therefore loses at most evaluations
// that were still running.
//
// Wall-clock values live in their own table. [Run.Log] leaves them out, so
// equal inputs give logs equal byte for byte.
package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The files of a run folder.
const (
	LogFile      = "nasc.db"
	ManifestFile = "manifest.json"
	BestFile     = "best.nas"
	DrawingFile  = "best.svg"
	// RetrainedFile is there when the winner is tested in another space.
	RetrainedFile = "retrained.nas"
	lockFile      = "lock"
)

// ErrBusy means that a live process is writing to the run.
var ErrBusy = errors.New("in use by another process")

// ErrExists means that the folder for a new run is taken.
var ErrExists = errors.New("already exists")

// ErrNotRun means that a folder holds no run.
var ErrNotRun = errors.New("not a run folder")

// DamagedError means that a run's manifest or log cannot be read: it is cut
// off, overwritten, missing beside the other, or of another version.
type DamagedError struct{ err error }

func (e *DamagedError) Error() string { return e.err.Error() }
func (e *DamagedError) Unwrap() error { return e.err }

func damaged(format string, args ...any) error {
	return &DamagedError{fmt.Errorf(format, args...)}
}

// Run is an open run folder.
type Run struct {
	Dir      string
	Manifest *Manifest

	db   *sql.DB
	lock *os.File // nil when open for reading
}

// Create makes the folder of a new run and opens it for writing. The folder
// must not exist yet, or be empty. On an error nothing is left behind.
func Create(dir string, m *Manifest) (_ *Run, err error) {
	dir = filepath.Clean(dir)
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrExists)
	}
	parent := filepath.Dir(dir)
	made, err := makeParents(parent)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, d := range made {
				os.Remove(d) // fails, rightly, when somebody else uses it
			}
		}
	}()
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".new-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return nil, err
	}
	if err := m.write(tmp); err != nil {
		return nil, err
	}
	if err := createLog(filepath.Join(tmp, LogFile)); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, LogFile), err)
	}
	if err := syncDir(tmp); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, e := os.Stat(dir); e == nil {
			return nil, fmt.Errorf("%s: %w", dir, ErrExists)
		}
		return nil, err
	}
	if err := syncDir(parent); err != nil {
		return nil, err
	}
	return Open(dir)
}

// makeParents is MkdirAll that tells what it made, innermost first.
func makeParents(dir string) (made []string, err error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	return made, os.MkdirAll(dir, 0o755)
}

// Name returns the first of name, name-2, name-3 … that is free in folder.
func Name(folder, name string) string {
	for i := 1; ; i++ {
		n := name
		if i > 1 {
			n += "-" + strconv.Itoa(i)
		}
		if _, err := os.Lstat(filepath.Join(folder, n)); errors.Is(err, fs.ErrNotExist) {
			return n
		}
	}
}

// Open opens an existing run for writing. It fails with ErrBusy while another
// process has it open for writing, and with ErrNotRun for any other folder.
func Open(dir string) (*Run, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, err
	}
	db, err := openLog(filepath.Join(dir, LogFile), "rw")
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, LogFile), err)
	}
	return &Run{Dir: dir, Manifest: m, db: db, lock: lock}, nil
}

// Read opens an existing run for reading. It neither waits for a writer nor
// changes anything in the folder.
func Read(dir string) (*Run, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	db, err := openLog(filepath.Join(dir, LogFile), "ro")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, LogFile), err)
	}
	return &Run{Dir: dir, Manifest: m, db: db}, nil
}

// Busy reports whether a live process is writing to the run in dir.
func Busy(dir string) bool {
	path := filepath.Join(dir, lockFile)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock, err := takeLock(path)
	if err == nil {
		lock.Close()
	}
	return errors.Is(err, ErrBusy)
}

// Close folds the write-ahead log into the database and releases the run.
func (r *Run) Close() error {
	var err error
	if r.lock != nil {
		_, err = r.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	err = errors.Join(err, r.db.Close())
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}

// WriteFile puts a file beside the log: complete, or not at all.
func (r *Run) WriteFile(name string, data []byte) error {
	return writeFile(filepath.Join(r.Dir, name), data)
}

// List returns the folders of the runs in folder, those of a sweep among them, in
// order of their names.
func List(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		dir := filepath.Join(folder, e.Name())
		if _, err := os.Stat(filepath.Join(dir, SweepFile)); err == nil && e.Name()[0] != '.' {
			inner, err := List(dir)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, inner...)
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err == nil && e.Name()[0] != '.' {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// hold takes the lock of a folder, or says which one is busy.
func hold(dir string) (*os.File, error) {
	lock, err := takeLock(filepath.Join(dir, lockFile))
	for range 10 { // Busy holds it for a moment
		if !errors.Is(err, ErrBusy) {
			break
		}
		time.Sleep(20 * time.Millisecond)
		lock, err = takeLock(filepath.Join(dir, lockFile))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return lock, nil
}
