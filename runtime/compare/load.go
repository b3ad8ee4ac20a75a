package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
)

// Load reads runs; a study stands for all of its runs. Those that have not come to
// their end are left out, and named.
func Load(paths []string) (runs []*Run, left []Left, diags diag.List) {
	seen := map[string]bool{}
	for _, path := range paths {
		dirs := []string{path}
		if plan.IsSweep(path) {
			var err error
			if dirs, err = store.List(path); err != nil {
				return nil, nil, plan.Explain(err, path)
			}
		}
		for _, dir := range dirs {
			if seen[dir] {
				continue
			}
			seen[dir] = true
			r, why, more := load(dir)
			if more.HasErrors() {
				diags = append(diags, more...)
			} else if why != "" {
				left = append(left, Left{dir, why})
			} else {
				runs = append(runs, r)
			}
		}
	}
	return runs, left, diags
}

// load reads one run, or says why it does not take part.
func load(dir string) (r *Run, why string, diags diag.List) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, "", plan.Explain(fmt.Errorf("%s: %w", dir, store.ErrNotRun), dir)
	}
	v, diags := plan.View(dir)
	if diags.HasErrors() {
		return nil, "", diags
	}
	defer v.Run.Close()
	switch {
	case v.Status.State != report.Finished:
		return nil, "it is " + v.Status.State, nil
	case v.Status.Best == nil:
		return nil, "it has no result", nil
	}
	r, err := newRun(dir, v.Run.Manifest, v.Trials, v.Status.Test)
	if err != nil {
		return nil, "", plan.Explain(err, dir)
	}
	return r, "", nil
}
