package wire

import (
	"errors"
	"fmt"
	"math"

	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Pack puts metrics in the order of the declared ones. What is undeclared or
// missing is the evaluator's mistake, and an error. The values are written into
// room, of the length of declared.
func (v ValidationMetrics) Pack(declared []Metric, room []float64) (Validation, error) {
	out := Validation{Values: room, SimulatedSeconds: v.SimulatedSeconds, Epochs: v.Epochs}
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

// PutValidation adds the metrics of trial i to those of the trials before it; those
// of a trial that has none are 0.
func PutValidation(m *pb.ValidationMetrics, i, width int, v Validation) {
	if len(v.Values) == 0 {
		for range width {
			m.Values = append(m.Values, 0)
		}
	}
	m.Values = append(m.Values, v.Values...)
	put := func(column []float64, x float64) []float64 {
		if x == 0 && len(column) == 0 {
			return nil // until one is not 0
		}
		for len(column) < i {
			column = append(column, 0)
		}
		return append(column, x)
	}
	m.SimulatedSeconds = put(m.SimulatedSeconds, v.SimulatedSeconds)
	m.Epochs = put(m.Epochs, v.Epochs)
}

// CheckValidation tells whether a message holds the metrics of n trials, width of
// each, whatever their values.
func CheckValidation(m *pb.ValidationMetrics, n, width int) error {
	if got := len(m.GetValues()); got != n*width {
		return fmt.Errorf("%d metrics of %d trials, not %d of each", got, n, width)
	}
	for _, column := range [][]float64{m.GetSimulatedSeconds(), m.GetEpochs()} {
		if len(column) != 0 && len(column) != n {
			return fmt.Errorf("seconds or epochs of %d trials, not of %d", len(column), n)
		}
	}
	return nil
}

// TakeValidation returns the metrics of trial i, after CheckValidation. They share
// memory with the message.
func TakeValidation(m *pb.ValidationMetrics, i, width int) Validation {
	v := Validation{Values: m.GetValues()[i*width : (i+1)*width : (i+1)*width]}
	if column := m.GetSimulatedSeconds(); len(column) > 0 {
		v.SimulatedSeconds = column[i]
	}
	if column := m.GetEpochs(); len(column) > 0 {
		v.Epochs = column[i]
	}
	return v
}

// FromTold makes a message of finished trials with a number of metrics each, or
// with none.
func FromTold(trials []Told, width int) *pb.Told {
	if len(trials) == 0 {
		return nil
	}
	m := &pb.Told{Trials: make([]int64, len(trials)), Metrics: &pb.ValidationMetrics{Values: make([]float64, 0, width*len(trials))}}
	for i, t := range trials {
		m.Trials[i] = t.Trial
		if t.Failure != "" && !t.Infeasible {
			t.Metrics = Validation{}
		}
		PutValidation(m.Metrics, i, width, t.Metrics)
		if t.Failure != "" {
			m.Unsuccessful = append(m.Unsuccessful, &pb.Unsuccessful{Index: int32(i), Failure: text(t.Failure),
				Infeasible: t.Infeasible, Rejected: t.Rejected})
		}
	}
	return m
}

// ToTold reads finished trials.
func ToTold(m *pb.Told, width int) ([]Told, error) {
	n := len(m.GetTrials())
	if err := CheckValidation(m.GetMetrics(), n, width); err != nil {
		return nil, err
	}
	trials := make([]Told, n)
	for i, number := range m.GetTrials() {
		trials[i] = Told{Trial: number, Metrics: TakeValidation(m.GetMetrics(), i, width)}
	}
	for _, u := range m.GetUnsuccessful() {
		at := int(u.GetIndex())
		if at < 0 || at >= n || u.GetFailure() == "" {
			return nil, fmt.Errorf("trial %d of %d failed without a word", at, n)
		}
		t := &trials[at]
		t.Failure, t.Infeasible, t.Rejected = u.GetFailure(), u.GetInfeasible(), u.GetRejected()
		if !t.Infeasible {
			t.Metrics = Validation{}
		}
	}
	return trials, nil
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
