package host

import (
	"math"
	"os"
	"strings"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// operationSignatures are those of a plugin whose operations do what a test wants.
const operationSignatures = `/// A copy, times one learned number for each channel.
op scale(x: [c, h, w]) -> [c, h, w] { params = c }
/// A copy whose process ends when the first number of its operand is the fatal one.
op fragile(x: [c, h, w], fatal: real = 13.0) -> [c, h, w]
/// A copy.
op copy(x: [c, h, w]) -> [c, h, w]
/// It never ends.
op endless(x: [c, h, w]) -> [c, h, w]
/// A copy that says no, or panics.
op rude(x: [c, h, w], how: string) -> [c, h, w]
`

func operationsPlugin() sdk.Plugin {
	return sdk.Plugin{Name: "test/operations", Version: "0.1.0", Signatures: operationSignatures, Ops: []sdk.OpSpec{
		sdk.NewOp("scale", func(p sdk.Place, _ struct{}) (sdk.Op, error) { return scaling{p.Inputs[0][1]}, nil }),
		sdk.NewOp("fragile", func(p sdk.Place, a struct{ Fatal float64 }) (sdk.Op, error) {
			return fragile{fatal: float32(a.Fatal)}, nil
		}),
		sdk.NewOp("copy", func(sdk.Place, struct{}) (sdk.Op, error) { return fragile{fatal: float32(math.NaN())}, nil }),
		sdk.NewOp("endless", func(sdk.Place, struct{}) (sdk.Op, error) { return endless{}, nil }),
		sdk.NewOp("rude", func(p sdk.Place, a struct{ How string }) (sdk.Op, error) {
			if a.How == "place" {
				return nil, &sdk.Problem{Message: "not here"}
			}
			return rude{a.How}, nil
		}),
	}}
}

// scaling is x * w, channel by channel.
type scaling struct{ channels int }

func (s scaling) Weights() []sdk.Weight {
	return []sdk.Weight{{Name: "factor", Shape: []int{s.channels}, Mean: 1}}
}

func (s scaling) each(t *sdk.Tensors, f func(c, from, to int)) {
	shape := t.Output.Shape
	n := shape[2] * shape[3]
	for i := range shape[0] * s.channels {
		f(i%s.channels, i*n, i*n+n)
	}
}

func (s scaling) Forward(t *sdk.Tensors) error {
	s.each(t, func(c, from, to int) {
		w := t.Weights[0].Data[c]
		for i := from; i < to; i++ {
			t.Output.Data[i] = w * t.Inputs[0].Data[i]
		}
	})
	return nil
}

func (s scaling) Backward(t *sdk.Tensors) error {
	s.each(t, func(c, from, to int) {
		w := t.Weights[0].Data[c]
		for i := from; i < to; i++ {
			t.InputGrads[0].Data[i] = w * t.OutputGrad.Data[i]
			t.WeightGrads[0].Data[c] += t.OutputGrad.Data[i] * t.Inputs[0].Data[i]
		}
	})
	return nil
}

type fragile struct{ fatal float32 }

func (f fragile) Forward(t *sdk.Tensors) error {
	if t.Inputs[0].Data[0] == f.fatal {
		os.Exit(3)
	}
	copy(t.Output.Data, t.Inputs[0].Data)
	return nil
}

func (fragile) Backward(t *sdk.Tensors) error {
	copy(t.InputGrads[0].Data, t.OutputGrad.Data)
	return nil
}

type endless struct{}

func (endless) Forward(*sdk.Tensors) error  { select {} }
func (endless) Backward(*sdk.Tensors) error { select {} }

type rude struct{ how string }

func (r rude) Forward(*sdk.Tensors) error {
	if r.how == "panic" {
		panic("rude")
	}
	return &sdk.Problem{Message: strings.Repeat("no ", 3)}
}

func (rude) Backward(*sdk.Tensors) error { return nil }
