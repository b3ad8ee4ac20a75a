package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// The codes of what can go wrong with a run.
const (
	RunBusy        = "E0560" // another process is writing to the run
	NotARun        = "E0561" // the folder holds no run, or one that cannot be read
	RunExists      = "E0562" // the folder for a new run is taken
	CannotWrite    = "E0563" // the disk is full, the folder is not writable
	Mismatch       = "E0564" // the optimizer does not repeat what the log holds
	AllFailed      = "E0565" // no trial has a result
	Changed        = "E0566" // the run was made with something that is different now
	NothingChosen  = "E0567" // neither the file nor the command line names it
	UnknownSetting = "E0568" // --set names something that is not there
	NoArchitecture = "E0569" // the text is no architecture of the space
	UnknownMetric  = "E0570" // the evaluator does not report the objective
	SearchFailed   = "E0571" // anything else that ends a search
	NeverInside    = "E0572" // the optimizer proposes nothing that the space admits
	NoneFeasible   = "E0573" // every trial violates a requirement
	NoSupernets    = "E0574" // a one-shot optimizer needs what the search does not have
)

// faults are the codes for which a plugin or the machine is to blame and not
// the input.
var faults = map[string]bool{
	host.CannotStart: true, host.WrongProtocol: true, host.TooSlow: true, host.Crashed: true, host.Hung: true, host.BadAnswer: true,
	host.Failed: true, host.NotReproducible: true, host.NoSocket: true,
	CannotWrite: true, Mismatch: true, AllFailed: true, SearchFailed: true, NeverInside: true, NoneFeasible: true,
}

// Fault reports whether a diagnostic tells of a plugin or the machine failing,
// rather than of wrong input.
func Fault(diags diag.List) bool {
	for _, d := range diags {
		if d.Severity == diag.Error && faults[d.Code] {
			return true
		}
	}
	return false
}

// Explain makes diagnostics of an error from a run.
func Explain(err error, dir string) diag.List {
	var list diag.List
	var one *diag.Diagnostic
	var mismatch *search.MismatchError
	var damaged *store.DamagedError
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &list):
		return list
	case errors.As(err, &one):
		return diag.List{one}
	}
	code, message, help := SearchFailed, err.Error(), ""
	switch {
	case errors.As(err, &mismatch):
		code, help = Mismatch, "the optimizer, or the space, is not what it was when the run was started; start a new run"
	case errors.Is(err, search.ErrAllFailed):
		code = AllFailed
	case errors.Is(err, search.ErrInfeasible):
		code = NoneFeasible
	case errors.Is(err, search.ErrRejected):
		code = NeverInside
	case errors.Is(err, search.ErrNeverSpent):
		code, help = "E0553", "count trials with evaluations(100), or real time with wall(10m)"
	case errors.Is(err, store.ErrBusy):
		code, message = RunBusy, fmt.Sprintf("the run folder %s is in use by another process", dir)
		help = "wait for it, or choose another folder with -o"
	case errors.Is(err, store.ErrExists):
		code, message = RunExists, fmt.Sprintf("the run folder %s exists already", dir)
		if help = "choose another folder with -o"; store.Is(dir) {
			help = fmt.Sprintf("go on with `nasc resume %s`, or %s", dir, help)
		}
	case errors.Is(err, store.ErrNotRun):
		code, message = NotARun, fmt.Sprintf("%s holds no run", dir)
		help = "`nasc runs` lists the runs of a folder"
	case errors.As(err, &damaged):
		code, message = NotARun, fmt.Sprintf("cannot read the run %s: %v", dir, err)
	case store.Disk(err), errors.As(err, &path), errors.As(err, &link):
		remedy := "make room"
		if errors.Is(err, fs.ErrPermission) {
			remedy = "make the folder writable"
		}
		help = remedy + " or choose another folder with -o"
		switch {
		case store.Is(dir):
			help = fmt.Sprintf("everything finished is kept; %s, then `nasc resume %s`", remedy, dir)
		case path != nil:
			err = path.Err // its path is that of a folder that is gone
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
				help = "choose another folder with -o"
			}
		}
		code, message = CannotWrite, fmt.Sprintf("cannot write the run folder %s: %v", dir, err)
	}
	return diag.List{{Code: code, Message: message, Help: help}}
}
