package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ahead is how many records may wait for the disk before those who write more
// have to wait as well.
const ahead = 8192

// linger is how long records wait for others to share a transaction with, unless
// somebody waits for them: a commit costs as much as writing a hundred trials, and
// the runs of a study write to as many pages of the file.
const linger = 250 * time.Millisecond

// op is one thing to be written: a trial, an architecture or a statement.
type op struct {
	run    *Run
	trial  *Trial
	added  *Architecture
	query  string
	params []any
}

// writer is the queue of a folder and the goroutine that empties it.
type writer struct {
	conn *sql.Conn

	hurry chan struct{} // somebody waits

	mu       sync.Mutex
	more     sync.Cond // something is queued, or closed
	done     sync.Cond // something was committed, or err
	queue    []op
	queued   uint64 // records so far
	written  uint64 // of them on the disk
	err      error  // the first; nothing is written after it
	closed   bool
	finished chan struct{}

	statements map[shape]*sql.Stmt
	width      int // columns of trials
	params     []any
	whole      []op // trials of the transaction under way
	repeats    []op
	added      []op
}

// shape is what a prepared statement depends on: the table, columns and rows of an
// INSERT, or the text of another statement.
type shape struct {
	kind          string
	columns, rows int
}

func newWriter(db *sql.DB, metrics int) (*writer, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, finished: make(chan struct{}), hurry: make(chan struct{}, 1), statements: map[shape]*sql.Stmt{}, width: fixedColumns + metrics}
	w.more.L, w.done.L = &w.mu, &w.mu
	go w.run()
	return w, nil
}

// put queues records, in order and together. With wait it returns when they are on
// the disk; otherwise as soon as there is room.
func (w *writer) put(wait bool, ops ...op) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) >= ahead && w.err == nil && !w.closed {
		w.urge()
		w.done.Wait()
	}
	if w.closed && w.err == nil {
		return fmt.Errorf("the log is closed")
	}
	if w.err == nil {
		w.queue = append(w.queue, ops...)
		w.queued += uint64(len(ops))
		w.more.Signal()
	}
	if wait || len(w.queue) >= ahead/2 {
		w.urge()
	}
	for at := w.queued; wait && w.written < at && w.err == nil; {
		w.done.Wait()
	}
	return w.err
}

// urge ends the time that records wait for others.
func (w *writer) urge() {
	select {
	case w.hurry <- struct{}{}:
	default: // it is urged already
	}
}

// stop writes what is queued and ends.
func (w *writer) stop() error {
	w.mu.Lock()
	w.closed = true
	w.urge()
	w.more.Signal()
	w.mu.Unlock()
	<-w.finished
	for _, s := range w.statements {
		s.Close()
	}
	w.conn.Close()
	return w.err
}

// run writes transactions until the writer is closed.
func (w *writer) run() {
	defer close(w.finished)
	var batch []op
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.closed {
			w.more.Wait()
		}
		if len(w.queue) == 0 || w.err != nil {
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		late := time.NewTimer(linger)
		select {
		case <-w.hurry:
		case <-late.C:
		}
		late.Stop()
		w.mu.Lock()
		batch, w.queue = w.queue, batch[:0]
		w.mu.Unlock()
		err := w.commit(batch)
		w.mu.Lock()
		if err != nil {
			w.err = err
		} else {
			w.written += uint64(len(batch))
		}
		w.done.Broadcast()
		w.mu.Unlock()
		clear(batch)
	}
}

// commit writes records in one transaction: all of them, or none.
func (w *writer) commit(batch []op) (err error) {
	ctx := context.Background()
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = w.conn.ExecContext(ctx, "ROLLBACK") // err says more
		}
	}()
	w.whole, w.repeats, w.added = w.whole[:0], w.repeats[:0], w.added[:0]
	for _, o := range batch {
		switch {
		case o.added != nil:
			w.added = append(w.added, o)
		case o.trial == nil:
			if err := w.exec(ctx, o); err != nil {
				return err
			}
		case o.trial.Reused != nil:
			w.repeats = append(w.repeats, o)
		default:
			w.whole = append(w.whole, o)
		}
	}
	if err := w.insert(ctx, "architectures", 4, w.added, describe); err != nil {
		return err
	}
	if err := w.insert(ctx, "trials", repeatColumns, w.repeats, repeat); err != nil {
		return err
	}
	if err := w.insert(ctx, "trials", w.width, w.whole, w.record); err != nil {
		return err
	}
	_, err = w.conn.ExecContext(ctx, "COMMIT")
	return err
}

// exec runs a statement.
func (w *writer) exec(ctx context.Context, o op) error {
	if strings.HasPrefix(o.query, "ALTER") {
		w.width++
		_, err := w.conn.ExecContext(ctx, o.query)
		return err
	}
	s, err := w.prepare(ctx, shape{kind: o.query})
	if err == nil {
		_, err = s.ExecContext(ctx, o.params...)
	}
	return err
}

// several are how many rows one statement inserts.
var several = []int{64, 8, 1}

// insert adds rows to a table, many with each statement: that takes half the time
// of one by one.
func (w *writer) insert(ctx context.Context, table string, columns int, ops []op, row func([]any, op) []any) error {
	for _, n := range several {
		for len(ops) >= n {
			s, err := w.prepare(ctx, shape{table, columns, n})
			if err != nil {
				return err
			}
			w.params = w.params[:0]
			for _, o := range ops[:n] {
				w.params = row(w.params, o)
			}
			if _, err := s.ExecContext(ctx, w.params...); err != nil {
				return err
			}
			ops = ops[n:]
		}
	}
	return nil
}

func (w *writer) prepare(ctx context.Context, s shape) (*sql.Stmt, error) {
	if ready := w.statements[s]; ready != nil {
		return ready, nil
	}
	query, into := s.kind, s.kind
	if s.kind == "trials" && s.columns == repeatColumns {
		into = "trials (run, number, architecture, elapsed, status, reused)"
	}
	if s.rows > 0 {
		// An error rolls the transaction back, as commit does then. For a statement that
		// could fail alone SQLite would copy every page it is about to change.
		row := "(?" + strings.Repeat(",?", s.columns-1) + ")"
		query = "INSERT OR ROLLBACK INTO " + into + " VALUES " + row + strings.Repeat(","+row, s.rows-1)
	}
	ready, err := w.conn.PrepareContext(ctx, query)
	if err == nil {
		w.statements[s] = ready
	}
	return ready, err
}

func describe(row []any, o op) []any {
	a := o.added
	return append(row, a.ID, a.Genotype, string(a.Labels), a.Hash)
}

func repeat(row []any, o op) []any {
	t := o.trial
	return append(row, o.run.id, t.Number, t.ID, t.Elapsed, slices.Index(statuses, t.Status), *t.Reused)
}

func (w *writer) record(row []any, o op) []any {
	t := o.trial
	var failure any
	if t.Failure != "" {
		failure = t.Failure
	}
	row = append(row, o.run.id, t.Number, t.ID, t.Elapsed, slices.Index(statuses, t.Status), nil, failure, int64(t.Seed),
		t.Epochs, t.Simulated, t.Seconds)
	at := len(row)
	row = append(row, make([]any, w.width-fixedColumns)...)
	for i, v := range t.Metrics.Values {
		row[at+o.run.columns[i]-1] = v
	}
	return row
}
