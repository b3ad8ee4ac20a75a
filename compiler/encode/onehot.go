package encode

import "github.com/nasc-project/nasc/compiler/space"

// Decisions encodes the decisions taken; [OneHot] and [Ordinal] make one.
type Decisions struct {
	space   *space.Space
	ordered bool
	starts  []int // the first column of each decision
	columns []string
}

// OneHot has a column for each alternative of each decision, and sets those that
// are taken: one of a choice, any number of a subset. The columns of a decision
// that does not exist are all 0. Two genotypes never have the same vector.
func OneHot(s *space.Space) *Decisions { return decisions(s, false) }

// Ordinal is OneHot but for ranges and depths, of which it sets the column of
// the value taken and those of all lesser ones: the distance of two vectors grows
// with that of the values.
func Ordinal(s *space.Space) *Decisions { return decisions(s, true) }

func decisions(s *space.Space, ordered bool) *Decisions {
	d := &Decisions{space: s, ordered: ordered}
	for _, one := range s.Decisions {
		d.starts = append(d.starts, len(d.columns))
		for _, a := range one.Alts {
			d.columns = append(d.columns, one.Address+" = "+a.Label)
		}
	}
	return d
}

// Columns names the alternatives: "normal.n[0].edge[0] = skip".
func (d *Decisions) Columns() []string { return d.columns }

// Encode implements [Encoding].
func (d *Decisions) Encode(g space.Genotype) ([]float64, error) {
	if err := d.space.Check(g); err != nil {
		return nil, err
	}
	out := make([]float64, len(d.columns))
	for one := range d.space.Active(g) {
		columns, v := out[d.starts[one.ID]:], g[one.ID]
		switch {
		case one.Kind == space.Subset:
			for i := range one.Alts {
				columns[i] = float64(v >> i & 1)
			}
		case d.ordered && one.Kind != space.OneOf:
			for i := range v + 1 {
				columns[i] = 1
			}
		default:
			columns[v] = 1
		}
	}
	return out, nil
}
