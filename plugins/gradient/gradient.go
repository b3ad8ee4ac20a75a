// Package gradient compares the gradients that an operation computes with finite
// differences of its results.
//
// The operation is made a function with one number: the sum of its results, each times a
// number drawn at random. Its gradient is what Backward makes of these numbers, and along
// one coordinate it is about half of what the function changes by over two small steps.
// Results are single numbers of 32 bits, so the steps are not very small, and where an
// operation has a kink within them (ReLU at 0) differences say nothing: coordinates where
// two sizes of step disagree are left out, as long as enough remain.
package gradient

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/space/stream"
)

// Op is an operation with its tensors. Forward and Backward compute with the same random
// numbers each time.
type Op struct {
	Inputs, Weights, InputGrads, WeightGrads [][]float32
	Output, OutputGrad                       []float32
	Forward, Backward                        func() error
}

const (
	probes    = 12   // coordinates of each tensor that are tried
	step      = 1e-2 // of the inputs, which are about 1
	tolerance = 2e-2 // of the gradients, and of what rounding makes of them
)

// Check fills the inputs, and weights with numbers near those that they have, and tells
// where a gradient is not what differences say.
func Check(o Op) error {
	r := stream.New(1, "gradient", 0)
	for _, x := range o.Inputs {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	}
	for _, w := range o.Weights {
		for i := range w {
			w[i] += float32(0.1 * r.NormFloat64())
		}
	}
	factors := make([]float32, len(o.Output))
	for i := range factors {
		factors[i] = float32(r.NormFloat64())
	}
	if _, err := o.value(factors); err != nil {
		return err
	}
	copy(o.OutputGrad, factors)
	if err := o.Backward(); err != nil {
		return err
	}
	// What Backward has written stays while the function is tried.
	grads := clone(append(append([][]float32{}, o.InputGrads...), o.WeightGrads...))
	for k, x := range append(append([][]float32{}, o.Inputs...), o.Weights...) {
		tried, left := 0, 0
		for _, i := range coordinates(r, len(x)) {
			wide, err := o.slope(x, i, step, factors)
			if err != nil {
				return err
			}
			narrow, err := o.slope(x, i, step/2, factors)
			if err != nil {
				return err
			}
			tried++
			got := float64(grads[k][i])
			if math.IsNaN(got) || math.IsInf(got, 0) {
				return fmt.Errorf("the gradient of number %d of %s is %v", i, o.name(k), got)
			}
			if !near(wide, narrow) {
				left++
				continue
			}
			if !near(got, narrow) {
				return fmt.Errorf("the gradient of number %d of %s is %.4g, and differences say %.4g", i, o.name(k), got, narrow)
			}
		}
		if left*2 > tried {
			return fmt.Errorf("its results change too wildly with %s to compare gradients with differences: at %d of %d numbers", o.name(k), left, tried)
		}
	}
	return nil
}

// name is what messages call the tensor k.
func (o Op) name(k int) string {
	if k < len(o.Inputs) {
		return fmt.Sprintf("operand %d", k)
	}
	return fmt.Sprintf("weight %d", k-len(o.Inputs))
}

// value computes the function.
func (o Op) value(factors []float32) (float64, error) {
	if err := o.Forward(); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, y := range o.Output {
		if v := float64(y); math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("number %d of its result is %v", i, y)
		}
		sum += float64(y) * float64(factors[i])
	}
	return sum, nil
}

// slope is what the function changes by along a coordinate.
func (o Op) slope(x []float32, i int, by float32, factors []float32) (float64, error) {
	was := x[i]
	defer func() { x[i] = was }()
	high, low := was+by, was-by
	x[i] = high
	above, err := o.value(factors)
	if err != nil {
		return 0, err
	}
	x[i] = low
	below, err := o.value(factors)
	if err != nil {
		return 0, err
	}
	return (above - below) / (float64(high) - float64(low)), nil
}

func near(a, b float64) bool {
	return math.Abs(a-b) <= tolerance*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

// coordinates draws some of n.
func coordinates(r *rand.Rand, n int) []int {
	p := r.Perm(n)
	return p[:min(n, probes)]
}

func clone(all [][]float32) [][]float32 {
	out := make([][]float32, len(all))
	for i, x := range all {
		out[i] = append([]float32(nil), x...)
	}
	return out
}
