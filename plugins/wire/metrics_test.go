package wire

import (
	"reflect"
	"strings"
	"testing"

	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

func TestTold(t *testing.T) {
	told := []Told{
		{Trial: 3, Metrics: Validation{Values: []float64{1, 2}}},
		{Trial: 4, Failure: "out of memory"},
		{Trial: 7, Metrics: Validation{Values: []float64{3, 4}, SimulatedSeconds: 9, Epochs: 2}},
		{Trial: 8, Metrics: Validation{Values: []float64{5, 6}, Epochs: 1}, Failure: "too slow", Infeasible: true},
		{Trial: 9, Failure: "too large \xff", Rejected: true},
	}
	got, err := ToTold(overTheWire(t, FromTold(told, 2), &pb.Told{}), 2)
	if err != nil {
		t.Fatal(err)
	}
	told[4].Failure = "too large \uFFFD"
	if !reflect.DeepEqual(got, told) {
		t.Errorf("got  %+v\nwant %+v", got, told)
	}
	if got, err := ToTold(FromTold(nil, 2), 2); len(got) != 0 || err != nil {
		t.Errorf("nothing arrived as %v, %v", got, err)
	}
}

func TestToldRefusals(t *testing.T) {
	for want, spoil := range map[string]func(*pb.Told){
		"3 metrics of 2 trials, not 2":  func(m *pb.Told) { m.Metrics.Values = m.Metrics.Values[1:] },
		"0 metrics of 2 trials":         func(m *pb.Told) { m.Metrics = nil },
		"4 metrics of 3 trials":         func(m *pb.Told) { m.Trials = append(m.Trials, 1) },
		"epochs of 1 trials, not of 2":  func(m *pb.Told) { m.Metrics.Epochs = []float64{1} },
		"epochs of 3 trials, not of 2":  func(m *pb.Told) { m.Metrics.SimulatedSeconds = make([]float64, 3) },
		"trial 2 of 2":                  func(m *pb.Told) { m.Unsuccessful[0].Index = 2 },
		"trial -1 of 2":                 func(m *pb.Told) { m.Unsuccessful[0].Index = -1 },
		"trial 1 of 2 failed without a": func(m *pb.Told) { m.Unsuccessful[0].Failure = "" },
	} {
		m := FromTold([]Told{{Metrics: Validation{Values: []float64{1, 2}}}, {Trial: 1, Failure: "x"}}, 2)
		spoil(m)
		if _, err := ToTold(m, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestPack(t *testing.T) {
	declared := []Metric{{Name: "a"}, {Name: "b"}}
	v := ValidationMetrics{Values: map[string]float64{"b": 2, "a": 1}, Epochs: 3, SimulatedSeconds: 4}
	packed, err := v.Pack(declared, make([]float64, 2))
	if err != nil || !reflect.DeepEqual(packed, Validation{Values: []float64{1, 2}, Epochs: 3, SimulatedSeconds: 4}) {
		t.Errorf("got %v, %v", packed, err)
	}
	if got := packed.Unpack([]string{"a", "b"}); !reflect.DeepEqual(got, v) {
		t.Errorf("got %v", got)
	}
	for want, values := range map[string]map[string]float64{
		"the metric b is missing":           {"a": 1, "c": 2},
		`the metric "c" was never declared`: {"a": 1, "b": 2, "c": 3},
	} {
		if _, err := (ValidationMetrics{Values: values}).Pack(declared, make([]float64, 2)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
