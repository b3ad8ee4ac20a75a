package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// CrossEntropy adds the mean cross-entropy, of shape (1), between logits (B,K) and
// labels (B), class numbers held as floats; of maps (B,K,H,W), every position has
// its label (B*H*W), row by row. Smoothing is the share of the target spread over all classes.
func (n *Network) CrossEntropy(logits, labels *gorgonia.Node, smoothing float64) (*gorgonia.Node, error) {
	in := logits.Shape()
	g := kernel.CrossEntropy{N: in.TotalSize() / in[1], K: in[1], Smoothing: smoothing}
	return n.apply(spec{
		name: "cross_entropy", shape: tensor.Shape{1}, wrt: []bool{true, false},
		loops: loops{crossEntropy[float32](g), crossEntropy[float64](g)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			d, err := n.apply(spec{name: "cross_entropy/dx", linear: last, shape: in[0].Shape(),
				loops: loops{crossEntropyGrad[float32](n.Workers, g), crossEntropyGrad[float64](n.Workers, g)}}, in[0], in[1], grad)
			return gorgonia.Nodes{d, nil}, err
		},
	}, logits, labels)
}

func crossEntropy[T kernel.Float](g kernel.CrossEntropy) func([][]T, []T) {
	return func(in [][]T, y []T) { y[0] = kernel.CrossEntropyMean(g, in[0], in[1]) }
}

func crossEntropyGrad[T kernel.Float](ws *kernel.Workers, g kernel.CrossEntropy) func([][]T, []T) {
	return func(in [][]T, d []T) { kernel.CrossEntropyGrad(ws, g, in[0], in[1], in[2][0], d) }
}
