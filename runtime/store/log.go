package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"modernc.org/sqlite" // the pure-Go driver called "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// schema is the trial log. Seeds are text because SQLite's integers are signed.
const schema = `
CREATE TABLE trials (
	number    INTEGER PRIMARY KEY,
	genotype  TEXT NOT NULL, -- compact text
	labels    TEXT NOT NULL, -- JSON: address -> label of the alternative taken
	hash      TEXT NOT NULL, -- canonical hash of the graph
	status    TEXT NOT NULL, -- ok, failed, infeasible
	failure   TEXT NOT NULL, -- why it is not ok
	reused    INTEGER,       -- the trial whose result this is, when it was not evaluated
	seed      TEXT NOT NULL,
	epochs    REAL NOT NULL,
	simulated REAL NOT NULL  -- seconds
) STRICT;
CREATE TABLE metrics (
	trial INTEGER NOT NULL REFERENCES trials,
	name  TEXT NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (trial, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tests (
	trial INTEGER NOT NULL REFERENCES trials,
	name  TEXT NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (trial, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE clock (
	trial   INTEGER PRIMARY KEY REFERENCES trials,
	seconds REAL NOT NULL, -- the evaluation
	elapsed REAL NOT NULL  -- the run until the trial was finished
) STRICT;
CREATE TABLE events (
	id   INTEGER PRIMARY KEY,
	at   TEXT NOT NULL, -- RFC 3339
	kind TEXT NOT NULL,
	text TEXT NOT NULL
) STRICT;
PRAGMA user_version = 1;
`

// Status tells how a trial ended.
type Status string

// The ends of a trial.
const (
	OK         Status = "ok"
	Failed     Status = "failed"     // no result
	Infeasible Status = "infeasible" // a result that violates a requirement of the search
)

// Trial is one finished evaluation. Its JSON form is a line of the log.
type Trial struct {
	Number    int64              `json:"trial"`
	Genotype  string             `json:"genotype"`
	Labels    json.RawMessage    `json:"labels"`
	Hash      string             `json:"hash"`
	Status    Status             `json:"status"`
	Failure   string             `json:"failure,omitempty"`
	Reused    *int64             `json:"reused,omitempty"`
	Seed      uint64             `json:"seed"`
	Epochs    float64            `json:"epochs,omitempty"`
	Simulated float64            `json:"simulated_seconds,omitempty"`
	Metrics   map[string]float64 `json:"metrics,omitempty"`

	Seconds float64 `json:"-"` // wall time of the evaluation
	Elapsed float64 `json:"-"` // wall time of the run so far, over all its sessions
}

// The kinds of event.
const (
	EventStarted     = "started"
	EventResumed     = "resumed"
	EventInterrupted = "interrupted"
	EventStopped     = "stopped" // by an error
	EventFinished    = "finished"
)

// Event is something worth knowing about a run that is not a result.
type Event struct {
	At, Kind, Text string
}

func createLog(path string) error {
	db, err := openLog(path, "rwc")
	if err != nil {
		return err
	}
	_, err = db.Exec(schema)
	if err == nil {
		_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if e := db.Close(); err == nil {
		err = e
	}
	return err
}

func openLog(path, mode string) (*sql.DB, error) {
	if mode != "rwc" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, damaged("there is no log")
		}
	}
	q := url.Values{"mode": {mode}}
	q.Add("_pragma", "busy_timeout(5000)")
	q.Add("_pragma", "foreign_keys(1)")
	if mode == "ro" {
		// A closed run has no write-ahead log; it may lie on a read-only disk.
		if _, err := os.Stat(path + "-wal"); err != nil {
			q.Set("immutable", "1")
		}
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(FULL)")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, unreadable(err)
	}
	if mode != "rwc" {
		var v int
		if err := db.QueryRow("PRAGMA user_version").Scan(&v); err != nil || v != 1 {
			db.Close()
			if err == nil {
				err = damaged("the log has format %d, this nasc reads format 1", v)
			}
			return nil, unreadable(err)
		}
	}
	return db, nil
}

// Append adds a finished trial. It is on the disk when Append returns; on an
// error nothing of it is.
func (r *Run) Append(t *Trial) error {
	return r.write(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO trials VALUES (?,?,?,?,?,?,?,?,?,?)`, t.Number, t.Genotype, string(t.Labels),
			t.Hash, string(t.Status), t.Failure, t.Reused, strconv.FormatUint(t.Seed, 10), t.Epochs, t.Simulated)
		if err != nil {
			return err
		}
		for name, v := range t.Metrics {
			if _, err := tx.Exec(`INSERT INTO metrics VALUES (?,?,?)`, t.Number, name, v); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO clock VALUES (?,?,?)`, t.Number, t.Seconds, t.Elapsed)
		return err
	})
}

