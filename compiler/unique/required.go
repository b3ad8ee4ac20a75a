package unique

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/space"
)

// requirement says what the requirements of a space are about.
type requirement int

const (
	ofNothing requirement = iota // there are none
	ofWirings                    // wirings: the labels do not matter
	ofGraphs                     // labelled graphs: isomorphic ones are all admitted, or none is
)

// required looks at the requirements of the plan. Which edges and which depth a
// graph has is said by its wiring, its params and MACs also by its labels. All but
// the number of edges, which counts identities, are the same for isomorphic graphs.
func (sk *sketch) required() (requirement, error) {
	if len(sk.plan.Requires) == 0 {
		return ofNothing, nil
	}
	labels, edges := false, false
	slot := func(d *space.Decision) bool { return sk.slots[d.ID].classes != nil }
	decided := false
	for _, r := range sk.plan.Requires {
		for _, m := range r.Cond.Measures() {
			edges = edges || m == "edges"
			labels = labels || m != "edges" && m != "depth"
		}
		ds := r.Cond.Decisions()
		for _, e := range r.Where {
			ds = append(slices.Clone(ds), e.Decisions()...)
		}
		decided = decided || len(ds) > 0
		labels = labels || slices.ContainsFunc(ds, slot)
	}
	if !labels {
		return ofWirings, nil
	}
	if decided || edges && slices.ContainsFunc(sk.rows, func(r row) bool { return !r.known || r.rules&canon.Identity != 0 }) {
		return 0, unknown("what is required differs between architectures that are the same")
	}
	return ofGraphs, nil
}
