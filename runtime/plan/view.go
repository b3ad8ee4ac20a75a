package plan

import (
	"fmt"
	"os"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
)

// Viewed is a run open for reading, with what there is to see.
type Viewed struct {
	Run    *store.Run
	Status *report.Status
	Trials []*store.Trial
}

// View opens a run for reading; its Run must be closed.
func View(dir string) (*Viewed, diag.List) {
	busy := store.Busy(dir) // before the log is read: a run may end meanwhile
	run, err := store.Read(dir)
	if err != nil {
		return nil, unreadable(err, dir)
	}
	v := &Viewed{Run: run}
	if v.Status, v.Trials, err = report.NewStatus(run, busy); err != nil {
		run.Close()
		return nil, unreadable(err, dir)
	}
	return v, nil
}

// unreadable explains why a run cannot be read, where Explain speaks of writing.
func unreadable(err error, dir string) diag.List {
	diags := Explain(err, dir)
	for _, d := range diags { // a damaged run is explained by Explain
		if d.Code == CannotWrite || d.Code == SearchFailed {
			d.Code, d.Message, d.Help = NotARun, fmt.Sprintf("cannot read the run %s: %v", dir, err), ""
		}
	}
	return diags
}

// Runs tells how the runs in a folder stand, in order of their names. A run
// that cannot be read is told as such.
func Runs(folder string) ([]*report.Status, error) {
	if _, err := os.Stat(folder); err != nil {
		return nil, err
	}
	dirs, err := store.List(folder)
	if err != nil {
		return nil, err
	}
	out := []*report.Status{}
	for _, dir := range dirs {
		v, diags := View(dir)
		if diags.HasErrors() {
			out = append(out, &report.Status{Dir: dir, State: "unreadable: " + diags[0].Message})
			continue
		}
		v.Run.Close()
		out = append(out, v.Status)
	}
	return out, nil
}

// Best is the best trial of a run so far.
func Best(dir string) (*report.Winner, diag.List) {
	v, diags := View(dir)
	if diags.HasErrors() {
		return nil, diags
	}
	defer v.Run.Close()
	m := v.Run.Manifest
	if v.Status.Best == nil {
		diags.Add(AllFailed, diag.Span{}, "no trial of %s has a result yet", dir)
		return nil, diags
	}
	p, diags := restore(m)
	if diags.HasErrors() {
		return nil, diags
	}
	w := &report.Winner{Run: m, Dir: dir, Trials: v.Status.Trials, Failed: v.Status.Failed, Infeasible: v.Status.Infeasible, Reused: v.Status.Reused,
		Best: v.Status.Best, Test: v.Status.Test}
	g, err := p.Space.Parse(w.Best.Genotype)
	if err == nil {
		w.Graph, err = p.Space.Bind(g)
	}
	if err == nil && p.Retrain != nil {
		w.Retrained, err = p.carry(g)
	}
	if err != nil {
		diags.Add(NotARun, diag.Span{}, "trial %d of %s: %v", w.Best.Number, dir, err)
		return nil, diags
	}
	if v.Status.State != report.Finished {
		w.TestNote = "the run has not ended"
	}
	w.Source = export.Source(w.Graph, fmt.Sprintf("The best architecture of %s.", m.Name), "")
	return w, nil
}
