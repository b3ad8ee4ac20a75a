package compare

import (
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
)

// Load reads runs; a study stands for all of its runs. Those that have not come to
// their end are left out, and named.
func Load(addresses []string) (runs []*Run, left []Left, diags diag.List) {
	seen := map[string]bool{}
	for _, address := range addresses {
		results, busy, more := plan.Results(address)
		diags = append(diags, more...)
		for _, result := range results {
			if seen[result.Address] {
				continue
			}
			seen[result.Address] = true
			if result.Winner == nil {
				left = append(left, Left{result.Address, "it is " + report.State(result.State, busy)})
				continue
			}
			r, err := newRun(result)
			if err != nil {
				diags = append(diags, plan.Explain(err, result.Address)...)
				continue
			}
			runs = append(runs, r)
		}
	}
	return runs, left, diags
}
