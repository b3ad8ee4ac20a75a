package plugintest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

const opsKey = "TEST_OPS"

// TestMain lets this binary also be a plugin with operations.
func TestMain(m *testing.M) {
	if os.Getenv(opsKey) != "" {
		sdk.Serve(opsPlugin)
		return
	}
	os.Exit(m.Run())
}

// opsPlugin has operations that are right, and some that break the contract in one way
// each.
var opsPlugin = sdk.Plugin{Name: "me/ops", Version: "0.1.0", Doc: "For tests.",
	Signatures: `/// The sum of a set.
op total(xs: set) -> xs
/// A vector, times a number.
op stretch(x: [c], factor: real) -> [c]
/// For maps whose sides divide by eight.
op choosy(x: [c, h, w]) -> [c, h, w] { require h % 8 == 0 and w % 8 == 0 }
/// A square.
block squared(x: [c, h, w]) = x -> twin
/// Copies all but the last number.
op lazy(x: [c, h, w]) -> [c, h, w]
/// Adds something random of its own.
op forgetful(x: [c, h, w]) -> [c, h, w]
/// Has two weights and says one.
op fat(x: [c, h, w]) -> [c, h, w] { params = 1 }
/// Has half of its gradient.
op half(x: [c, h, w]) -> [c, h, w]
/// Dies of a gradient.
op mortal(x: [c, h, w]) -> [c, h, w]
/// Says no in some places.
op twin(x: [c, h, w]) -> x
op silent(x: [c, h, w]) -> x
`,
	Ops: []sdk.OpSpec{
		behaving("total", sum), behaving("choosy", sum), behaving("twin", sum), behaving("silent", sum),
		sdk.NewOp("stretch", func(_ sdk.Place, a struct{ Factor float64 }) (sdk.Op, error) {
			return behaviour{by: float32(a.Factor), forward: sum, gradient: 1}, nil
		}),
		behaving("lazy", func(t *sdk.Tensors) {
			sum(t)
			t.Output.Data[len(t.Output.Data)-1] = float32(rand.NormFloat64()) / float32(zero)
		}),
		behaving("forgetful", func(t *sdk.Tensors) { sum(t); t.Output.Data[0] += rand.Float32() }),
		sdk.NewOp("fat", func(sdk.Place, struct{}) (sdk.Op, error) {
			return behaviour{by: 1, forward: sum, gradient: 1, weights: []sdk.Weight{{Name: "w", Shape: []int{2}}}}, nil
		}),
		sdk.NewOp("half", func(sdk.Place, struct{}) (sdk.Op, error) {
			return behaviour{by: 1, forward: sum, gradient: 0.5}, nil
		}),
		sdk.NewOp("mortal", func(sdk.Place, struct{}) (sdk.Op, error) { return behaviour{by: 1, forward: sum, dies: true}, nil }),
	}}

var zero = 0

func behaving(name string, forward func(*sdk.Tensors)) sdk.OpSpec {
	return sdk.NewOp(name, func(sdk.Place, struct{}) (sdk.Op, error) {
		return behaviour{by: 1, forward: forward, gradient: 1}, nil
	})
}

// sum adds up the operands.
func sum(t *sdk.Tensors) {
	clear(t.Output.Data)
	for _, x := range t.Inputs {
		for i, v := range x.Data {
			t.Output.Data[i] += v
		}
	}
}

type behaviour struct {
	by, gradient float32
	forward      func(*sdk.Tensors)
	weights      []sdk.Weight
	dies         bool
}

func (b behaviour) Weights() []sdk.Weight { return b.weights }

func (b behaviour) Forward(t *sdk.Tensors) error {
	b.forward(t)
	for i := range t.Output.Data {
		t.Output.Data[i] *= b.by
	}
	return nil
}

func (b behaviour) Backward(t *sdk.Tensors) error {
	if b.dies {
		os.Exit(3)
	}
	for _, dx := range t.InputGrads {
		for i, dy := range t.OutputGrad.Data {
			dx.Data[i] = b.gradient * b.by * dy
		}
	}
	return nil
}

// TestOperations: the suite passes what is right, and tells what is not.
func TestOperations(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	ok, err := Run(t.Context(), Options{Name: "me/ops", Command: host.Command{Path: self, Env: []string{opsKey + "=1"}},
		Settings: func(p wire.Parameter) (any, bool) { return 2.5, p.Name == "factor" }},
		func(r Result) { results = append(results, r) })
	if err != nil || ok {
		t.Fatalf("%v, %v", ok, err)
	}
	failures := map[string]string{
		"op lazy: it computes every number":              "is +Inf|is -Inf|is NaN",
		"op forgetful: equal tensors give equal results": "they differ",
		"op forgetful: its gradients":                    "",
		"op fat: it has as many trainable numbers":       "have 2 numbers, and `params` of its signature says 1",
		"op half: its gradients":                         "and differences say",
		"op mortal: its gradients":                       "the plugin me/ops 0.1.0 died while it computed mortal",
		"op silent: something explains it":               "would",
	}
	passed := map[string]bool{}
	for _, r := range results {
		what := r.Of + ": " + r.Check
		if r.Failure == "" {
			passed[what] = true
			continue
		}
		expected := false
		for prefix, why := range failures {
			if strings.HasPrefix(what, prefix) {
				expected = true
				said := false
				for _, part := range strings.Split(why, "|") {
					said = said || strings.Contains(r.Failure, part)
				}
				if !said {
					t.Errorf("%s fails with %q, not %q", what, r.Failure, why)
				}
			}
		}
		if !expected {
			t.Errorf("%s fails: %s", what, r.Failure)
		}
	}
	for _, op := range []string{"total", "stretch", "choosy"} {
		if !passed["op "+op+": its gradients are those that differences of its results say"] || !passed["op "+op+": what makes no sense is refused, and it goes on after that"] {
			t.Errorf("%s was not passed", op)
		}
	}
	for prefix, why := range failures {
		for what := range passed {
			if why != "" && strings.HasPrefix(what, prefix) {
				t.Errorf("%s was passed", what)
			}
		}
	}
	if !passed["op squared: a space can make use of it"] || !passed["op choosy: it computes every number of a result of shape [4, 8, 8]"] {
		t.Error("an expansion, or what takes certain sizes only, was not passed")
	}
}

// TestInterrupted: what is interrupted has not failed.
func TestInterrupted(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	_, err = Run(ctx, Options{Name: "me/ops", Command: host.Command{Path: self, Env: []string{opsKey + "=1"}}}, func(r Result) {
		if r.Failure != "" {
			t.Errorf("%s: %s", r.Check, r.Failure)
		}
		if r.Of != "" {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the end is %v", err)
	}
}
