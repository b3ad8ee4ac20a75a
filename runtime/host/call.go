package host

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// CallKind tells calls apart.
type CallKind int

// The kinds of call. Those before RelaxCall are for [Supernet.Do].
const (
	WeightStepCall CallKind = iota
	ArchGradientCall
	ScoreCall
	RelaxCall // answered with [Relaxed]
	CheckCall // answered with [Checked]
)

// Call is what a one-shot optimizer wants done with its supernet, checked.
type Call struct {
	m         *nascv1.Call
	widths    []int // of the supernet's decisions
	decisions int   // of the space
}

// Kind tells what it is.
func (c Call) Kind() CallKind {
	switch c.m.GetCall().(type) {
	case *nascv1.Call_ArchGradient:
		return ArchGradientCall
	case *nascv1.Call_Score:
		return ScoreCall
	case *nascv1.Call_Relax:
		return RelaxCall
	case *nascv1.Call_Check:
		return CheckCall
	}
	return WeightStepCall
}

// Relaxation is what a RelaxCall wants.
func (c Call) Relaxation() lower.Relaxation {
	r, _ := wire.ToRelaxation(c.m.GetRelax()) // it was checked
	return r
}

// Genotypes are what a CheckCall asks about. They need not lie in the space.
func (c Call) Genotypes() []space.Genotype {
	all, _ := wire.ToCheck(c.m.GetCheck(), c.decisions) // it was checked
	return all
}

// Mixtures are those that a call for a supernet is about.
func (c Call) Mixtures() []wire.Mixture {
	var all []*nascv1.Mixture
	switch m := c.m.GetCall().(type) {
	case *nascv1.Call_WeightStep:
		all = append(all, m.WeightStep.GetMixture())
	case *nascv1.Call_ArchGradient:
		all = append(all, m.ArchGradient.GetMixture())
	case *nascv1.Call_Score:
		all = m.Score.GetMixtures()
	}
	out := make([]wire.Mixture, len(all))
	for i, m := range all {
		out[i], _ = wire.ToMixture(m, c.widths) // it was checked
	}
	return out
}

// NewWeightStep is a call for a weight step of a supernet.
func NewWeightStep(s *lower.Supernet, x wire.Mixture, o wire.WeightStep) (Call, error) {
	widths := wire.RelaxedOf(s).Widths()
	m, err := wire.FromWeightStep(x, o, widths)
	return Call{m: &nascv1.Call{Call: &nascv1.Call_WeightStep{WeightStep: m}}, widths: widths}, err
}

// NewArchGradient is a call for a gradient of a supernet.
func NewArchGradient(s *lower.Supernet, x wire.Mixture, o wire.ArchGradient) (Call, error) {
	widths := wire.RelaxedOf(s).Widths()
	m, err := wire.FromArchGradient(x, o, widths)
	return Call{m: &nascv1.Call{Call: &nascv1.Call_ArchGradient{ArchGradient: m}}, widths: widths}, err
}

// Reply is the answer to a call.
type Reply struct {
	m       *nascv1.Reply
	relaxed *lower.Supernet // the answer to a RelaxCall
	failure error           // why it could not be done
}

// Loss is that of a weight step or a gradient.
func (r Reply) Loss() (loss float64, ok bool) {
	switch m := r.m.GetReply().(type) {
	case *nascv1.Reply_WeightStep:
		return m.WeightStep.GetLoss(), true
	case *nascv1.Reply_ArchGradient:
		return m.ArchGradient.GetLoss(), true
	}
	return 0, false
}

// Gradient is that of the mixture, one decision after another; nil: the call was for
// something else.
func (r Reply) Gradient() []float64 { return r.m.GetArchGradient().GetGradient().GetValues() }

// Err is why it could not be done, or nil.
func (r Reply) Err() error { return r.failure }

// Stepped answers a WeightStepCall.
func Stepped(loss float64) Reply {
	return Reply{m: &nascv1.Reply{Reply: &nascv1.Reply_WeightStep{WeightStep: &nascv1.WeightStepDone{Loss: loss}}}}
}

// Descending answers an ArchGradientCall: the loss and its gradient, one decision after
// another.
func Descending(loss float64, gradient []float64) Reply {
	return Reply{m: &nascv1.Reply{Reply: &nascv1.Reply_ArchGradient{ArchGradient: &nascv1.ArchGradientDone{
		Loss: loss, Gradient: &nascv1.Mixture{Values: gradient}}}}}
}

// Scored answers a ScoreCall with the metrics of each mixture, one after another.
func Scored(values []float64) Reply {
	return Reply{m: &nascv1.Reply{Reply: &nascv1.Reply_Score{Score: &nascv1.ScoreDone{Values: values}}}}
}

// Relaxed answers a RelaxCall: the supernet is now this one.
func Relaxed(s *lower.Supernet) Reply {
	return Reply{relaxed: s, m: &nascv1.Reply{Reply: &nascv1.Reply_Relax{Relax: wire.FromRelaxed(wire.RelaxedOf(s))}}}
}

// Checked answers a CheckCall: which architectures are admissible.
func Checked(admissible []bool) Reply {
	return Reply{m: &nascv1.Reply{Reply: &nascv1.Reply_Check{Check: &nascv1.CheckDone{Admissible: admissible}}}}
}

// Refused answers any call that could not be done. The optimizer may go on without; a
// stage that ends with an error after it has the error err.
func Refused(err error) Reply {
	return Reply{failure: err, m: &nascv1.Reply{Reply: &nascv1.Reply_Error{Error: wire.FromProblem(&wire.Problem{Message: err.Error()})}}}
}

// answers tells whether a reply is one to a call.
func (r Reply) answers(c Call) bool {
	if r.failure != nil {
		return true
	}
	switch c.Kind() {
	case WeightStepCall:
		return r.m.GetWeightStep() != nil
	case ArchGradientCall:
		return r.m.GetArchGradient() != nil
	case ScoreCall:
		return r.m.GetScore() != nil
	case RelaxCall:
		return r.relaxed != nil
	}
	return r.m.GetCheck() != nil && len(r.m.GetCheck().GetAdmissible()) == len(c.Genotypes())
}
