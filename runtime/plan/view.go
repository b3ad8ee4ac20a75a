package plan

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
)

// Viewed is a run open for reading, or a study, with what there is to see.
type Viewed struct {
	Folder   *store.Folder
	Run      *store.Run      // nil for a study as a whole
	Manifest *store.Manifest // of the run
	Status   *report.Status  // of the run
	Top      []*store.Trial  // its best
}

// View opens what an address names for reading; its Folder must be closed.
func View(address string) (*Viewed, diag.List) {
	dir, number := store.Split(address)
	busy := store.Busy(dir) // before the log is read: a run may end meanwhile
	f, err := store.Read(dir)
	if err != nil {
		return nil, unreadable(err, dir)
	}
	v := &Viewed{Folder: f}
	if number > 0 || !f.Study() {
		if diags := v.run(number, busy); diags.HasErrors() {
			f.Close()
			return nil, diags
		}
	}
	return v, nil
}

// run looks at one run of the folder.
func (v *Viewed) run(number int, busy bool) diag.List {
	var err error
	if v.Run, err = v.Folder.Run(number); err != nil {
		return diag.List{{Code: NotARun, Message: fmt.Sprintf("the study %s has %d runs, none of number %d", v.Folder.Dir, len(v.Folder.Runs), number),
			Help: "`nasc show " + v.Folder.Dir + "` lists them"}}
	}
	if v.Manifest, err = v.Run.Manifest(); err != nil {
		return unreadable(err, v.Run.Address())
	}
	if v.Manifest == nil {
		return diag.List{{Code: NotARun, Message: fmt.Sprintf("the run %s has not begun", v.Run.Address()),
			Help: "`nasc resume " + v.Folder.Dir + "` goes on with the study"}}
	}
	if v.Status, v.Top, err = report.NewStatus(v.Run, busy); err != nil {
		return unreadable(err, v.Run.Address())
	}
	return nil
}

// Study tells how a study stands that View has opened.
func (v *Viewed) Study() (*report.Study, diag.List) {
	busy := store.Busy(v.Folder.Dir)
	results, err := v.Folder.Results()
	if err != nil {
		return nil, unreadable(err, v.Folder.Dir)
	}
	notes, err := v.Folder.Notes()
	if err != nil {
		return nil, unreadable(err, v.Folder.Dir)
	}
	return report.NewStudy(v.Folder, results, notes, busy), nil
}

// Results reads how the runs stand that an address names: all of a study, or one.
// Those that have not begun have no manifest. Nothing needs to be closed.
func Results(address string) (results []*store.Result, busy bool, diags diag.List) {
	dir, number := store.Split(address)
	busy = store.Busy(dir)
	f, err := store.Read(dir)
	if err != nil {
		return nil, busy, unreadable(err, address)
	}
	if results, err = f.Results(); err == nil && number > 0 {
		if _, err = f.Run(number); err == nil {
			results = results[number-1 : number]
		}
	}
	if err != nil {
		return nil, busy, unreadable(err, address)
	}
	return results, busy, nil
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

// Runs tells how the runs and studies in a folder stand, in order of their names.
// One that cannot be read is told as such.
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
		s, diags := status(dir)
		if diags.HasErrors() {
			s = &report.Status{Dir: dir, State: "unreadable: " + diags[0].Message}
		}
		out = append(out, s)
	}
	return out, nil
}

// status is how a run stands, or a study as a whole.
func status(dir string) (*report.Status, diag.List) {
	v, diags := View(dir)
	if diags.HasErrors() {
		return nil, diags
	}
	defer v.Folder.Close()
	if v.Run != nil {
		return v.Status, nil
	}
	s, err := report.NewStudyStatus(v.Folder, store.Busy(dir))
	if err != nil {
		return nil, unreadable(err, dir)
	}
	return s, nil
}

// Connect looks whether the output of the run's best architecture depends on its input,
// which the log does not tell, and notes it in the status. A run whose space cannot be
// read any more is shown without.
func (v *Viewed) Connect() {
	if v.Status.Best == nil {
		return
	}
	p, diags := newStock().restore(nil, v.Manifest)
	if diags.HasErrors() {
		return
	}
	if genotype, err := p.Space.Parse(v.Status.Best.Genotype); err == nil {
		g, err := p.Space.Bind(genotype)
		v.Status.Disconnected = err == nil && g.Disconnected()
	}
}

// Best is the best trial of a run so far.
func Best(address string) (*report.Winner, diag.List) {
	v, diags := View(address)
	if diags.HasErrors() {
		return nil, diags
	}
	defer v.Folder.Close()
	if v.Run == nil {
		diags.Add(NotARun, diag.Span{}, "%s is a study", address).Help =
			fmt.Sprintf("name one of its %d runs, as in `nasc best %s`", len(v.Folder.Runs), filepath.Join(address, "1"))
		return nil, diags
	}
	m := v.Manifest
	if v.Status.Best == nil {
		diags.Add(AllFailed, diag.Span{}, "no trial of %s has a result yet", address)
		return nil, diags
	}
	p, diags := newStock().restore(nil, m)
	if diags.HasErrors() {
		return nil, diags
	}
	w := &report.Winner{Run: m, Dir: v.Run.Address(), Trials: v.Status.Trials, Failed: v.Status.Failed, Infeasible: v.Status.Infeasible, Reused: v.Status.Reused,
		Best: v.Status.Best, Test: v.Status.Test}
	g, err := p.Space.Parse(w.Best.Genotype)
	if err == nil {
		w.Graph, err = p.Space.Bind(g)
	}
	if err == nil && p.Retrain != nil {
		w.Retrained, err = p.carry(g)
	}
	if err != nil {
		diags.Add(NotARun, diag.Span{}, "trial %d of %s: %v", w.Best.Number, address, err)
		return nil, diags
	}
	if v.Status.State != report.Finished {
		w.TestNote = "the run has not ended"
	}
	w.Source = export.Source(w.Graph, fmt.Sprintf("The best architecture of %s.", m.Name), "")
	return w, nil
}
