package lower

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
)

// Choice is what an architecture takes of each decision of a supernet: the numbers
// of its options, one for a mixed operation.
type Choice [][]int

// Genotype is the architecture of the space that takes what a choice says. Of
// decisions that do not exist in it nothing is taken. It is an error to take an
// option that no architecture has, too few edges or too many.
func (s *Supernet) Genotype(c Choice) (space.Genotype, error) {
	if s.plan == nil {
		return nil, errReceived
	}
	if len(c) != len(s.Decisions) {
		return nil, fmt.Errorf("%d decisions are taken of %d", len(c), len(s.Decisions))
	}
	values := map[string]int64{}
	for i, d := range s.Decisions {
		v, err := d.value(c[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Address, err)
		}
		if d.On != nil {
			values[d.Address] = v
		}
	}
	g := slices.Repeat(space.Genotype{space.Inactive}, len(s.plan.Space.Decisions))
	sets := map[*space.Decision][]int64{}
	for _, all := range s.plan.answers {
		for _, a := range all {
			if a.Sets != nil {
				sets[a.On] = a.Sets
			}
		}
	}
	var take func(group *space.Group) error
	take = func(group *space.Group) error {
		for _, d := range group.Decisions {
			v, ok := values[d.Address]
			if !ok { // nothing in the network reads it
				v = 0
				if d.Kind == space.Subset {
					v = 1<<d.Min - 1
				}
			} else if all := sets[d]; all != nil {
				if v = int64(slices.Index(all, v)); v < 0 {
					return fmt.Errorf("%s: the space has no such set of edges", d.Address)
				}
			}
			if v == space.Inactive {
				return fmt.Errorf("%s: an absent edge is in no architecture", d.Address)
			}
			if d.Kind == space.Subset {
				if n := bits.OnesCount64(uint64(v)); n < d.Min || n > d.Max {
					return fmt.Errorf("%s: %d edges are taken of %d, and it has from %d to %d", d.Address, n, len(d.Alts), d.Min, d.Max)
				}
			}
			g[d.ID] = v
			for i, a := range d.Alts {
				if d.Kind == space.Subset && v>>uint(i)&1 == 1 || d.Kind != space.Subset && int64(i) == v {
					if err := take(a.Sub); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	if err := take(s.plan.Space.Root); err != nil {
		return nil, err
	}
	return g, s.plan.Space.Check(g)
}

// value is what a genotype says of a decision.
func (d *Decision) value(options []int) (int64, error) {
	var set int64
	for _, o := range options {
		if o < 0 || o >= len(d.Options) {
			return 0, fmt.Errorf("there is no option %d of %d", o, len(d.Options))
		}
		if d.Edges {
			set |= 1 << d.Options[o].Alternative
		}
	}
	switch {
	case d.Edges:
		return set, nil
	case len(options) != 1:
		return 0, fmt.Errorf("%d options are taken of a choice of one", len(options))
	}
	return int64(d.Options[options[0]].Alternative), nil
}
