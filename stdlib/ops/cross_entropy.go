package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// CrossEntropy adds the mean cross-entropy, of shape (1), between logits (B,K)
// and labels (B), class numbers held as floats.
func (n *Network) CrossEntropy(logits, labels *gorgonia.Node) (*gorgonia.Node, error) {
	b, k := logits.Shape()[0], logits.Shape()[1]
	return n.apply(spec{
		name: "cross_entropy", shape: tensor.Shape{1}, wrt: []bool{true, false},
		loops: loops{crossEntropy[float32](b, k), crossEntropy[float64](b, k)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := n.apply(spec{name: "cross_entropy/dx", shape: in[0].Shape(),
				loops: loops{crossEntropyGrad[float32](b, k), crossEntropyGrad[float64](b, k)}}, in[0], in[1], grad)
			return gorgonia.Nodes{d, nil}, err
		},
	}, logits, labels)
}

func crossEntropy[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, y []T) { y[0] = kernel.CrossEntropy(b, k, in[0], in[1]) }
}

func crossEntropyGrad[T kernel.Float](b, k int) func([][]T, []T) {
	return func(in [][]T, d []T) { kernel.CrossEntropyGrad(b, k, in[0], in[1], in[2][0], d) }
}
