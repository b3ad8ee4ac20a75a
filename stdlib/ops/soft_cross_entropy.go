package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// SoftCrossEntropy adds the mean cross-entropy, of shape (1), between logits (B,K)
// and targets (B,K), shares of every class that sum to one in every example, as
// mixup makes them.
func (n *Network) SoftCrossEntropy(logits, targets *gorgonia.Node) (*gorgonia.Node, error) {
	b, k := logits.Shape()[0], logits.Shape()[1]
	return n.apply(spec{
		name: "soft_cross_entropy", shape: tensor.Shape{1}, wrt: []bool{true, false},
		loops: loops{softCrossEntropy[float32](b, k), softCrossEntropy[float64](b, k)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := n.apply(spec{name: "soft_cross_entropy/dx", shape: in[0].Shape(),
				loops: loops{softCrossEntropyGrad[float32](b, k), softCrossEntropyGrad[float64](b, k)}}, in[0], in[1], grad)
			return gorgonia.Nodes{d, nil}, err
		},
	}, logits, targets)
}

func softCrossEntropy[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, y []T) { y[0] = kernel.SoftCrossEntropy(b, k, in[0], in[1]) }
}

func softCrossEntropyGrad[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, d []T) { kernel.SoftCrossEntropyGrad(b, k, in[0], in[1], in[2][0], d) }
}

// WithAuxiliary adds the sum of a loss and a weighted second one, both of shape (1).
func (n *Network) WithAuxiliary(loss, auxiliary *gorgonia.Node, weight float64) (*gorgonia.Node, error) {
	return n.apply(spec{
		name: "with_auxiliary", shape: tensor.Shape{1},
		loops: loops{weightedSum[float32](weight), weightedSum[float64](weight)},
		diff: func(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := n.apply(spec{name: "with_auxiliary/dx", shape: tensor.Shape{1},
				loops: loops{times[float32](weight), times[float64](weight)}}, grad)
			return gorgonia.Nodes{grad, d}, err
		},
	}, loss, auxiliary)
}

func weightedSum[T kernel.Float](weight float64) func([][]T, []T) {
	return func(in [][]T, y []T) { y[0] = in[0][0] + T(weight)*in[1][0] }
}

func times[T kernel.Float](weight float64) func([][]T, []T) {
	return func(in [][]T, y []T) { y[0] = T(weight) * in[0][0] }
}
