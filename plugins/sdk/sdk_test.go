package sdk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/wire"
)

func TestMain(m *testing.M) {
	switch os.Getenv("TEST_SERVE") {
	case "well":
		Serve(Plugin{Name: "me/it", Version: "0.3.0"})
	case "nameless":
		Serve(Plugin{})
	default:
		os.Exit(m.Run())
	}
}

func TestServeByHand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]string{
		"well":     "this is the nasc plugin me/it 0.3.0",
		"nameless": "declared wrongly",
	} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "TEST_SERVE="+mode)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s", mode, err, out)
		}
	}
}

type good struct {
	Population int     `default:"10" min:"1" max:"99" doc:"how many"`
	DropRate   float64 `default:"0.5"`
	drawn
	Data string `doc:"the table"`
}

// drawn is what good has in common with others.
type drawn struct {
	UseTLS bool   `default:"true"`
	Seed64 int64  `name:"seed" default:"-1"`
	Draw   string `default:"a" choices:"a,b"`
}

func TestParameters(t *testing.T) {
	got, err := Parameters[good]()
	if err != nil {
		t.Fatal(err)
	}
	one, most := 1.0, 99.0
	want := []wire.Parameter{
		{Name: "population", Doc: "how many", Type: wire.Int, Default: int64(10), Min: &one, Max: &most},
		{Name: "drop_rate", Type: wire.Real, Default: 0.5},
		{Name: "use_tls", Type: wire.Bool, Default: true},
		{Name: "seed", Type: wire.Int, Default: int64(-1)},
		{Name: "draw", Type: wire.String, Default: "a", Choices: []string{"a", "b"}},
		{Name: "data", Doc: "the table", Type: wire.String},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParameterDeclarationsThatAreWrong(t *testing.T) {
	for name, read := range map[string]func() ([]wire.Parameter, error){
		"no struct":  Parameters[int],
		"unexported": Parameters[struct{ a int }],
		"bad type":   Parameters[struct{ A []int }],
		"bad value": Parameters[struct {
			A int `default:"x"`
		}],
		"bad bound": Parameters[struct {
			A int `min:"x"`
		}],
	} {
		if _, err := read(); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	p := Plugin{Name: "a/b", Version: "1", Optimizers: []OptimizerSpec{
		NewOptimizer(OptimizerInfo{Name: "o"}, func(Search, struct {
			A int `default:"5" max:"4"`
		}) (Optimizer, error) {
			return nil, nil
		})}}
	if _, err := p.Description(); err == nil || !strings.Contains(err.Error(), "default must be at most 4") {
		t.Errorf("got %v", err)
	}
}

func TestFill(t *testing.T) {
	got, err := fill[good](wire.Settings{"data": "x", "population": int64(3), "drop_rate": int64(1)})
	if want := (good{3, 1, drawn{true, -1, "a"}, "x"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for path, values := range map[string]wire.Settings{
		"parameters.data":       {},
		"parameters.population": {"data": "x", "population": "ten"},
		"parameters.draw":       {"data": "x", "draw": "c"},
		"parameters.other":      {"data": "x", "other": int64(1)},
	} {
		var p *Problem
		if _, err := fill[good](values); !errors.As(err, &p) || p.Path != path {
			t.Errorf("%v: got %v", values, err)
		}
	}
}

func TestProblems(t *testing.T) {
	err := errors.Join(Refuse("a", "is %d", 1), fmt.Errorf("reading: %w", Refuse("b", "is bad")), errors.New("plain"))
	var got []string
	for _, p := range problems(err) {
		got = append(got, p.Path+": "+p.Message)
	}
	want := []string{"parameters.a: a is 1", "parameters.b: b is bad", ": plain"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestScore(t *testing.T) {
	up := Search{Objectives: []Objective{{Metric: "m", Maximize: true}}}
	down := Search{Objectives: []Objective{{Metric: "m"}}}
	trial := Trial{Metrics: ValidationMetrics{Values: map[string]float64{"m": 2}}}
	if s, ok := up.Score(trial); s != 2 || !ok {
		t.Errorf("to maximize: %v, %v", s, ok)
	}
	if s, ok := down.Score(trial); s != -2 || !ok {
		t.Errorf("to minimize: %v, %v", s, ok)
	}
	trial.Failure = "failed"
	if _, ok := up.Score(trial); ok {
		t.Error("a failed trial has a score")
	}
}
