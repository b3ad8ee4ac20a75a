package store

import (
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

// Result is a run as those read it who compare runs.
type Result struct {
	Address  string
	Label    string // what sets it apart in its study
	Manifest *Manifest
	State    State
	Winner   *Trial             // nil while it is not finished
	Test     map[string]float64 // of the winner; nil where there is none

	run *Run
}

// Trials goes through the run's log in order.
func (r *Result) Trials() iter.Seq2[*Trial, error] { return r.run.Trials() }

// Metrics names what the trials are measured by, in the order of their values.
func (r *Result) Metrics() []string { return r.run.names }

// OpenAll reads the runs that addresses name: every run of a study, or one of them.
// Runs of a study that have not begun are left out. Nothing needs to be closed.
func OpenAll(addresses ...string) ([]*Result, error) {
	var out []*Result
	for _, a := range addresses {
		dir, number := Split(a)
		f, err := Read(dir)
		if err != nil {
			return nil, err
		}
		runs := f.Runs
		if number > 0 {
			r, err := f.Run(number)
			if err != nil {
				return nil, err
			}
			runs = []*Run{r}
		}
		got, err := f.results(runs)
		if err != nil {
			return nil, err
		}
		if len(got) == 0 {
			return nil, fmt.Errorf("%s has not begun: %w", a, ErrNotRun)
		}
		out = append(out, got...)
	}
	if len(out) == 0 {
		return nil, errors.New("no run is named")
	}
	return out, nil
}

// Results reads the results of all runs of the folder, in order; those that have
// not begun have no manifest.
func (f *Folder) Results() ([]*Result, error) {
	byID := make(map[int64]*Result, len(f.Runs))
	out := make([]*Result, len(f.Runs))
	for i, r := range f.Runs {
		m, err := r.Manifest()
		if err != nil {
			return nil, err
		}
		out[i] = &Result{Address: r.Address(), Label: r.Label, Manifest: m, run: r}
		byID[r.id] = out[i]
	}
	winners := map[int64]int64{}
	err := f.each(`SELECT id, state, winner FROM runs`, func(rows *sql.Rows) error {
		var id int64
		var state State
		var winner *int64
		if err := rows.Scan(&id, &state, &winner); err != nil {
			return err
		}
		if r := byID[id]; r != nil {
			r.State = state
			if winner != nil {
				winners[id] = *winner
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = f.each(`SELECT run, name, value FROM tests`, func(rows *sql.Rows) error {
		var id int64
		var name string
		var v float64
		if err := rows.Scan(&id, &name, &v); err != nil {
			return err
		}
		if r := byID[id]; r != nil {
			if r.Test == nil {
				r.Test = map[string]float64{}
			}
			r.Test[name] = v
		}
		return nil
	})
	for id, winner := range winners {
		if err != nil {
			break
		}
		byID[id].Winner, err = byID[id].run.Trial(winner)
	}
	return out, err
}

func (f *Folder) results(runs []*Run) ([]*Result, error) {
	all, err := f.Results()
	if err != nil {
		return nil, err
	}
	var out []*Result
	for _, r := range runs {
		if got := all[r.id-1]; got.Manifest != nil {
			out = append(out, got)
		}
	}
	return out, nil
}
