package supernet

import (
	"fmt"
	"strings"
)

// Explain says what the supernet is made of and what each kind of step does when no
// mixture weight is zero.
func (n *Supernet) Explain() string {
	e := n.engine
	var b strings.Builder
	options, edges, sites := 0, 0, 0
	for _, d := range e.decisions {
		options += len(d.Options)
		sites += d.Sites
		if d.Edges {
			edges++
		}
	}
	fmt.Fprintf(&b, "supernet of %s: %d decisions, %d of them on edges, with %d options at %d sites\n", n.of.Name, len(e.decisions), edges, options, sites)
	fmt.Fprintf(&b, "%d weights in %d tensors; %.1f MiB of memory at batch %d, with the state of the optimizer, and %.1f more for gradients of second order\n",
		e.weights.count, len(e.weights.learned), float64(e.memory)/(1<<20), n.options.Batch, float64(e.ofCopies())/(1<<20))
	fmt.Fprintf(&b, "\nweight step: %s\narch step: %s\nscore: %s", e.weighing.Explain(), e.arching.Explain(), e.scoring.Explain())
	return b.String()
}
