package wire

import (
	"fmt"

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

// FromGenotypes puts genotypes into an answer.
func FromGenotypes(m *pb.Answer, all []space.Genotype) {
	if len(all) == 0 {
		return
	}
	m.Count, m.Genotypes = int32(len(all)), make([]int64, 0, len(all)*len(all[0]))
	for _, g := range all {
		m.Genotypes = append(m.Genotypes, g...)
	}
}

// ToGenotypes reads the genotypes of an answer, at most as many as asked for, of a
// number of decisions each. They share memory with it. Whether they lie inside their
// space is for space.Check to say, which needs the space.
func ToGenotypes(m *pb.Answer, most, decisions int) ([]space.Genotype, error) {
	n, values := int(m.GetCount()), m.GetGenotypes()
	if n < 0 || n > most || n != 0 && len(values)/n != decisions || len(values) != n*decisions {
		return nil, fmt.Errorf("%d numbers for %d architectures of %d decisions", len(values), n, decisions)
	}
	if n == 0 {
		return nil, nil
	}
	all := make([]space.Genotype, n)
	for i := range all {
		all[i] = values[i*decisions : (i+1)*decisions : (i+1)*decisions]
	}
	return all, nil
}

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
