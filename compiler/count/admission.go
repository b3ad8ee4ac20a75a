package count

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// Admission tells whether genotypes of a plan meet all of its requirements, without
// building their graphs. It makes one such function for each goroutine. ok is false
// where a metric cannot be followed through the terms of a body; then ask the plan.
func Admission(p *lower.Plan) (admission func() func(space.Genotype) bool, ok bool) {
	if !p.Plain() {
		return nil, false
	}
	c := &counter{plan: p, space: p.Space}
	rules, err := c.rules()
	if err != nil {
		return nil, false
	}
	return func() func(space.Genotype) bool {
		v := make([]int64, len(p.Space.Decisions))
		var all []*measured
		for _, r := range rules {
			all = append(all, r.start(v))
		}
		return func(g space.Genotype) bool {
			copy(v, g)
			for _, m := range all {
				if holds, known := m.holds(); !known {
					violation, err := p.Violated(g)
					return err == nil && violation == nil
				} else if !holds {
					return false
				}
			}
			return true
		}
	}, true
}
