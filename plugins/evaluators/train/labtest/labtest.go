// Package labtest has a plugin with operations, for tests of networks and supernets that
// have them computed.
package labtest

import "github.com/nasc-project/nasc/plugins/sdk"

// Plugin has an operation that nasc has too, and one with weights and random numbers.
var Plugin = sdk.Plugin{Name: "me/lab", Version: "0.1.0",
	Signatures: `/// max(x, 0).
op relu(x: [c, h, w]) -> [c, h, w]
/// Each channel times a learned number; in training, times a random one too.
op jitter(x: [c, h, w]) -> [c, h, w] { params = c }
`,
	Ops: []sdk.OpSpec{
		sdk.NewOp("relu", func(sdk.Place, struct{}) (sdk.Op, error) { return relu{}, nil }),
		sdk.NewOp("jitter", func(p sdk.Place, _ struct{}) (sdk.Op, error) { return &jitter{shape: p.Output}, nil }),
	}}

type relu struct{}

func (relu) Forward(t *sdk.Tensors) error {
	for i, x := range t.Inputs[0].Data {
		t.Output.Data[i] = max(x, 0)
	}
	return nil
}

func (relu) Backward(t *sdk.Tensors) error {
	for i, y := range t.Output.Data {
		if y > 0 {
			t.InputGrads[0].Data[i] = t.OutputGrad.Data[i]
		}
	}
	return nil
}

type jitter struct{ shape []int }

func (j *jitter) Weights() []sdk.Weight {
	return []sdk.Weight{{Name: "factor", Shape: []int{j.shape[1]}, Mean: 1, Deviation: 0.1}}
}

func (j *jitter) channel(i int) int { return i / (j.shape[2] * j.shape[3]) % j.shape[1] }

func (j *jitter) factor(t *sdk.Tensors) float32 {
	if !t.Training {
		return 1
	}
	return float32(1 + 0.1*t.Rand("jitter").NormFloat64())
}

func (j *jitter) Forward(t *sdk.Tensors) error {
	f := j.factor(t)
	for i, x := range t.Inputs[0].Data {
		t.Output.Data[i] = f * t.Weights[0].Data[j.channel(i)] * x
	}
	return nil
}

func (j *jitter) Backward(t *sdk.Tensors) error {
	f := j.factor(t)
	for i, dy := range t.OutputGrad.Data {
		t.InputGrads[0].Data[i] = f * t.Weights[0].Data[j.channel(i)] * dy
		t.WeightGrads[0].Data[j.channel(i)] += f * dy * t.Inputs[0].Data[i]
	}
	return nil
}
