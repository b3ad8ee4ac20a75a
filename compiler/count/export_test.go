package count

import (
	"math/big"

	"github.com/nasc-project/nasc/compiler/lower"
)

// Ways counts in every way there is, apart from the choice among them; nil where a
// way does not lead to a number.
func Ways(p *lower.Plan) (enumerated, summed, built *big.Int) {
	if p.Plain() {
		c := &counter{plan: p, space: p.Space}
		if rules, err := c.rules(); err == nil {
			enumerated, _ = c.parts(rules, c.enumerate)
			summed, _ = c.parts(rules, c.sums)
		}
	}
	built, _ = bound(p)
	return enumerated, summed, built
}
