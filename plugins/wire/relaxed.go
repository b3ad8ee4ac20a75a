package wire

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// maxChannels is the largest K of partial channels, far above what is of use.
const maxChannels = 1 << 16

// FromRelaxation makes a message of r.
func FromRelaxation(r lower.Relaxation) *pb.Relaxation {
	return &pb.Relaxation{Channels: int32(r.Channels), EdgeWeights: r.EdgeWeights}
}

// ToRelaxation reads how a space is to be relaxed.
func ToRelaxation(m *pb.Relaxation) (lower.Relaxation, error) {
	if c := m.GetChannels(); c < 0 || c > maxChannels {
		return lower.Relaxation{}, fmt.Errorf("1/%d of the channels", c)
	}
	return lower.Relaxation{Channels: max(int(m.GetChannels()), 1), EdgeWeights: m.GetEdgeWeights()}, nil
}

// RelaxedOf lists the decisions of a supernet.
func RelaxedOf(s *lower.Supernet) *Relaxed {
	numbers := map[string]int{} // of the space's decisions, by address
	if s.Plan() != nil {
		for i, d := range s.Plan().Space.Decisions {
			if _, taken := numbers[d.Address]; !taken {
				numbers[d.Address] = i
			}
		}
	}
	r := &Relaxed{Decisions: make([]RelaxedDecision, len(s.Decisions))}
	for i, d := range s.Decisions {
		out := RelaxedDecision{Address: d.Address, Edges: d.Edges, Min: d.Min, Max: d.Max, Sites: d.Sites, Decision: -1}
		if n, ok := numbers[d.Address]; ok && d.On != nil {
			out.Decision = n
		}
		for _, o := range d.Options {
			out.Options = append(out.Options, RelaxedOption{Label: o.Label, Alternative: o.Alternative, Absent: o.Absent, Under: slices.Clone(o.Under)})
		}
		r.Decisions[i] = out
	}
	return r
}

// Widths are the numbers of options of the decisions.
func (r *Relaxed) Widths() []int {
	out := make([]int, len(r.Decisions))
	for i, d := range r.Decisions {
		out[i] = len(d.Options)
	}
	return out
}

// FromRelaxed makes a message of r.
func FromRelaxed(r *Relaxed) *pb.Relaxed {
	m := &pb.Relaxed{}
	for _, d := range r.Decisions {
		md := &pb.RelaxedDecision{Address: d.Address, Edges: d.Edges, Min: int32(d.Min), Max: int32(d.Max),
			Decision: int32(d.Decision), Sites: int32(d.Sites)}
		for _, o := range d.Options {
			mo := &pb.RelaxedOption{Label: o.Label, Alternative: int32(o.Alternative), Absent: o.Absent}
			for _, u := range o.Under {
				mo.Under = append(mo.Under, int32(u))
			}
			md.Options = append(md.Options, mo)
		}
		m.Decisions = append(m.Decisions, md)
	}
	return m
}

// ToRelaxed reads what has mixture weights. Addresses differ; every decision has
// options, whose alternatives differ.
func ToRelaxed(m *pb.Relaxed) (*Relaxed, error) {
	r := &Relaxed{Decisions: make([]RelaxedDecision, len(m.GetDecisions()))}
	seen := make(map[string]bool, len(r.Decisions))
	for i, md := range m.GetDecisions() {
		d := RelaxedDecision{Address: md.GetAddress(), Edges: md.GetEdges(), Min: int(md.GetMin()), Max: int(md.GetMax()),
			Decision: int(md.GetDecision()), Sites: int(md.GetSites())}
		if d.Address == "" || seen[d.Address] {
			return nil, fmt.Errorf("relaxed decision %d has the address %q of another, or none", i, d.Address)
		}
		seen[d.Address] = true
		if err := d.read(md.GetOptions(), len(r.Decisions)); err != nil {
			return nil, fmt.Errorf("relaxed decision %s: %w", d.Address, err)
		}
		r.Decisions[i] = d
	}
	return r, nil
}

// read reads the options of a decision, one of several.
func (d *RelaxedDecision) read(options []*pb.RelaxedOption, decisions int) error {
	switch {
	case len(options) == 0:
		return errors.New("it has no options")
	case d.Edges && (d.Min < 0 || d.Min > d.Max || d.Max > len(options)):
		return fmt.Errorf("%d to %d edges of %d", d.Min, d.Max, len(options))
	case d.Decision < -1 || d.Sites < 0:
		return fmt.Errorf("it relaxes decision %d at %d sites", d.Decision, d.Sites)
	}
	taken := make(map[int]bool, len(options))
	d.Options = make([]RelaxedOption, len(options))
	for i, mo := range options {
		o := RelaxedOption{Label: mo.GetLabel(), Alternative: int(mo.GetAlternative()), Absent: mo.GetAbsent()}
		if o.Alternative < -1 || o.Alternative >= len(options) || taken[o.Alternative] {
			return fmt.Errorf("option %d is alternative %d", i, o.Alternative)
		}
		taken[o.Alternative] = o.Alternative >= 0
		for k, u := range mo.GetUnder() {
			if u < 0 || int(u) >= decisions || k > 0 && int(u) <= o.Under[k-1] {
				return fmt.Errorf("decision %d is not under option %d", u, i)
			}
			o.Under = append(o.Under, int(u))
		}
		d.Options[i] = o
	}
	return nil
}

// FromMixture makes a message of a mixture over decisions of certain widths, which is
// an error if it has others or holds what is no number.
func FromMixture(x Mixture, widths []int) (*pb.Mixture, error) {
	if len(x) != len(widths) {
		return nil, fmt.Errorf("a mixture of %d decisions, not %d", len(x), len(widths))
	}
	n := 0
	for _, w := range widths {
		n += w
	}
	m := &pb.Mixture{Values: make([]float64, 0, n)}
	for i, v := range x {
		if len(v) != widths[i] {
			return nil, fmt.Errorf("decision %d of a mixture has %d numbers, not %d", i, len(v), widths[i])
		}
		m.Values = append(m.Values, v...)
	}
	if err := finite(m.Values); err != nil {
		return nil, fmt.Errorf("a mixture: %w", err)
	}
	return m, nil
}

// ToMixture reads a mixture over decisions of certain widths. It shares memory with
// the message.
func ToMixture(m *pb.Mixture, widths []int) (Mixture, error) {
	if err := CheckMixture(m, widths); err != nil {
		return nil, err
	}
	x, rest := make(Mixture, len(widths)), m.GetValues()
	for i, w := range widths {
		x[i], rest = rest[:w:w], rest[w:]
	}
	return x, nil
}

// CheckMixture tells whether a message is a mixture over decisions of certain widths.
func CheckMixture(m *pb.Mixture, widths []int) error {
	n := 0
	for _, w := range widths {
		n += w
	}
	if got := len(m.GetValues()); got != n {
		return fmt.Errorf("a mixture of %d numbers, not %d", got, n)
	}
	if err := finite(m.GetValues()); err != nil {
		return fmt.Errorf("a mixture: %w", err)
	}
	return nil
}

// finite refuses what is no number.
func finite(values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("number %d is %v", i, v)
		}
	}
	return nil
}
