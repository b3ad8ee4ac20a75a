package space

import (
	"fmt"
	"math/bits"
)

// Limits of a space. They keep a mistake in a file (a repetition of 10^12, a
// grammar without an end) from exhausting memory.
const (
	MaxDecisions    = 1 << 20 // in a space
	MaxAlternatives = 1 << 22 // of all decisions together
	MaxNesting      = 10_000  // decisions below one another
	MaxItems        = 63      // of a Subset, which a Genotype stores as a bit set
)

// InvalidError tells why a tree is not a decision tree.
type InvalidError struct {
	Decision *Decision // nil when the tree as a whole is at fault
	Reason   string    // one sentence, lower case, no full stop
}

func (e *InvalidError) Error() string {
	if e.Decision == nil {
		return e.Reason
	}
	if e.Decision.Pos.Valid() {
		return fmt.Sprintf("%s: %s: %s", e.Decision.Pos, e.Decision.Address, e.Reason)
	}
	return e.Decision.Address + ": " + e.Reason
}

func invalid(d *Decision, format string, args ...any) error {
	return &InvalidError{Decision: d, Reason: fmt.Sprintf(format, args...)}
}

// New makes a space of a decision tree, which it owns from then on: it numbers
// the decisions in order of first appearance, sets missing groups to empty ones
// and counts the architectures below every decision. A nil root is a space of
// one architecture.
//
// Every decision has exactly one parent and can be reached in at most one way in
// any architecture, no architecture has two decisions with one address, labels of
// one decision differ, and a Subset has at most [MaxItems] items of which 0 <= Min <= Max
// are taken. Whatever breaks these rules is an [*InvalidError].
func New(name string, root *Group) (*Space, error) {
	if root == nil {
		root = &Group{}
	}
	b := builder{
		space: &Space{Name: name, Root: root},
		seen:  map[*Decision]bool{},
		names: map[string]*Decision{},
	}
	if err := b.group(root, nil, 0, 0); err != nil {
		return nil, err
	}
	if err := b.exclusive(); err != nil {
		return nil, err
	}
	b.space.blank = make(Genotype, len(b.space.Decisions))
	for i := range b.space.blank {
		b.space.blank[i] = Inactive
	}
	return b.space, nil
}

// builder walks the tree once, depth first.
type builder struct {
	space        *Space
	seen         map[*Decision]bool
	names        map[string]*Decision
	alternatives int
}

// group walks the group below alternative alt of parent.
func (b *builder) group(g *Group, parent *Decision, alt, depth int) error {
	sizes := make([]number, len(g.Decisions))
	here := map[*Decision]bool{}
	for i, d := range g.Decisions {
		switch {
		case d == nil:
			return invalid(parent, "a group holds a nil decision")
		case here[d]:
			return invalid(d, "the decision is held twice by one group")
		case !b.seen[d]:
			if err := b.decision(d, parent, depth+1); err != nil {
				return err
			}
		case d.parent != parent:
			return invalid(d, "the decision can be reached in two ways")
		}
		here[d] = true
		d.via = append(d.via, alt)
		sizes[i] = d.size
	}
	g.size = product(sizes)
	return nil
}

func (b *builder) decision(d, parent *Decision, depth int) error {
	if err := b.check(d, depth); err != nil {
		return err
	}
	b.seen[d] = true
	if err := b.name(d); err != nil {
		return err
	}
	d.parent, d.via = parent, nil
	d.ID = len(b.space.Decisions)
	b.space.Decisions = append(b.space.Decisions, d)

	below := map[*Decision]bool{}
	sizes := make([]number, len(d.Alts))
	for i, a := range d.Alts {
		if a.Sub == nil {
			a.Sub = &Group{}
		}
		if err := b.group(a.Sub, d, i, depth); err != nil {
			return err
		}
		sizes[i] = a.Sub.size
		if d.Kind != Subset {
			continue
		}
		for _, s := range a.Sub.Decisions {
			if below[s] {
				return invalid(s, "the decision hangs below two items of the subset %s", d.Address)
			}
			below[s] = true
		}
	}
	d.count(sizes)
	return nil
}

// name records the address of d. Decisions that share one are twins, and decide
// among the same things.
func (b *builder) name(d *Decision) error {
	first := b.names[d.Address]
	d.twins = nil
	if first == nil {
		b.names[d.Address] = d
		return nil
	}
	same := first.Kind == d.Kind && first.Min == d.Min && first.Max == d.Max && len(first.Alts) == len(d.Alts)
	for i := 0; same && i < len(d.Alts); i++ {
		same = first.Alts[i].Label == d.Alts[i].Label
	}
	if !same {
		return invalid(d, "two decisions have this address")
	}
	if first.twins == nil {
		first.twins = []*Decision{first}
	}
	first.twins = append(first.twins, d)
	return nil
}

