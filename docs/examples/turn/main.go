// The operation turn: turns pairs of channels by learned angles. What spaces need to know
// of it is in ops.nas; docs/plugins.md explains it line by line.
package main

import (
	_ "embed"
	"math"

	"github.com/nasc-project/nasc/plugins/sdk"
)

//go:embed ops.nas
var signatures string

var plugin = sdk.Plugin{
	Name:       "me/turn",
	Version:    "0.1.0",
	Doc:        "Turns pairs of channels by learned angles.",
	Signatures: signatures,
	Ops:        []sdk.OpSpec{sdk.NewOp("turn", place)},
}

func main() { sdk.Serve(plugin) }

// attributes are those of the signature that matter here.
type attributes struct{ Spread float64 }

// turn is the operation at one place of a network.
type turn struct {
	pairs  int
	spread float64
}

// place puts it there. What depends on shapes and attributes alone is done here once.
func place(p sdk.Place, a attributes) (sdk.Op, error) {
	return turn{pairs: p.Inputs[0][1] / 2, spread: a.Spread}, nil
}

// Weights are the trainable tensors. nasc makes them, moves them and keeps them.
func (o turn) Weights() []sdk.Weight {
	return []sdk.Weight{{Name: "angle", Shape: []int{o.pairs}, Deviation: o.spread}}
}

// Forward computes the output. The tensors are examples, channels, height and width.
func (o turn) Forward(t *sdk.Tensors) error {
	x, y := t.Inputs[0].Data, t.Output.Data
	o.each(t, func(_, i, k int, sin, cos float32) {
		y[i] = cos*x[i] - sin*x[k]
		y[k] = sin*x[i] + cos*x[k]
	})
	return nil
}

// Backward computes the gradients of the input and of the weights from that of the output.
func (o turn) Backward(t *sdk.Tensors) error {
	y, dy, dx, dangle := t.Output.Data, t.OutputGrad.Data, t.InputGrads[0].Data, t.WeightGrads[0].Data
	o.each(t, func(pair, i, k int, sin, cos float32) {
		dx[i] = cos*dy[i] + sin*dy[k]
		dx[k] = cos*dy[k] - sin*dy[i]
		dangle[pair] += dy[k]*y[i] - dy[i]*y[k]
	})
	return nil
}

// each visits the numbers of all pairs: where the two are, and the angle.
func (o turn) each(t *sdk.Tensors, visit func(pair, i, k int, sin, cos float32)) {
	shape := t.Output.Shape
	pixels := shape[2] * shape[3]
	for pair := range o.pairs {
		s, c := math.Sincos(float64(t.Weights[0].Data[pair]))
		sin, cos := float32(s), float32(c)
		for b := range shape[0] {
			at := (b*shape[1] + 2*pair) * pixels
			for i := at; i < at+pixels; i++ {
				visit(pair, i, i+pixels, sin, cos)
			}
		}
	}
}
