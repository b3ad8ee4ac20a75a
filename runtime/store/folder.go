package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The files of a folder.
const (
	LogFile      = "nasc.db"
	ManifestFile = "manifest.json"
	BestFile     = "best.nas"
	DrawingFile  = "best.svg"
	// RetrainedFile is there when the winner is tested in another space.
	RetrainedFile = "retrained.nas"
	lockFile      = "lock"
)

// Folder is an open folder of runs. Many goroutines may use it.
type Folder struct {
	Dir     string
	Nasc    string // version of nasc that made it
	Name    string
	Started string          // RFC 3339
	Options json.RawMessage // of a study: what the command line said; else empty
	Sources []SourceFile    // of all runs
	Runs    []*Run

	reader *sql.DB
	db     *sql.DB // nil when open for reading
	lock   *os.File
	*writer

	mu            sync.Mutex
	metrics       map[string]int // columns by name
	architectures map[int64]*Architecture
	last          int64 // architecture that was added
}

// Study reports whether the folder holds the runs of a study.
func (f *Folder) Study() bool { return len(f.Options) > 0 }

// Create makes a new folder with its runs and opens it for writing: a study if f
// has options, else one run. The folder must not exist yet, or be empty. On an
// error nothing is left behind.
func Create(dir string, f *Folder, points []Point) (_ *Folder, err error) {
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
	if err := prepare(tmp, f, points); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if err := Place(tmp, dir); err != nil {
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

// prepare fills a new folder that nobody knows yet.
func prepare(dir string, f *Folder, points []Point) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := createLog(filepath.Join(dir, LogFile), f, points); err != nil {
		return unreadable(err)
	}
	inside, err := Open(dir)
	if err != nil {
		return err
	}
	for i, p := range points {
		if p.Manifest != nil && err == nil {
			err = inside.Runs[i].Begin(p.Manifest)
		}
	}
	if e := inside.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	text, err := f.describe(points)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, ManifestFile), text); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, lockFile)); err != nil {
		return err
	}
	return syncDir(dir)
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

// Is reports whether dir is a folder of runs, readable or not.
func Is(dir string) bool {
	for _, name := range []string{LogFile, ManifestFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// Split reads an address: a folder, or a folder and the number of a run in it.
func Split(address string) (dir string, number int) {
	if Is(address) {
		return address, 0
	}
	clean := filepath.Clean(address)
	if n, err := strconv.Atoi(filepath.Base(clean)); err == nil && n > 0 && Is(filepath.Dir(clean)) {
		return filepath.Dir(clean), n
	}
	return address, 0
}

// Open opens a folder for writing. It fails with ErrBusy while another process
// has it open for writing, and with ErrNotRun for any other folder.
func Open(dir string) (*Folder, error) {
	if !Is(dir) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRun)
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, err
	}
	f, err := read(dir, "rw")
	if err == nil {
		f.lock = lock
		if f.db, err = openLog(filepath.Join(dir, LogFile), "rw"); err == nil {
			f.writer, err = newWriter(f.db, len(f.metrics))
		}
		if err == nil {
			return f, nil
		}
		err = f.in(err)
		if f.db != nil {
			f.db.Close()
		}
		f.reader.Close()
	}
	lock.Close()
	return nil, err
}

// Read opens a folder for reading. It neither waits for a writer nor changes
// anything.
func Read(dir string) (*Folder, error) {
	if !Is(dir) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRun)
	}
	return read(dir, "ro")
}

func read(dir, mode string) (*Folder, error) {
	f := &Folder{Dir: dir, metrics: map[string]int{}, architectures: map[int64]*Architecture{}}
	var err error
	if f.reader, err = openLog(filepath.Join(dir, LogFile), mode); err != nil {
		return nil, f.in(err)
	}
	// A connection that nobody uses closes itself: whoever only reads need not.
	f.reader.SetConnMaxIdleTime(time.Second)
	if err := f.load(); err != nil {
		f.reader.Close()
		return nil, err
	}
	return f, nil
}

