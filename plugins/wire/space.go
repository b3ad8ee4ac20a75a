package wire

import (
	"errors"
	"fmt"
	"math"

	"github.com/nasc-project/nasc/compiler/space"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// FromSpace makes a message of s. Positions in the source are left out.
func FromSpace(s *space.Space) *pb.Space {
	m := &pb.Space{Name: s.Name, Root: ids(s.Root), Size: s.Size().String()}
	for _, d := range s.Decisions {
		md := &pb.Decision{Address: d.Address, Kind: string(d.Kind), Min: int32(d.Min), Max: int32(d.Max)}
		for _, a := range d.Alts {
			md.Alternatives = append(md.Alternatives, &pb.Alternative{Label: a.Label, Sub: ids(a.Sub)})
		}
		m.Decisions = append(m.Decisions, md)
	}
	return m
}

func ids(g *space.Group) []int32 {
	out := make([]int32, len(g.Decisions))
	for i, d := range g.Decisions {
		out[i] = int32(d.ID)
	}
	return out
}

// ToSpace reads a space. Its decisions have the ids that they had at the sender.
func ToSpace(m *pb.Space) (*space.Space, error) {
	if n := len(m.GetDecisions()); n > space.MaxDecisions {
		return nil, fmt.Errorf("space %s: %d decisions", m.GetName(), n)
	}
	all := make([]*space.Decision, len(m.GetDecisions()))
	for i := range all {
		all[i] = &space.Decision{}
	}
	// A decision comes after the one it hangs below, so the tree has no cycle.
	group := func(parent int, ids []int32) (*space.Group, error) {
		g := &space.Group{}
		for _, id := range ids {
			if int(id) <= parent || int(id) >= len(all) {
				return nil, fmt.Errorf("space %s: no decision %d below decision %d", m.GetName(), id, parent)
			}
			g.Decisions = append(g.Decisions, all[id])
		}
		return g, nil
	}
	for i, md := range m.GetDecisions() {
		d := all[i]
		d.Address, d.Kind = md.GetAddress(), space.Kind(md.GetKind())
		d.Min, d.Max = int(md.GetMin()), int(md.GetMax())
		for _, ma := range md.GetAlternatives() {
			sub, err := group(i, ma.GetSub())
			if err != nil {
				return nil, err
			}
			d.Alts = append(d.Alts, &space.Alt{Label: ma.GetLabel(), Sub: sub})
		}
	}
	root, err := group(-1, m.GetRoot())
	if err != nil {
		return nil, err
	}
	s, err := space.New(m.GetName(), root)
	if err != nil {
		return nil, fmt.Errorf("space %s: %w", m.GetName(), err)
	}
	if len(s.Decisions) != len(all) {
		return nil, fmt.Errorf("space %s: %d decisions hang nowhere", m.GetName(), len(all)-len(s.Decisions))
	}
	for i, d := range s.Decisions {
		if d != all[i] {
			return nil, fmt.Errorf("space %s: decision %d is out of order", m.GetName(), i)
		}
	}
	if got := s.Size().String(); got != m.GetSize() {
		return nil, fmt.Errorf("space %s: %s architectures here, %s at the sender", m.GetName(), got, m.GetSize())
	}
	return s, nil
}

// FromGenotype makes a message of g.
func FromGenotype(g space.Genotype) *pb.Genotype { return &pb.Genotype{Values: g} }

// ToGenotype reads a genotype. Whether it lies inside its space is for
// space.Check to say, which needs the space.
func ToGenotype(m *pb.Genotype) space.Genotype { return space.Genotype(m.GetValues()) }

// FromChoices makes messages of the decisions of s, in words.
func FromChoices(s *space.Space) []*pb.Decision { return FromSpace(s).Decisions }

// ToChoices reads decisions in words.
func ToChoices(ms []*pb.Decision) []Choice {
	out := make([]Choice, len(ms))
	for i, m := range ms {
		out[i] = Choice{Address: m.GetAddress(), Kind: space.Kind(m.GetKind())}
		for _, a := range m.GetAlternatives() {
			out[i].Labels = append(out[i].Labels, a.GetLabel())
		}
	}
	return out
}

// FromTold makes a message of t.
func FromTold(t Told) *pb.Told {
	return &pb.Told{Trial: t.Trial, Metrics: FromValidation(t.Metrics), Failure: text(t.Failure),
		Infeasible: t.Infeasible, Rejected: t.Rejected}
}

// ToTold reads a finished trial.
func ToTold(m *pb.Told) Told {
	return Told{Trial: m.GetTrial(), Metrics: ToValidation(m.GetMetrics()), Failure: m.GetFailure(),
		Infeasible: m.GetInfeasible(), Rejected: m.GetRejected()}
}

// FromValidation makes a message of v.
func FromValidation(v Validation) *pb.ValidationMetrics {
	return &pb.ValidationMetrics{Values: v.Values, SimulatedSeconds: v.SimulatedSeconds, Epochs: v.Epochs}
}

// ToValidation reads metrics, whatever their values and their number.
func ToValidation(m *pb.ValidationMetrics) Validation {
	return Validation{Values: m.GetValues(), SimulatedSeconds: m.GetSimulatedSeconds(), Epochs: m.GetEpochs()}
}

// Pack puts metrics in the order of the declared ones. What is undeclared or
// missing is the evaluator's mistake, and an error.
func (v ValidationMetrics) Pack(declared []Metric) (Validation, error) {
	out := Validation{Values: make([]float64, len(declared)), SimulatedSeconds: v.SimulatedSeconds, Epochs: v.Epochs}
	for i, m := range declared {
		value, ok := v.Values[m.Name]
		if !ok {
			return Validation{}, fmt.Errorf("the metric %s is missing", m.Name)
		}
		out.Values[i] = value
	}
	if len(v.Values) > len(declared) {
		mistake, _ := CheckMetrics(v.Values, declared)
		return Validation{}, errors.New(mistake)
	}
	return out, nil
}

// Unpack names metrics, of which there are as many as names.
func (v Validation) Unpack(names []string) ValidationMetrics {
	out := ValidationMetrics{SimulatedSeconds: v.SimulatedSeconds, Epochs: v.Epochs}
	if len(v.Values) > 0 {
		out.Values = make(map[string]float64, len(names))
		for i, name := range names {
			out.Values[name] = v.Values[i]
		}
	}
	return out
}

// FromProgress makes a message of p.
func FromProgress(p Progress) *pb.Progress {
	return &pb.Progress{Fraction: p.Fraction, Text: text(p.Text), Values: texts(p.Values)}
}

// ToProgress reads progress; a fraction outside 0..1 is moved to its nearer end.
func ToProgress(m *pb.Progress) Progress {
	f := m.GetFraction()
	if math.IsNaN(f) {
		f = 0
	}
	return Progress{Fraction: min(max(f, 0), 1), Text: m.GetText(), Values: m.GetValues()}
}

// CheckMetrics tells whether values are exactly the declared metrics (undeclared
// ones and missing ones are the plugin's mistake) and, apart from that, whether
// they are finite (a diverged training is not).
func CheckMetrics(values map[string]float64, declared []Metric) (mistake string, notFinite string) {
	known := make(map[string]bool, len(declared))
	for _, m := range declared {
		known[m.Name] = true
		v, ok := values[m.Name]
		if !ok {
			return fmt.Sprintf("the metric %s is missing", m.Name), ""
		}
		if (math.IsNaN(v) || math.IsInf(v, 0)) && notFinite == "" {
			notFinite = fmt.Sprintf("the metric %s is %v", m.Name, v)
		}
	}
	least := ""
	for name := range values {
		if !known[name] && (least == "" || name < least) {
			least = name
		}
	}
	if len(values) > len(declared) {
		return fmt.Sprintf("the metric %q was never declared", least), ""
	}
	return "", notFinite
}

// FromTest makes a message of t.
func FromTest(t TestMetrics) *pb.TestMetrics { return &pb.TestMetrics{Values: texts(t.Values)} }

// ToTest reads test metrics, whatever their values.
func ToTest(m *pb.TestMetrics) TestMetrics { return TestMetrics{Values: m.GetValues()} }
