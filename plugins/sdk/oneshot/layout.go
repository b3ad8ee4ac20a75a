package oneshot

import (
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Layout is what has mixture weights, as relaxations see it: the options that are left.
// Nobody changes it.
type Layout struct {
	Decisions []Decision
}

// Decision is a relaxed decision with the options that are left.
type Decision struct {
	sdk.RelaxedDecision
	// Learned: it has arch parameters. Operations always have; edges with candidates
	// under them are ranked by those, and have parameters only under edge
	// normalisation (Xu et al., "PC-DARTS", ICLR 2020). Otherwise they weigh one.
	Learned bool
	// From are the places of the options in the supernet.
	From []int
}

// Kind is the kind of a relaxed decision.
func Kind(d sdk.RelaxedDecision) Kinds {
	switch {
	case !d.Edges:
		return Operations
	case d.Min == d.Max:
		return Edges
	}
	return VariableEdges
}

func (k Kinds) String() string {
	switch k {
	case Operations:
		return "a choice of one operation"
	case Edges:
		return "a choice of a number of edges"
	case VariableEdges:
		return "a choice of any number of edges"
	}
	return "a choice"
}

// NewLayout is the layout of all options of a supernet, for tests of relaxations.
func NewLayout(r *sdk.Relaxed, edgeNorm bool) *Layout {
	kept := make([][]bool, len(r.Decisions))
	for i, d := range r.Decisions {
		kept[i] = make([]bool, len(d.Options))
		for k := range kept[i] {
			kept[i][k] = true
		}
	}
	return newLayout(r, kept, edgeNorm)
}

// newLayout is the layout of the options that are kept.
func newLayout(r *sdk.Relaxed, kept [][]bool, edgeNorm bool) *Layout {
	l := &Layout{}
	for i, d := range r.Decisions {
		out := Decision{RelaxedDecision: d, Learned: learned(d, edgeNorm)}
		out.Options = nil
		for k, o := range d.Options {
			if kept[i][k] {
				out.Options = append(out.Options, o)
				out.From = append(out.From, k)
			}
		}
		l.Decisions = append(l.Decisions, out)
	}
	return l
}

func learned(d sdk.RelaxedDecision, edgeNorm bool) bool {
	if !d.Edges || edgeNorm {
		return true
	}
	if d.Decision < 0 {
		return false // a sum whose terms are always there
	}
	for _, o := range d.Options {
		if len(o.Under) == 0 {
			return true // nothing else ranks it
		}
	}
	return false
}

// gather takes what concerns the options that are left.
func (l *Layout) gather(full [][]float64) [][]float64 {
	out := make([][]float64, len(l.Decisions))
	for i, d := range l.Decisions {
		if len(full[i]) == 0 {
			continue
		}
		out[i] = make([]float64, len(d.From))
		for k, from := range d.From {
			out[i][k] = full[i][from]
		}
	}
	return out
}

// scatter is the inverse of gather, with zeros for the options that are not left. The
// result has the shape of like.
func (l *Layout) scatter(part, like [][]float64) [][]float64 {
	out := zerosLike(like)
	for i, d := range l.Decisions {
		if len(part[i]) == 0 {
			continue
		}
		for k, from := range d.From {
			out[i][from] = part[i][k]
		}
	}
	return out
}

func zerosLike(m [][]float64) [][]float64 {
	out := make([][]float64, len(m))
	for i := range m {
		out[i] = make([]float64, len(m[i]))
	}
	return out
}

func cloned(m [][]float64) [][]float64 {
	out := make([][]float64, len(m))
	for i := range m {
		out[i] = append([]float64(nil), m[i]...)
	}
	return out
}
