package wire

import (
	"errors"
	"fmt"
	"math"

	"github.com/nasc-project/nasc/compiler/space"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// FromWeightStep makes a message of a weight step under a mixture.
func FromWeightStep(x Mixture, o WeightStep, widths []int) (*pb.WeightStep, error) {
	m, err := FromMixture(x, widths)
	if err != nil {
		return nil, err
	}
	out := &pb.WeightStep{Mixture: m, Rate: o.Rate, WeightDecay: o.WeightDecay}
	return out, checkWeightStep(out, widths)
}

// ToWeightStep reads a weight step.
func ToWeightStep(m *pb.WeightStep, widths []int) (Mixture, WeightStep, error) {
	if err := checkWeightStep(m, widths); err != nil {
		return nil, WeightStep{}, err
	}
	x, err := ToMixture(m.GetMixture(), widths)
	return x, WeightStep{Rate: m.Rate, WeightDecay: m.WeightDecay}, err
}

func checkWeightStep(m *pb.WeightStep, widths []int) error {
	if m == nil {
		return errors.New("no weight step")
	}
	for _, v := range []*float64{m.Rate, m.WeightDecay} {
		if v != nil && !(*v >= 0 && *v <= math.MaxFloat64) {
			return fmt.Errorf("a weight step with the rate or weight decay %v", *v)
		}
	}
	return CheckMixture(m.GetMixture(), widths)
}

// FromArchGradient makes a message of a request for a gradient at a mixture.
func FromArchGradient(x Mixture, o ArchGradient, widths []int) (*pb.ArchGradient, error) {
	m, err := FromMixture(x, widths)
	if err != nil {
		return nil, err
	}
	out := &pb.ArchGradient{Mixture: m, Batch: pb.Batch(o.Batch), Unrolled: o.Unrolled, Radius: o.Radius}
	return out, checkArchGradient(out, widths)
}

// ToArchGradient reads a request for a gradient.
func ToArchGradient(m *pb.ArchGradient, widths []int) (Mixture, ArchGradient, error) {
	if err := checkArchGradient(m, widths); err != nil {
		return nil, ArchGradient{}, err
	}
	x, err := ToMixture(m.GetMixture(), widths)
	return x, ArchGradient{Batch: BatchChoice(m.GetBatch()), Unrolled: m.GetUnrolled(), Radius: m.GetRadius()}, err
}

func checkArchGradient(m *pb.ArchGradient, widths []int) error {
	switch b := BatchChoice(m.GetBatch()); {
	case b < NextValid || b > NextTrain:
		return fmt.Errorf("a gradient on batch %d", b)
	case m.GetUnrolled() && b == NextTrain:
		return errors.New("a gradient of second order on a batch of the training part")
	case m.GetUnrolled() && !(m.GetRadius() > 0 && m.GetRadius() <= math.MaxFloat64):
		return fmt.Errorf("a finite difference of radius %v", m.GetRadius())
	}
	return CheckMixture(m.GetMixture(), widths)
}

// FromScore makes a message of a request to measure mixtures.
func FromScore(xs []Mixture, o Score, widths []int) (*pb.Score, error) {
	for _, v := range []int{o.First, o.Batches, o.Recalibrate} {
		if v < 0 || v > math.MaxInt32 {
			return nil, fmt.Errorf("a score of %d batches from %d on, recalibrated on %d", o.Batches, o.First, o.Recalibrate)
		}
	}
	out := &pb.Score{First: int32(o.First), Batches: int32(o.Batches), Recalibrate: int32(o.Recalibrate)}
	for _, x := range xs {
		m, err := FromMixture(x, widths)
		if err != nil {
			return nil, err
		}
		out.Mixtures = append(out.Mixtures, m)
	}
	return out, nil
}

// ToScore reads a request to measure mixtures.
func ToScore(m *pb.Score, widths []int) ([]Mixture, Score, error) {
	if err := checkScore(m, widths); err != nil {
		return nil, Score{}, err
	}
	xs := make([]Mixture, len(m.GetMixtures()))
	for i, x := range m.GetMixtures() {
		var err error
		if xs[i], err = ToMixture(x, widths); err != nil {
			return nil, Score{}, err
		}
	}
	return xs, Score{First: int(m.GetFirst()), Batches: int(m.GetBatches()), Recalibrate: int(m.GetRecalibrate())}, nil
}

func checkScore(m *pb.Score, widths []int) error {
	if m.GetFirst() < 0 || m.GetBatches() < 0 || m.GetRecalibrate() < 0 {
		return fmt.Errorf("a score of %d batches from %d on, recalibrated on %d", m.GetBatches(), m.GetFirst(), m.GetRecalibrate())
	}
	for _, x := range m.GetMixtures() {
		if err := CheckMixture(x, widths); err != nil {
			return err
		}
	}
	return nil
}

// CheckCall tells whether a message is a call for a supernet whose decisions have
// these widths, of a space with so many decisions.
func CheckCall(m *pb.Call, widths []int, decisions int) error {
	switch c := m.GetCall().(type) {
	case *pb.Call_WeightStep:
		return checkWeightStep(c.WeightStep, widths)
	case *pb.Call_ArchGradient:
		return checkArchGradient(c.ArchGradient, widths)
	case *pb.Call_Score:
		return checkScore(c.Score, widths)
	case *pb.Call_Relax:
		_, err := ToRelaxation(c.Relax)
		return err
	case *pb.Call_Check:
		_, err := ToCheck(c.Check, decisions)
		return err
	}
	return errors.New("a call of an unknown kind")
}

// FromCheck makes a message of a question about architectures.
func FromCheck(all []space.Genotype) *pb.Check {
	a := &pb.Answer{}
	FromGenotypes(a, all)
	return &pb.Check{Count: a.Count, Genotypes: a.Genotypes}
}

// ToCheck reads a question about architectures of so many decisions, whether they lie
// in their space or not.
func ToCheck(m *pb.Check, decisions int) ([]space.Genotype, error) {
	return ToGenotypes(&pb.Answer{Count: m.GetCount(), Genotypes: m.GetGenotypes()}, len(m.GetGenotypes()), decisions)
}

// FromStage makes a message of a stage of a search that is told metrics of these names,
// and of the state that it has left.
func FromStage(s Stage, state []byte, metrics []string, widths []int) (*pb.Stage, error) {
	m := &pb.Stage{Genotype: s.Genotype, Values: texts(s.Values), State: state, Done: s.Done, Text: text(s.Text)}
	var err error
	if m.Mixture, err = FromMixture(s.Mixture, widths); err != nil {
		return nil, err
	}
	if len(s.Metrics.Values) > 0 {
		declared := make([]Metric, len(metrics))
		for i, name := range metrics {
			declared[i].Name = name
		}
		v, err := s.Metrics.Pack(declared, make([]float64, len(metrics)))
		if err != nil {
			return nil, err
		}
		m.Metrics = v.Values
	}
	return m, nil
}

// ToStage reads a stage, whose architecture has to be looked for in its space. What it
// holds is finite.
func ToStage(m *pb.Stage, metrics []string, widths []int) (Stage, error) {
	s := Stage{Genotype: m.GetGenotype(), Values: m.GetValues(), Done: m.GetDone(), Text: m.GetText()}
	var err error
	if s.Mixture, err = ToMixture(m.GetMixture(), widths); err != nil {
		return Stage{}, err
	}
	switch len(m.GetMetrics()) {
	case 0:
	case len(metrics):
		if err := finite(m.GetMetrics()); err != nil {
			return Stage{}, fmt.Errorf("metrics: %w", err)
		}
		s.Metrics = Validation{Values: m.GetMetrics()}.Unpack(metrics)
	default:
		return Stage{}, fmt.Errorf("%d metrics, not %d", len(m.GetMetrics()), len(metrics))
	}
	for name, v := range s.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Stage{}, fmt.Errorf("the value %q is %v", name, v)
		}
	}
	return s, nil
}

