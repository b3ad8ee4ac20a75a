package gradient

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// operation is f(x) + w, number by number, with the gradient that is given of f.
func operation(n int, f, df func(x float64) float64) Op {
	x, w, y := make([]float32, n), make([]float32, n), make([]float32, n)
	dx, dw, dy := make([]float32, n), make([]float32, n), make([]float32, n)
	return Op{Inputs: [][]float32{x}, Weights: [][]float32{w}, Output: y, InputGrads: [][]float32{dx}, WeightGrads: [][]float32{dw}, OutputGrad: dy,
		Forward: func() error {
			for i := range x {
				y[i] = float32(f(float64(x[i]))) + w[i]
			}
			return nil
		},
		Backward: func() error {
			for i := range x {
				dx[i], dw[i] = dy[i]*float32(df(float64(x[i]))), dy[i]
			}
			return nil
		}}
}

func TestCheck(t *testing.T) {
	square := func(x float64) float64 { return x * x }
	relu := func(x float64) float64 { return math.Max(x, 0) }
	for _, c := range []struct {
		what  string
		f, df func(float64) float64
		want  string // empty: it is right
	}{
		{"a square", square, func(x float64) float64 { return 2 * x }, ""},
		{"a kink", relu, func(x float64) float64 { return math.Ceil(relu(x) / (relu(x) + 1)) }, ""},
		{"a sine", math.Sin, math.Cos, ""},
		{"half of it", square, func(x float64) float64 { return x }, "the gradient of number"},
		{"the wrong sign", math.Sin, func(x float64) float64 { return -math.Cos(x) }, "and differences say"},
		{"none", square, func(float64) float64 { return 0 }, "of operand 0 is 0"},
		{"no number", square, func(float64) float64 { return math.NaN() }, "is NaN"},
		{"no result", func(float64) float64 { return math.Inf(1) }, square, "of its result is +Inf"},
		{"noise", func(x float64) float64 { return math.Sin(1e6 * x) }, square, "too wildly"},
	} {
		err := Check(operation(40, c.f, c.df))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	o := operation(4, square, square)
	fails := errors.New("no")
	o.Backward = func() error { return fails }
	if err := Check(o); !errors.Is(err, fails) {
		t.Error(err)
	}
	o.Forward = func() error { return fails }
	if err := Check(o); !errors.Is(err, fails) {
		t.Error(err)
	}
}

// TestWeights: those of weights are compared too.
func TestWeights(t *testing.T) {
	o := operation(40, math.Sin, math.Cos)
	right := o.Backward
	o.Backward = func() error {
		err := right()
		o.WeightGrads[0][7] = -o.WeightGrads[0][7]
		for i := range o.WeightGrads[0] {
			o.WeightGrads[0][i] *= 2
		}
		return err
	}
	if err := Check(o); err == nil || !strings.Contains(err.Error(), "of weight 0 is") {
		t.Error(err)
	}
}
