package oneshot

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// OneHot is the mixture that is one architecture: ones for the options taken and for
// edges that no architecture is without, zeros for the others.
func OneHot(r *sdk.Relaxed, c Choice) sdk.Mixture {
	m := make(sdk.Mixture, len(r.Decisions))
	for i, d := range r.Decisions {
		m[i] = make([]float64, len(d.Options))
		for k := range m[i] {
			if d.Decision < 0 || slices.Contains(c[i], k) {
				m[i][k] = 1
			}
		}
	}
	return m
}

// Genotype is the architecture of a space that takes what a choice says. Of decisions
// that do not exist in it nothing is taken. It is an error to take an option that no
// architecture has, too few edges or too many.
func Genotype(s *space.Space, r *sdk.Relaxed, c Choice) (space.Genotype, error) {
	if len(c) != len(r.Decisions) {
		return nil, fmt.Errorf("%d decisions are taken of %d", len(c), len(r.Decisions))
	}
	at := map[string]int{}
	for i, d := range r.Decisions {
		if d.Decision >= 0 {
			at[d.Address] = i
		}
	}
	g := slices.Repeat(space.Genotype{space.Inactive}, len(s.Decisions))
	var take func(group *space.Group) error
	take = func(group *space.Group) error {
		for _, d := range group.Decisions {
			v := int64(0) // where nothing in the network reads it
			if d.Kind == space.Subset {
				v = 1<<d.Min - 1
			}
			if i, ok := at[d.Address]; ok {
				var err error
				if v, err = value(d, r.Decisions[i], c[i]); err != nil {
					return fmt.Errorf("%s: %w", d.Address, err)
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
	if err := take(s.Root); err != nil {
		return nil, err
	}
	return g, s.Check(g)
}

// value is what a genotype says of d when options of r are taken.
func value(d *space.Decision, r sdk.RelaxedDecision, options []int) (int64, error) {
	var set int64
	for _, o := range options {
		if o < 0 || o >= len(r.Options) {
			return 0, fmt.Errorf("there is no option %d of %d", o, len(r.Options))
		}
		a := r.Options[o].Alternative
		if a < 0 {
			return 0, fmt.Errorf("no architecture has `%s`", r.Options[o].Label)
		}
		if set |= 1 << a; !r.Edges && len(options) == 1 {
			return int64(a), nil
		}
	}
	if !r.Edges {
		return 0, fmt.Errorf("%d options are taken of a choice of one", len(options))
	}
	if n := bits.OnesCount64(uint64(set)); n < r.Min || n > r.Max || n != len(options) {
		return 0, fmt.Errorf("%d edges are taken of %d, and an architecture has from %d to %d", n, len(r.Options), r.Min, r.Max)
	}
	if d.Kind == space.Subset {
		return set, nil
	}
	// The tree decides among whole sets, whose labels are those of the subset.
	label := subsetLabel(r, set)
	for i, a := range d.Alts {
		if a.Label == label {
			return int64(i), nil
		}
	}
	return 0, fmt.Errorf("the space has no such set of edges as %s", label)
}

// subsetLabel is how a set of alternatives is written.
func subsetLabel(r sdk.RelaxedDecision, set int64) string {
	sub := space.Decision{Kind: space.Subset}
	for _, o := range r.Options {
		if o.Alternative < 0 {
			continue
		}
		for len(sub.Alts) <= o.Alternative {
			sub.Alts = append(sub.Alts, &space.Alt{})
		}
		sub.Alts[o.Alternative] = &space.Alt{Label: o.Label}
	}
	return sub.LabelOf(set)
}
