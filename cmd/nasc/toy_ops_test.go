package main

import (
	"os"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// toySignatures are those of operations that a test wants to work, or to end their
// process.
const toySignatures = `/// Adds a learned number to each channel. A fatal one ends its process; one with a file
/// does so at its tenth call, unless the file is there, which it makes.
op shift(x: [c, h, w], fatal: bool = false, file: string = "") -> [c, h, w] { params = c }

/// Twice, without weights of its own.
block twice(x: [c, h, w]) = x -> shift -> shift
`

// toyOps compute them.
func toyOps() []sdk.OpSpec {
	return []sdk.OpSpec{sdk.NewOp("shift", func(p sdk.Place, a toyShiftAttributes) (sdk.Op, error) {
		return &toyShift{toyShiftAttributes: a, channels: p.Inputs[0][1]}, nil
	})}
}

type toyShiftAttributes struct {
	Fatal bool
	File  string
}

type toyShift struct {
	toyShiftAttributes
	channels, calls int
}

func (s *toyShift) Weights() []sdk.Weight {
	return []sdk.Weight{{Name: "by", Shape: []int{s.channels}, Deviation: 0.1}}
}

// channel is that of a number.
func (s *toyShift) channel(t *sdk.Tensors, i int) int {
	return i / (t.Output.Shape[2] * t.Output.Shape[3]) % s.channels
}

func (s *toyShift) Forward(t *sdk.Tensors) error {
	s.calls++
	if s.Fatal {
		die()
	}
	if s.File != "" && s.calls == 10 && !exists(s.File) {
		if err := os.WriteFile(s.File, nil, 0o600); err != nil {
			return err
		}
		die()
	}
	for i, x := range t.Inputs[0].Data {
		t.Output.Data[i] = x + t.Weights[0].Data[s.channel(t, i)]
	}
	return nil
}

func (s *toyShift) Backward(t *sdk.Tensors) error {
	for i, dy := range t.OutputGrad.Data {
		t.InputGrads[0].Data[i] = dy
		t.WeightGrads[0].Data[s.channel(t, i)] += dy
	}
	return nil
}
