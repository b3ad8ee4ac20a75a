package store

import (
	"bufio"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
)

// page is how many trials are read at once. No reader holds the log for longer, so
// it may write between two trials.
const page = 1024

// trialColumns are what a trial is read from: t is its row, e the row of the
// evaluation that it has its result from.
func (r *Run) trialColumns() string {
	var b strings.Builder
	b.WriteString(`t.number, t.architecture, t.reused, t.elapsed, CASE WHEN t.reused IS NULL THEN t.seconds ELSE 0 END,
		t.status, COALESCE(e.failure, ''), e.seed, e.epochs, e.simulated`)
	for _, c := range r.columns {
		b.WriteString(", e." + column(c))
	}
	return b.String()
}

const trialTables = ` FROM trials t JOIN trials e ON e.run = t.run AND e.number = COALESCE(t.reused, t.number) `

// scan reads a trial; its architecture has only its number.
func (r *Run) scan(rows *sql.Rows) (*Trial, error) {
	t := &Trial{Architecture: &Architecture{}, Metrics: Metrics{Names: r.names}}
	var status int
	var seed int64
	values := make([]sql.NullFloat64, len(r.columns))
	into := []any{&t.Number, &t.ID, &t.Reused, &t.Elapsed, &t.Seconds, &status, &t.Failure, &seed, &t.Epochs, &t.Simulated}
	for i := range values {
		into = append(into, &values[i])
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	if status < 0 || status >= len(statuses) {
		return nil, damaged("trial %d has the status %d", t.Number, status)
	}
	t.Status, t.Seed = statuses[status], uint64(seed)
	if len(values) > 0 && values[0].Valid {
		t.Metrics.Values = make([]float64, len(values))
		for i, v := range values {
			t.Metrics.Values[i] = v.Float64
		}
	}
	return t, nil
}

// trials reads the trials that a query selects.
func (r *Run) trials(where string, params ...any) ([]*Trial, error) {
	var out []*Trial
	err := r.Folder.each(`SELECT `+r.trialColumns()+trialTables+where, func(rows *sql.Rows) error {
		t, err := r.scan(rows)
		out = append(out, t)
		return err
	}, params...)
	if err == nil {
		err = r.Folder.name(out)
	}
	return out, err
}

// name gives trials their architectures.
func (f *Folder) name(trials []*Trial) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range trials {
		a := f.architectures[t.ID]
		if a == nil {
			a = &Architecture{ID: t.ID}
			found := false
			err := f.each(`SELECT genotype, labels, hash FROM architectures WHERE id = ?`, func(rows *sql.Rows) error {
				found = true
				return rows.Scan(&a.Genotype, (*[]byte)(&a.Labels), &a.Hash)
			}, t.ID)
			if err == nil && !found {
				err = f.in(damaged("there is no architecture %d, which trial %d has", t.ID, t.Number))
			}
			if err != nil {
				return err
			}
			f.architectures[t.ID] = a
		}
		t.Architecture = a
	}
	return nil
}

// Forget frees what reading has kept of architectures.
func (f *Folder) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.architectures)
}

