// Package store keeps runs. A folder holds one run, or the runs of a study:
//
//	nasc.db         everything: manifests, architectures, trials (SQLite in WAL mode)
//	manifest.json   the manifest, for people; nasc reads nasc.db
//	best.nas        the winner of a single run, written at the end
//	best.svg        its drawing
//	retrained.nas   the network that was tested, when the search says `retrain`
//
// The folder appears at once and complete: it is prepared under a temporary
// name with its runs and no trials, and renamed. From then on the log only
// grows. One process at a time may write; it holds an advisory lock on the
// folder, which the kernel drops when the process dies, so a killed search
// leaves nothing to clean up. Readers need no lock.
//
// What is written goes through one queue into transactions, each of which takes
// whatever is waiting (synchronous = FULL: one fsync for all of it); while nobody
// waits, they are a quarter of a second apart. Order is kept: a crash loses the end of
// the queue and nothing before it. A trial that cost real time is waited for before
// anybody acts on it. Others may be ahead of the disk by a bounded number, since a
// resumed search derives them again at once.
//
// A stage of a one-shot search is committed in one transaction with the checkpoint
// that it can be gone on from ([Run.AppendStage]): the optimizer's state in the log,
// the evaluator's in a file that the log names.
//
// Wall-clock values have columns of their own. [Run.Log] leaves them out, so
// equal inputs give logs equal byte for byte.
package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
)

// State is how far a run has come.
type State string

// The states of a run. Whether a live process is at it is told by [Busy].
const (
	New      State = "new" // of a study: its turn has not come
	Begun    State = "begun"
	Finished State = "finished"
)

// Point is a run of a new folder: one combination of what a study sweeps.
type Point struct {
	Label    string    // "population=16 seed=2"; empty for a single run
	Group    string    // the label without the seed
	Manifest *Manifest // nil: Begin gives it
}

// Run is a run in an open folder.
type Run struct {
	Folder *Folder
	Number int // in a study, from 1; 0: the only run of its folder
	Label  string
	Group  string

	id       int64
	manifest func() (*Manifest, error) // nil: it has not begun
	names    []string                  // of its metrics, in the order of their values
	columns  []int                     // of the metrics, among all of the folder
}

// Address is how commands name the run: its folder, with its number in a study.
func (r *Run) Address() string {
	if r.Number == 0 {
		return r.Folder.Dir
	}
	return filepath.Join(r.Folder.Dir, strconv.Itoa(r.Number))
}

// WorkDir is where the plugins of the run keep files of their own until it is
// finished. It may not be there.
func (r *Run) WorkDir() string { return WorkDir(r.Folder.Dir, r.Number) }

// WorkDir is the same for the run of that number of a folder.
func WorkDir(folder string, number int) string {
	name := "unfinished"
	if number > 0 {
		name += "-" + strconv.Itoa(number)
	}
	return filepath.Join(folder, name)
}

// Manifest is what the run was begun with; nil when it has not begun.
func (r *Run) Manifest() (*Manifest, error) {
	if r.manifest == nil {
		return nil, nil
	}
	return r.manifest()
}

// Metrics names what its trials are measured by, in the order of their values.
func (r *Run) Metrics() []string { return r.names }

// manifestOf reads a manifest when it is first asked for.
func (f *Folder) manifestOf(text []byte) func() (*Manifest, error) {
	return sync.OnceValues(func() (*Manifest, error) {
		m, err := readManifest(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(f.Dir, LogFile), err)
		}
		m.Sources = f.Sources
		return m, nil
	})
}

// encoded is a manifest as the log keeps it: without the sources, which are the
// folder's.
func (m *Manifest) encoded() (string, error) {
	c := *m
	c.Sources = nil
	text, err := c.text("")
	return string(bytes.TrimSpace(text)), err
}

// Begin gives a run of a study its manifest. It is queued.
func (r *Run) Begin(m *Manifest) error {
	text, err := m.encoded()
	if err != nil {
		return err
	}
	names, err := json.Marshal(m.Metrics)
	if err != nil {
		return err
	}
	r.names = m.Metrics
	r.manifest = r.Folder.manifestOf([]byte(text))
	if r.columns, err = r.Folder.columns(m.Metrics); err != nil {
		return err
	}
	return r.Folder.exec(`UPDATE runs SET manifest = ?, metrics = ?, state = ? WHERE id = ?`, text, string(names), string(Begun), r.id)
}

// Append adds finished trials. With wait, they are on the disk when it returns;
// without, they will be unless a crash comes first.
func (r *Run) Append(trials []*Trial, wait bool) error {
	ops := make([]op, len(trials))
	for i, t := range trials {
		ops[i] = op{run: r, trial: t}
	}
	return r.Folder.put(wait, ops...)
}

// SetTest records the winner's metrics on the test split.
func (r *Run) SetTest(trial int64, metrics map[string]float64) error {
	if err := r.Folder.exec(`DELETE FROM tests WHERE run = ?`, r.id); err != nil {
		return err
	}
	for name, v := range metrics {
		if err := r.Folder.exec(`INSERT INTO tests VALUES (?,?,?,?)`, r.id, name, trial, v); err != nil {
			return err
		}
	}
	return nil
}

// Finish ends the run: winner is the number of its best trial.
func (r *Run) Finish(winner int64) error {
	return r.Folder.exec(`UPDATE runs SET state = ?, winner = ? WHERE id = ?`, string(Finished), winner, r.id)
}

// AddEvent notes something about the run; at is RFC 3339.
func (r *Run) AddEvent(e Event) error {
	return r.Folder.exec(`INSERT INTO events (run, at, kind, text) VALUES (?,?,?,?)`, r.id, e.At, e.Kind, e.Text)
}

// WriteFile puts a file beside the log: complete, or not at all.
func (r *Run) WriteFile(name string, data []byte) error {
	return writeFile(filepath.Join(r.Folder.Dir, name), data)
}

// ErrBusy means that a live process is writing to the folder.
var ErrBusy = errors.New("in use by another process")

// ErrExists means that the folder for a new run is taken.
var ErrExists = errors.New("already exists")

// ErrNotRun means that a folder holds no run.
var ErrNotRun = errors.New("not a run folder")

// DamagedError means that a folder's log cannot be read: it is cut off,
// overwritten, missing beside its manifest, or of another version.
type DamagedError struct{ err error }

func (e *DamagedError) Error() string { return e.err.Error() }
func (e *DamagedError) Unwrap() error { return e.err }

func damaged(format string, args ...any) error {
	return &DamagedError{fmt.Errorf(format, args...)}
}
