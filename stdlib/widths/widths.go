// Package widths holds the rules by which an operation gets its width from those
// that read it.
//
// The signature of an op computes the shape of its result from those of its
// operands: widths flow forwards. Some networks are made the other way round. An
// op then leaves an attribute open (`out: int = open`), and another op of the same
// body, which everything flows into, says by which rule open attributes are settled
// (`settles = "nasbench101"`). A rule sees how the operations of one architecture
// are wired, and nothing else.
package widths

import (
	"fmt"
	"slices"
)

// Operation is one operation of a body, as a rule sees it.
type Operation struct {
	// Reads are the operands in order: an earlier operation by its number,
	// input i of the body as -1-i.
	Reads []int32
	// Open: its width is to be settled. All others hand on the width of what
	// they read.
	Open bool
}

// A Rule writes into out the width of each operation of a body, 0 where it has
// none to give. The last operation is the one that settles, it has the given
// width, and every other one leads to it.
type Rule func(body []Operation, width int, out []int) error

// rules are all rules by name.
var rules = map[string]Rule{
	"nasbench101": nasbench101,
}

// Find returns the rule called name.
func Find(name string) (Rule, bool) {
	r, ok := rules[name]
	return r, ok
}

// Names lists the rules in alphabetical order.
func Names() []string {
	var names []string
	for n := range rules {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// nasbench101 is the rule of NAS-Bench-101 (Ying et al., ICML 2019): the last
// operation divides its width evenly among what it reads, the first of them taking
// one more each until nothing is left over; every other operation is as wide as
// the widest that reads it. An open operation that reads the input of the module
// itself is the projection of an edge, not a vertex: the output adds it up, with
// its whole width, and does not join it.
func nasbench101(body []Operation, width int, out []int) error {
	last := len(body) - 1
	clear(out[:last])
	out[last] = width
	joined := 0
	ends := body[last].Reads
	for _, r := range ends {
		if r >= 0 && !projection(body[r]) {
			joined++
		}
	}
	if joined > width {
		return fmt.Errorf("%d channels cannot be divided among %d tensors", width, joined)
	}
	first := 0
	for _, r := range ends {
		switch {
		case r < 0:
			continue
		case projection(body[r]):
			out[r] = width
		default:
			out[r] = width / joined
			if first < width%joined {
				out[r]++
			}
			first++
		}
	}
	for i := last - 1; i >= 0; i-- {
		for _, r := range body[i].Reads {
			if r >= 0 && !slices.Contains(ends, r) {
				out[r] = max(out[r], out[i])
			}
		}
	}
	return nil
}

func projection(o Operation) bool {
	return o.Open && len(o.Reads) == 1 && o.Reads[0] < 0
}