// load reads all but the trials.
func (f *Folder) load() error {
	err := f.each(`SELECT name, value FROM folder`, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		switch name {
		case "nasc":
			f.Nasc = value
		case "name":
			f.Name = value
		case "started":
			f.Started = value
		case "options":
			f.Options = json.RawMessage(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = f.each(`SELECT file, sha256, text FROM sources ORDER BY id`, func(rows *sql.Rows) error {
		var s SourceFile
		err := rows.Scan(&s.File, &s.SHA256, &s.Text)
		f.Sources = append(f.Sources, s)
		return err
	})
	if err != nil {
		return err
	}
	err = f.each(`SELECT id, name FROM metrics`, func(rows *sql.Rows) error {
		var id int
		var name string
		err := rows.Scan(&id, &name)
		f.metrics[name] = id
		return err
	})
	if err != nil {
		return err
	}
	err = f.each(`SELECT id, label, grp, manifest, metrics FROM runs ORDER BY id`, func(rows *sql.Rows) error {
		r := &Run{Folder: f}
		var manifest, names sql.NullString
		if err := rows.Scan(&r.id, &r.Label, &r.Group, &manifest, &names); err != nil {
			return err
		}
		if f.Study() {
			r.Number = int(r.id)
		}
		if manifest.Valid {
			if err := json.Unmarshal([]byte(names.String), &r.names); err != nil {
				return damaged("the metrics of run %d: %w", r.id, err)
			}
			for _, name := range r.names {
				if f.metrics[name] == 0 {
					return damaged("run %d has a metric %q that the log lacks", r.id, name)
				}
				r.columns = append(r.columns, f.metrics[name])
			}
			r.manifest = f.manifestOf([]byte(manifest.String))
		}
		f.Runs = append(f.Runs, r)
		return nil
	})
	if err != nil {
		return err
	}
	if len(f.Runs) == 0 || !f.Study() && f.Runs[0].manifest == nil && !strings.HasPrefix(filepath.Base(f.Dir), ".") {
		return f.in(damaged("there is no run in it"))
	}
	return f.each(`SELECT COALESCE(MAX(id), 0) FROM architectures`, func(rows *sql.Rows) error { return rows.Scan(&f.last) })
}

// Run is the run with a number, counted from 1 in a study and 0 elsewhere.
func (f *Folder) Run(number int) (*Run, error) {
	switch {
	case number == 0 && !f.Study():
		return f.Runs[0], nil
	case number < 1 || !f.Study() || number > len(f.Runs):
		return nil, fmt.Errorf("%s: %w", filepath.Join(f.Dir, strconv.Itoa(number)), ErrNotRun)
	}
	return f.Runs[number-1], nil
}

// Add numbers an architecture that is new to the folder and queues it.
func (f *Folder) Add(genotype string, labels json.RawMessage, hash string) (*Architecture, error) {
	f.mu.Lock()
	f.last++
	a := &Architecture{ID: f.last, Genotype: genotype, Hash: hash}
	f.mu.Unlock()
	// The labels are for the log alone; in memory they would be most of a large search.
	full := *a
	full.Labels = labels
	return a, f.put(false, op{added: &full})
}

// columns are those of metrics, added where they are new.
func (f *Folder) columns(names []string) ([]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]int, len(names))
	for i, name := range names {
		if f.metrics[name] == 0 {
			id := len(f.metrics) + 1
			if err := f.exec(`INSERT INTO metrics VALUES (?,?)`, id, name); err != nil {
				return nil, err
			}
			if err := f.exec(`ALTER TABLE trials ADD COLUMN ` + column(id) + ` REAL`); err != nil {
				return nil, err
			}
			f.metrics[name] = id
		}
		out[i] = f.metrics[name]
	}
	return out, nil
}

func (f *Folder) exec(query string, params ...any) error {
	return f.put(false, op{query: query, params: params})
}

func (f *Folder) put(wait bool, ops ...op) error {
	if err := f.writer.put(wait, ops...); err != nil {
		return f.in(err)
	}
	return nil
}

// Sync returns when everything that was queued is on the disk, or with the error
// that keeps it from there.
func (f *Folder) Sync() error { return f.put(true) }

// Busy reports whether a live process is writing to the folder.
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

// Close writes what is queued, folds the write-ahead log into the database and
// releases the folder.
func (f *Folder) Close() error {
	err := f.reader.Close()
	if f.lock != nil {
		if e := f.stop(); e != nil {
			err = errors.Join(err, f.in(e))
		}
		_, e := f.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		err = errors.Join(err, e, f.db.Close(), f.lock.Close())
	}
	return err
}

// List returns the folders of runs in folder, in order of their names.
func List(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, e := range entries {
		if dir := filepath.Join(folder, e.Name()); e.Name()[0] != '.' && Is(dir) {
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