// Trials goes through the log in the order of the trials' numbers. With several
// evaluations at once an interrupted run may have gaps.
func (r *Run) Trials() iter.Seq2[*Trial, error] {
	return func(yield func(*Trial, error) bool) {
		if r.manifest == nil {
			return
		}
		for from := int64(0); ; {
			got, err := r.trials(`WHERE t.run = ? AND t.number >= ? ORDER BY t.number LIMIT ?`, r.id, from, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, t := range got {
				if !yield(t, nil) {
					return
				}
				from = t.Number + 1
			}
			if len(got) < page {
				return
			}
		}
	}
}

// Trial reads one trial; nil when there is none of that number.
func (r *Run) Trial(number int64) (*Trial, error) {
	got, err := r.trials(`WHERE t.run = ? AND t.number = ?`, r.id, number)
	if err != nil || len(got) == 0 {
		return nil, err
	}
	return got[0], nil
}

// Top are the best trials that have a result of their own, the first of equal ones
// first; at most n.
func (r *Run) Top(objectives []Objective, n int) ([]*Trial, error) {
	if r.manifest == nil {
		return nil, nil
	}
	order := ""
	for _, o := range objectives {
		c := r.Folder.metrics[o.Metric]
		if c == 0 {
			return nil, fmt.Errorf("%s reports no metric called %s", r.Address(), o.Metric)
		}
		order += "t." + column(c)
		if o.Maximize {
			order += " DESC"
		}
		order += ", "
	}
	return r.trials(`WHERE t.run = ? AND t.status = 0 AND t.reused IS NULL ORDER BY `+order+`t.number LIMIT ?`, r.id, n)
}

// Latest are the last trials, the very last first; at most n.
func (r *Run) Latest(n int) ([]*Trial, error) {
	if r.manifest == nil {
		return nil, nil
	}
	return r.trials(`WHERE t.run = ? ORDER BY t.number DESC LIMIT ?`, r.id, n)
}

// Tally counts the trials of a run.
type Tally struct {
	Trials, Failed, Infeasible, Reused int
	Seconds                            float64 // wall time, all sessions
}

// Tally counts the trials in the log.
func (r *Run) Tally() (Tally, error) {
	all, err := r.Folder.tally(`WHERE run = ?`, r.id)
	return all[r.id], err
}

// Tallies counts the trials of all runs, in their order.
func (f *Folder) Tallies() ([]Tally, error) {
	all, err := f.tally(``)
	out := make([]Tally, len(f.Runs))
	for i, r := range f.Runs {
		out[i] = all[r.id]
	}
	return out, err
}

func (f *Folder) tally(where string, params ...any) (map[int64]Tally, error) {
	out := map[int64]Tally{}
	err := f.each(`SELECT run, COUNT(*), SUM(status = 1), SUM(status = 2), COUNT(reused), MAX(elapsed) FROM trials `+where+` GROUP BY run`,
		func(rows *sql.Rows) error {
			var run int64
			var t Tally
			err := rows.Scan(&run, &t.Trials, &t.Failed, &t.Infeasible, &t.Reused, &t.Seconds)
			out[run] = t
			return err
		}, params...)
	return out, err
}

// State is how far the run has come, and its best trial once it is finished.
func (r *Run) State() (state State, winner *int64, err error) {
	err = r.Folder.each(`SELECT state, winner FROM runs WHERE id = ?`, func(rows *sql.Rows) error {
		return rows.Scan(&state, &winner)
	}, r.id)
	return state, winner, err
}

// States are those of all runs, in their order.
func (f *Folder) States() ([]State, error) {
	var out []State
	err := f.each(`SELECT state FROM runs ORDER BY id`, func(rows *sql.Rows) error {
		var s State
		err := rows.Scan(&s)
		out = append(out, s)
		return err
	})
	return out, err
}

// Test returns the winner and its test metrics; nil while there are none.
func (r *Run) Test() (trial int64, metrics map[string]float64, err error) {
	err = r.Folder.each(`SELECT trial, name, value FROM tests WHERE run = ?`, func(rows *sql.Rows) error {
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
	}, r.id)
	return trial, metrics, err
}

// Events returns what was noted of the run, in order.
func (r *Run) Events() ([]Event, error) {
	var events []Event
	err := r.Folder.each(`SELECT at, kind, text FROM events WHERE run = ? ORDER BY id`, func(rows *sql.Rows) error {
		var e Event
		err := rows.Scan(&e.At, &e.Kind, &e.Text)
		events = append(events, e)
		return err
	}, r.id)
	return events, err
}

// Notes are the errors that ended runs the last time that somebody was at them, by
// the number of the run.
func (f *Folder) Notes() (map[int]string, error) {
	notes := map[int]string{}
	err := f.each(`SELECT run, text FROM events WHERE id IN (SELECT MAX(id) FROM events GROUP BY run) AND kind = ?`, func(rows *sql.Rows) error {
		var run int
		var text string
		err := rows.Scan(&run, &text)
		notes[run] = text
		return err
	}, EventStopped)
	return notes, err
}

// each reads the rows of a query.
func (f *Folder) each(query string, fn func(*sql.Rows) error, params ...any) error {
	rows, err := f.reader.Query(query, params...)
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
		var damage *DamagedError
		if errors.As(err, &damage) && strings.HasPrefix(err.Error(), filepath.Join(f.Dir, LogFile)) {
			return err
		}
		return f.in(err)
	}
	return nil
}

// Log writes the trial log as JSON lines, with the mixtures and reports of the stages
// of a one-shot search, and the winner's test metrics as the last line once there are
// any. Equal inputs give equal bytes.
func (r *Run) Log(out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<16)
	if err := r.log(json.NewEncoder(w)); err != nil {
		return err
	}
	return w.Flush()
}

func (r *Run) log(enc *json.Encoder) error {
	enc.SetEscapeHTML(false)
	whole, err := r.inLog()
	if err != nil {
		return err
	}
	for t, err := range r.Trials() {
		if err != nil {
			return err
		}
		l, err := whole(t)
		if err != nil {
			return r.Folder.in(&DamagedError{err})
		}
		if err := enc.Encode(l); err != nil {
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