// FromScores makes a message of the metrics of n mixtures, in the order of those that
// the evaluator has declared.
func FromScores(all []ValidationMetrics, n int, declared []Metric) (*pb.ScoreDone, error) {
	if len(all) != n {
		return nil, fmt.Errorf("the metrics of %d mixtures, not of %d", len(all), n)
	}
	width := len(declared)
	m := &pb.ScoreDone{Values: make([]float64, n*width)}
	for i, v := range all {
		if _, err := v.Pack(declared, m.Values[i*width:(i+1)*width]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ToScores reads the metrics of n mixtures.
func ToScores(m *pb.ScoreDone, n int, metrics []string) ([]ValidationMetrics, error) {
	width := len(metrics)
	if got := len(m.GetValues()); got != n*width {
		return nil, fmt.Errorf("%d metrics of %d mixtures, not %d of each", got, n, width)
	}
	all := make([]ValidationMetrics, n)
	for i := range all {
		all[i] = Validation{Values: m.GetValues()[i*width : (i+1)*width]}.Unpack(metrics)
	}
	return all, nil
}

// FromSupernetSize makes a message of s.
func FromSupernetSize(s SupernetSize) *pb.Opened {
	return &pb.Opened{Steps: int32(s.Steps), Valid: int32(s.Valid), Memory: s.Memory}
}

// ToSupernetSize reads how much there is of a supernet.
func ToSupernetSize(m *pb.Opened) (SupernetSize, error) {
	if m.GetSteps() < 1 || m.GetValid() < 0 || m.GetMemory() < 0 {
		return SupernetSize{}, fmt.Errorf("a supernet with %d steps of an epoch, %d batches of the validation part and %d bytes", m.GetSteps(), m.GetValid(), m.GetMemory())
	}
	return SupernetSize{Steps: int(m.GetSteps()), Valid: int(m.GetValid()), Memory: m.GetMemory()}, nil
}
