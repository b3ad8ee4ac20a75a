package wire

import (
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

func description() Description {
	lo, hi := 1.0, 9.0
	return Description{Name: "a/b", Version: "1", Doc: "doc", Components: []Component{
		{Kind: OptimizerKind, Name: "o", Doc: "d", Ends: true, DecisionKinds: []space.Kind{space.OneOf}, Parameters: []Parameter{
			{Name: "i", Type: Int, Default: int64(3), Min: &lo, Max: &hi},
			{Name: "r", Type: Real, Default: 0.5},
			{Name: "b", Type: Bool, Default: true},
			{Name: "s", Type: String, Default: "x", Choices: []string{"x", "y"}},
			{Name: "must", Doc: "given", Type: String},
		}},
		{Kind: EvaluatorKind, Name: "e", Deterministic: true, Shared: true, Metrics: []Metric{{Name: "m", Unit: "%", HigherIsBetter: true}},
			TestMetrics: []Metric{{Name: "t"}}},
	}}
}

func TestDescription(t *testing.T) {
	m, err := FromDescription(description())
	if err != nil {
		t.Fatal(err)
	}
	got, err := ToDescription(overTheWire(t, m, &pb.DescribeResponse{}))
	if err != nil {
		t.Fatal(err)
	}
	if want := description(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDescriptionRefusals(t *testing.T) {
	for want, spoil := range map[string]func(m *pb.DescribeResponse){
		"name and version":                               func(m *pb.DescribeResponse) { m.Version = "" },
		"two optimizers are called":                      func(m *pb.DescribeResponse) { m.Components = append(m.Components, m.Components[0]) },
		"it has no name":                                 func(m *pb.DescribeResponse) { m.Components[0].Name = "" },
		"no kind of decision":                            func(m *pb.DescribeResponse) { m.Components[0].DecisionKinds[0] = "sometimes" },
		"reports no metric":                              func(m *pb.DescribeResponse) { m.Components[1].Metrics = nil },
		`metric "" has no name`:                          func(m *pb.DescribeResponse) { m.Components[1].TestMetrics[0].Name = "" },
		`parameter "r" has no name or is declared twice`: func(m *pb.DescribeResponse) { m.Components[0].Parameters[0].Name = "r" },
		`no type "complex"`:                              func(m *pb.DescribeResponse) { m.Components[0].Parameters[0].Type = "complex" },
		"default is not of type int": func(m *pb.DescribeResponse) {
			m.Components[0].Parameters[0].Default = m.Components[0].Parameters[1].Default
		},
		"default must be at most 2":        func(m *pb.DescribeResponse) { two := 2.0; m.Components[0].Parameters[0].Max = &two },
		"default must be one of":           func(m *pb.DescribeResponse) { m.Components[0].Parameters[3].Choices[0] = "z" },
		"bounds that mean nothing":         func(m *pb.DescribeResponse) { one := 1.0; m.Components[0].Parameters[2].Min = &one },
		"only a string has choices":        func(m *pb.DescribeResponse) { m.Components[0].Parameters[0].Choices = []string{"1"} },
		"parameter b of o: a value is emp": func(m *pb.DescribeResponse) { m.Components[0].Parameters[2].Default = &pb.Value{} },
	} {
		m, err := FromDescription(description())
		if err != nil {
			t.Fatal(err)
		}
		spoil(m)
		if _, err := ToDescription(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestTextIsValid(t *testing.T) {
	p := FromProblem(&Problem{Message: "cannot read \xff\xfe"})
	overTheWire(t, p, &pb.Problem{})
	if p.Message != "cannot read \uFFFD" {
		t.Errorf("got %q", p.Message)
	}
}

func TestRefusesWithPlainNumbers(t *testing.T) {
	least, most := 0.05, 1e6
	p := Parameter{Name: "p", Type: Real, Min: &least, Max: &most}
	for v, want := range map[float64]string{0.01: "must be at least 0.05", 2e6: "must be at most 1000000", 1: ""} {
		if got := p.Refuses(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
