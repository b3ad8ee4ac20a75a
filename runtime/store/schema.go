package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"modernc.org/sqlite" // the pure-Go driver called "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// LogFormat is the version of the schema.
const LogFormat = 3

// schema is the log. A trial that repeats another one has no columns of its own
// but the first few: the rest is that of the trial it names. Metrics have a column
// each, m1, m2 …, which a run adds when it begins and metrics names. A trial of a
// one-shot search is a stage of it and has more in stages, relaxed and reports.
const schema = `
CREATE TABLE folder (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sources (
	id     INTEGER PRIMARY KEY,
	file   TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	text   TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
	id       INTEGER PRIMARY KEY,
	label    TEXT NOT NULL, -- what sets it apart in a study
	grp      TEXT NOT NULL, -- the label without the seed
	state    TEXT NOT NULL, -- new, begun, finished
	winner   INTEGER,       -- the best trial, once it is finished
	manifest TEXT,          -- JSON, once it has begun
	metrics  TEXT           -- JSON: their names, in the order of the manifest
) STRICT;
CREATE TABLE architectures (
	id       INTEGER PRIMARY KEY,
	genotype TEXT NOT NULL, -- compact text
	labels   TEXT NOT NULL, -- JSON: address -> label of the alternative taken
	hash     TEXT NOT NULL  -- canonical hash of the graph
) STRICT;
CREATE TABLE metrics (
	id   INTEGER PRIMARY KEY, -- of the column
	name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE trials (
	run          INTEGER NOT NULL,
	number       INTEGER NOT NULL,
	architecture INTEGER NOT NULL,
	elapsed      REAL NOT NULL,    -- wall seconds of the run until the trial was finished
	status       INTEGER NOT NULL, -- 0 ok, 1 failed, 2 infeasible
	reused       INTEGER,          -- the trial whose result this is, when it was not evaluated
	failure      TEXT,             -- why it is not ok
	seed         INTEGER,          -- the 64 bits, as a signed number
	epochs       REAL,
	simulated    REAL,             -- seconds
	seconds      REAL,             -- of wall time that the evaluation took
	PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE tests (
	run   INTEGER NOT NULL,
	name  TEXT NOT NULL,
	trial INTEGER NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE stages (
	run     INTEGER NOT NULL,
	number  INTEGER NOT NULL, -- of the trial
	mixture BLOB NOT NULL,    -- little-endian float64, option by option
	vals    TEXT NOT NULL,    -- JSON: name -> number
	text    TEXT NOT NULL,
	PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE relaxed (
	run       INTEGER NOT NULL,
	stage     INTEGER NOT NULL, -- the first whose mixture weighs this
	decisions TEXT NOT NULL,    -- JSON: addresses and options
	PRIMARY KEY (run, stage)
) STRICT, WITHOUT ROWID;
CREATE TABLE reports (
	run    INTEGER NOT NULL,
	number INTEGER NOT NULL, -- of the stage
	name   TEXT NOT NULL,
	value  REAL NOT NULL,    -- on the test split
	PRIMARY KEY (run, number, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
	run          INTEGER PRIMARY KEY,
	stage        INTEGER NOT NULL, -- the last that is finished
	state        BLOB NOT NULL,    -- of the optimizer
	file         TEXT NOT NULL,    -- of the evaluator, among the run's unfinished files
	channels     INTEGER NOT NULL, -- how the space is relaxed
	edge_weights INTEGER NOT NULL,
	steps        INTEGER NOT NULL, -- weight steps so far
	done         INTEGER NOT NULL  -- whether the search is over
) STRICT;
CREATE TABLE events (
	id   INTEGER PRIMARY KEY,
	run  INTEGER NOT NULL,
	at   TEXT NOT NULL, -- RFC 3339
	kind TEXT NOT NULL,
	text TEXT NOT NULL
) STRICT;
CREATE INDEX event_runs ON events (run);
PRAGMA user_version = 3;
`

// The columns of trials: those that a repeat has, and those before the metrics.
const (
	repeatColumns = 6
	fixedColumns  = 11
)

// openLog opens a log: to make it (rwc), to write (rw) or to read it (ro).
func openLog(path, mode string) (*sql.DB, error) {
	if mode != "rwc" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, damaged("there is no log")
		}
	}
	q := url.Values{"mode": {mode}}
	q.Add("_pragma", "busy_timeout(5000)")
	if mode == "ro" {
		// A closed run has no write-ahead log; it may lie on a read-only disk.
		if _, err := os.Stat(path + "-wal"); err != nil {
			q.Set("immutable", "1")
		}
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(FULL)")
		q.Add("_pragma", "wal_autocheckpoint(8000)") // pages of 4 KiB
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
		if err := db.QueryRow("PRAGMA user_version").Scan(&v); err != nil || v != LogFormat {
			db.Close()
			if err == nil {
				err = damaged("the log has format %d, this nasc reads format %d", v, LogFormat)
			}
			return nil, unreadable(err)
		}
	}
	return db, nil
}

// createLog makes the log of a new folder.
func createLog(path string, f *Folder, points []Point) error {
	db, err := openLog(path, "rwc")
	if err != nil {
		return err
	}
	if _, err = db.Exec(schema); err == nil {
		err = fill(db, f, points)
	}
	if err == nil {
		_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if e := db.Close(); err == nil {
		err = e
	}
	return err
}

// fill describes the folder and its runs in a new log.
func fill(db *sql.DB, f *Folder, points []Point) error {
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, v := range [][2]string{{"nasc", f.Nasc}, {"name", f.Name}, {"started", f.Started}, {"options", string(f.Options)}} {
		if _, err := tx.Exec(`INSERT INTO folder VALUES (?,?)`, v[0], v[1]); err != nil {
			return err
		}
	}
	for _, s := range f.Sources {
		if _, err := tx.Exec(`INSERT INTO sources (file, sha256, text) VALUES (?,?,?)`, s.File, s.SHA256, s.Text); err != nil {
			return err
		}
	}
	insert, err := tx.Prepare(`INSERT INTO runs (id, label, grp, state) VALUES (?,?,?,?)`)
	if err != nil {
		return err
	}
	for i, p := range points {
		if _, err := insert.Exec(i+1, p.Label, p.Group, string(New)); err != nil {
			return err
		}
	}
	return tx.Commit()
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

func column(id int) string { return "m" + strconv.Itoa(id) }

// in says in which file something went wrong.
func (f *Folder) in(err error) error {
	return fmt.Errorf("%s: %w", filepath.Join(f.Dir, LogFile), unreadable(err))
}