// SetTest records the winner's metrics on the test split.
func (r *Run) SetTest(trial int64, metrics map[string]float64) error {
	return r.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM tests`); err != nil {
			return err
		}
		for name, v := range metrics {
			if _, err := tx.Exec(`INSERT INTO tests VALUES (?,?,?)`, trial, name, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddEvent notes something about the run; at is RFC 3339.
func (r *Run) AddEvent(e Event) error {
	return r.write(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO events (at, kind, text) VALUES (?,?,?)`, e.At, e.Kind, e.Text)
		return err
	})
}

func (r *Run) write(fn func(*sql.Tx) error) error {
	tx, err := r.db.Begin()
	if err == nil {
		err = fn(tx)
		if err != nil {
			tx.Rollback()
		} else {
			err = tx.Commit()
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(r.Dir, LogFile), unreadable(err))
	}
	return nil
}

// Trials returns the log in the order of the trials' numbers. With several
// workers an interrupted run may have gaps.
func (r *Run) Trials() ([]*Trial, error) {
	var trials []*Trial
	byNumber := map[int64]*Trial{}
	err := r.each(`SELECT number, genotype, labels, hash, status, failure, reused, seed, epochs, simulated, seconds, elapsed
		FROM trials JOIN clock ON trial = number ORDER BY number`, func(rows *sql.Rows) error {
		t := new(Trial)
		var labels, seed string
		if err := rows.Scan(&t.Number, &t.Genotype, &labels, &t.Hash, &t.Status, &t.Failure, &t.Reused, &seed,
			&t.Epochs, &t.Simulated, &t.Seconds, &t.Elapsed); err != nil {
			return err
		}
		t.Labels = json.RawMessage(labels)
		var err error
		t.Seed, err = strconv.ParseUint(seed, 10, 64)
		trials = append(trials, t)
		byNumber[t.Number] = t
		return err
	})
	if err != nil {
		return nil, err
	}
	err = r.each(`SELECT trial, name, value FROM metrics ORDER BY trial, name`, func(rows *sql.Rows) error {
		var number int64
		var name string
		var v float64
		if err := rows.Scan(&number, &name, &v); err != nil {
			return err
		}
		t := byNumber[number]
		if t == nil {
			return nil // appended since
		}
		if t.Metrics == nil {
			t.Metrics = map[string]float64{}
		}
		t.Metrics[name] = v
		return nil
	})
	return trials, err
}

// Test returns the winner and its test metrics; nil while there are none.
func (r *Run) Test() (trial int64, metrics map[string]float64, err error) {
	err = r.each(`SELECT trial, name, value FROM tests ORDER BY name`, func(rows *sql.Rows) error {
		var name string
		var v float64
		if err := rows.Scan(&trial, &name, &v); err != nil {
			return err
		}
		if metrics == nil {
			metrics = map[string]float64{}
		}
		metrics[name] = v
		return nil
	})
	return trial, metrics, err
}

// Finished reports whether the search came to its end.
func (r *Run) Finished() (bool, error) {
	events, err := r.Events()
	for _, e := range events {
		if e.Kind == EventFinished {
			return true, err
		}
	}
	return false, err
}

// Events returns what was noted, in order.
func (r *Run) Events() ([]Event, error) {
	var events []Event
	err := r.each(`SELECT at, kind, text FROM events ORDER BY id`, func(rows *sql.Rows) error {
		var e Event
		err := rows.Scan(&e.At, &e.Kind, &e.Text)
		events = append(events, e)
		return err
	})
	return events, err
}

func (r *Run) each(query string, fn func(*sql.Rows) error) error {
	rows, err := r.db.Query(query)
	if err == nil {
		defer rows.Close()
		for err == nil && rows.Next() {
			err = fn(rows)
		}
		if err == nil {
			err = rows.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(r.Dir, LogFile), unreadable(err))
	}
	return nil
}

// Log writes the trial log as JSON lines, and the winner's test metrics as the
// last line once there are any. Equal inputs give equal bytes.
func (r *Run) Log(w io.Writer) error {
	trials, err := r.Trials()
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, t := range trials {
		if err := enc.Encode(t); err != nil {
			return err
		}
	}
	winner, metrics, err := r.Test()
	if err != nil || metrics == nil {
		return err
	}
	return enc.Encode(struct {
		Winner int64              `json:"winner"`
		Test   map[string]float64 `json:"test"`
	}{winner, metrics})
}

// unreadable makes a DamagedError of SQLite's word for a file that is no log.
func unreadable(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return &DamagedError{err}
		}
	}
	return err
}

// Disk reports whether err is the file system's: full, read-only, broken.
func Disk(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}
