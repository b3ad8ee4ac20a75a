package plan

import (
	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/stages"
)

// Stages are those of a one-shot search that View has opened; a run of another kind has
// none.
func (v *Viewed) Stages() (*stages.History, diag.List) {
	h, err := stages.Read(v.Run)
	if err != nil {
		return nil, unreadable(err, v.Run.Address())
	}
	return h, nil
}

// Space compiles the space of a run that View has opened, from the sources that the run
// keeps.
func (v *Viewed) Space() (*compiler.Space, diag.List) {
	p, diags := newStock().restore(nil, v.Manifest)
	if diags.HasErrors() {
		return nil, diags
	}
	return p.Space.Space, nil
}