// exclusive tests that no two twins exist in one architecture, and tells all of
// them about each other.
func (b *builder) exclusive() error {
	for _, first := range b.space.Decisions {
		if first.twins == nil || first.twins[0] != first {
			continue
		}
		seen := meeting{}
		for _, d := range first.twins {
			d.twins = first.twins
			if !seen.add(d) {
				return invalid(d, "two decisions have this address")
			}
		}
	}
	return nil
}

// meeting follows twins up to the root. They exclude each other when at every
// decision above two of them they hang below different alternatives, that is when
// no alternative is on the way of two twins that it does not lead to through one
// and the same decision below.
type meeting map[*Decision]map[int]*Decision

func (m meeting) add(d *Decision) bool {
	for p := d.parent; ; d, p = p, p.parent {
		if m[p] == nil {
			m[p] = map[int]*Decision{}
		}
		fresh := true
		for _, alt := range d.via {
			if other := m[p][alt]; other == d {
				fresh = false
			} else if other != nil {
				return false
			}
			m[p][alt] = d
		}
		if !fresh {
			return true // from here up the way is one that was gone before
		}
		if p == nil {
			return true
		}
		if p.Kind == Subset && len(m[p]) > len(d.via) {
			return false // two items may be taken together
		}
	}
}

// check tests everything about d that does not depend on what is below it.
func (b *builder) check(d *Decision, depth int) error {
	b.alternatives += len(d.Alts)
	switch {
	case d.Address == "":
		return invalid(d, "a decision has no address")
	case len(b.space.Decisions) == MaxDecisions:
		return invalid(nil, "the space has more than %d decisions", MaxDecisions)
	case b.alternatives > MaxAlternatives:
		return invalid(nil, "the space has more than %d alternatives", MaxAlternatives)
	case depth > MaxNesting:
		return invalid(d, "decisions are nested more than %d deep", MaxNesting)
	}
	switch d.Kind {
	case OneOf, Range, Depth:
		if d.Min == 0 && d.Max == 0 {
			d.Min, d.Max = 1, 1
		}
		if d.Min != 1 || d.Max != 1 {
			return invalid(d, "a %s decision takes one alternative, not %d..%d", d.Kind, d.Min, d.Max)
		}
		if len(d.Alts) == 0 {
			return invalid(d, "the decision has no alternatives")
		}
	case Subset:
		if d.Min < 0 || d.Min > d.Max || d.Max > len(d.Alts) {
			return invalid(d, "cannot choose %d..%d of %d items", d.Min, d.Max, len(d.Alts))
		}
		if len(d.Alts) > MaxItems {
			return invalid(d, "a subset has %d items, more than %d", len(d.Alts), MaxItems)
		}
	default:
		return invalid(d, "unknown kind of decision %q", d.Kind)
	}
	labels := make(map[string]bool, len(d.Alts))
	for _, a := range d.Alts {
		if a == nil {
			return invalid(d, "an alternative is nil")
		}
		if labels[a.Label] {
			return invalid(d, "two alternatives are both written %q", a.Label)
		}
		labels[a.Label] = true
	}
	return nil
}

// count fills in everything that is derived from the sizes of the groups below
// the alternatives.
func (d *Decision) count(sizes []number) {
	if d.Kind == Subset {
		d.subset = newWays(sizes, d.Min, d.Max)
		d.lottery = d.subset
		if d.Min == d.Max {
			// Every subset is a product of as many sizes: a common factor
			// changes no ratio.
			d.lottery = newWays(reduce(sizes), d.Min, d.Max)
		}
		d.size = d.subset.total()
		return
	}
	d.sums = make([]number, len(sizes))
	d.flat = true
	for i, n := range sizes {
		d.sums[i] = d.size
		d.size = d.size.add(n)
		d.flat = d.flat && len(d.Alts[i].Sub.Decisions) == 0
	}
	d.draw = newWeights(sizes)
}

// each calls f for every alternative that the value v of d takes.
func (d *Decision) each(v int64, f func(*Alt)) {
	if d.Kind != Subset {
		f(d.Alts[v])
		return
	}
	for m := uint64(v); m != 0; m &= m - 1 {
		f(d.Alts[bits.TrailingZeros64(m)])
	}
}
