package ops

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

// activations by the names that ops use.
var activations = map[string]kernel.Activation{
	"sigmoid": kernel.Sigmoid, "swish": kernel.Swish, "h_sigmoid": kernel.HardSigmoid,
	"h_swish": kernel.HardSwish, "gelu": kernel.GELU, "clipped_relu": kernel.ClippedReLU,
}

// activate adds an activation by its name; "none" is none.
func (n *Network) activate(x *gorgonia.Node, name string) (*gorgonia.Node, error) {
	switch name {
	case "none":
		return x, nil
	case "relu":
		return n.relu(x)
	}
	a, ok := activations[name]
	if !ok {
		return nil, fmt.Errorf("unknown activation %q", name)
	}
	ws := n.Workers
	return n.apply(spec{
		name: a.String(), shape: x.Shape(), inPlace: 1,
		loops: loops{activate[float32](ws, a), activate[float64](ws, a)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dx, err := n.apply(spec{name: a.String() + "/dx", linear: last, shape: in[0].Shape(), inPlace: 2,
				loops: loops{activateGrad[float32](ws, a), activateGrad[float64](ws, a)}}, in[0], grad)
			return gorgonia.Nodes{dx}, err
		},
	}, x)
}

func activate[T kernel.Float](ws *kernel.Workers, a kernel.Activation) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Activate(ws, a, in[0], y) }
}

func activateGrad[T kernel.Float](ws *kernel.Workers, a kernel.Activation) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.ActivateGrad(ws, a, in[0], in[1], dx) }
}
