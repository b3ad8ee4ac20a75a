package ops_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// scaled is an operation computed elsewhere: x times a factor for each channel, with the
// numbers of a map as its shape says.
type scaled struct {
	ops.Buffers
	shape []int
	fails error
	calls int
}

func newScaled(shape []int) *scaled {
	n, c := tensor.Shape(shape).TotalSize(), shape[1]
	return &scaled{shape: shape, Buffers: ops.Buffers{Inputs: [][]float32{make([]float32, n)}, Params: [][]float32{make([]float32, c)},
		InputGrads: [][]float32{make([]float32, n)}, ParamGrads: [][]float32{make([]float32, c)},
		Output: make([]float32, n), OutputGrad: make([]float32, n)}}
}

func (s *scaled) channel(i int) int {
	pixels := 1
	for _, d := range s.shape[2:] {
		pixels *= d
	}
	return i / pixels % s.shape[1]
}

func (s *scaled) at() (ops.Buffers, error) { return s.Buffers, nil }

func (s *scaled) forward() error {
	s.calls++
	for i, x := range s.Inputs[0] {
		s.Output[i] = x * s.Params[0][s.channel(i)]
	}
	return s.fails
}

func (s *scaled) backward() error {
	clear(s.ParamGrads[0])
	for i, dy := range s.OutputGrad {
		s.InputGrads[0][i] = dy * s.Params[0][s.channel(i)]
		s.ParamGrads[0][s.channel(i)] += dy * s.Inputs[0][i]
	}
	return nil
}

// external is scaled as networks have it.
type external struct{ *scaled }

func (e external) Buffers() (ops.Buffers, error) { return e.at() }
func (e external) Forward(bool, uint64) error    { return e.forward() }
func (e external) Backward() error               { return e.backward() }

// TestExternal: an operation that is computed elsewhere sees maps as their shapes say, and
// its gradients reach what is before it and its parameters.
func TestExternal(t *testing.T) {
	for _, dt := range []tensor.Dtype{gorgonia.Float32, gorgonia.Float64} {
		for _, shape := range [][]int{{2, 3, 4, 5}, {4, 3}} {
			b := newBench(t, dt, 2)
			e := newScaled(shape)
			before := b.leaf("x", shape...)
			y, err := b.External("here", "scaled", external{e}, []ops.Parameter{{Name: "factor", Shape: []int{3}}}, shape, before)
			if err != nil {
				t.Fatal(err)
			}
			r := b.leaf("r", shape...)
			loss, err := b.Dot(y, r)
			if err != nil {
				t.Fatal(err)
			}
			wrt, grads, err := b.Gradients(loss, gorgonia.Nodes{before, b.params[0]})
			if err != nil || len(wrt) != 2 {
				t.Fatal(wrt, err)
			}
			var got [][]float64
			if dt == gorgonia.Float32 {
				got = values[float32](t, b, loss, grads)
			} else {
				got = values[float64](t, b, loss, grads)
			}
			x, f, w := leafNumbers(before), leafNumbers(b.params[0]), leafNumbers(r)
			// In memory the channels of a map come last, as they do in a vector.
			sum, dx, df := 0.0, make([]float64, len(x)), make([]float64, 3)
			for i := range x {
				c := i % 3
				sum += x[i] * f[c] * w[i]
				dx[i] = f[c] * w[i]
				df[c] += x[i] * w[i]
			}
			for k, want := range [][]float64{{sum}, dx, df} {
				for i := range want {
					if math.Abs(got[k][i]-want[i]) > 1e-4 {
						t.Fatalf("%v %v: number %d of %d is %v, not %v", dt, shape, i, k, got[k][i], want[i])
					}
				}
			}
		}
	}
}

// leafNumbers are those of a leaf.
func leafNumbers(n *gorgonia.Node) []float64 {
	var out []float64
	switch d := n.Value().Data().(type) {
	case []float32:
		for _, v := range d {
			out = append(out, float64(v))
		}
	case []float64:
		out = d
	}
	return out
}

// values runs a plan and returns the loss and the gradients.
func values[T float32 | float64](t *testing.T, b *bench, loss *gorgonia.Node, grads gorgonia.Nodes) [][]float64 {
	t.Helper()
	p, err := plan.New(b.Workers, plan.Options[T]{}, append(gorgonia.Nodes{loss}, grads...)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var out [][]float64
	for _, n := range append(gorgonia.Nodes{loss}, grads...) {
		var x []float64
		for _, v := range p.Value(n) {
			x = append(x, float64(v))
		}
		out = append(out, x)
	}
	return out
}

// TestExternalFails: when it fails, so does the run, at once; the next one may not.
func TestExternalFails(t *testing.T) {
	b := newBench(t, gorgonia.Float32, 1)
	shape := []int{2, 3, 2, 2}
	e := newScaled(shape)
	y, err := b.External("here", "scaled", external{e}, []ops.Parameter{{Name: "factor", Shape: []int{3}}}, shape, b.leaf("x", shape...))
	if err != nil {
		t.Fatal(err)
	}
	second := newScaled(shape)
	y, err = b.External("there", "scaled", external{second}, []ops.Parameter{{Name: "factor", Shape: []int{3}}}, shape, y)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(b.Workers, plan.Options[float32]{}, y)
	if err != nil {
		t.Fatal(err)
	}
	e.fails = errors.New("the process died")
	if err := p.Run(context.Background()); !errors.Is(err, e.fails) || second.calls != 0 {
		t.Errorf("the run ends with %v, and what comes after was computed %d times", err, second.calls)
	}
	e.fails = nil
	if err := p.Run(context.Background()); err != nil || second.calls != 1 {
		t.Errorf("the next run: %v", err)
	}
}
