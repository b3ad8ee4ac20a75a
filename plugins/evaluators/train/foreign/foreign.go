// Package foreign puts operations that plugins compute into a network that is trained.
//
// To the network such an operation is a primitive with gradients like any other
// ([ops.External]). Its weights are the network's, which initializes them, moves them and
// keeps them in checkpoints; the plugin's process is handed them with each call and
// remembers nothing. So a training has the same bits whatever becomes of the process.
package foreign

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/segment"
	"github.com/nasc-project/nasc/stdlib/ops"
	"gorgonia.org/gorgonia"
)

// Build adds the operation of a node, which belongs to a plugin.
func Build(n *ops.Network, r *remote.Network, address string, node *graph.Node, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	plugin, _ := node.Plugin()
	if len(in) == 0 || len(node.Shape) == 0 {
		return nil, fmt.Errorf("%s: the network does not say the shape of what %s of the plugin %s gives", address, node.Op, plugin)
	}
	p := wire.PlacedOp{Op: node.Op, Attributes: node.Attrs, Output: append([]int{in[0].Shape()[0]}, node.Shape...)}
	for _, x := range in {
		p.Inputs = append(p.Inputs, x.Shape())
	}
	op, err := r.Place(plugin, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	var params []ops.Parameter
	for _, w := range op.Weights {
		params = append(params, ops.Parameter{Name: w.Name, Init: ops.Init{Value: w.Mean, Std: w.Deviation}, Shape: w.Shape})
	}
	return n.External(address, node.Op, operation{op}, params, p.Output, in...)
}

// operation is an operation of a plugin as networks see it.
type operation struct{ *remote.Op }

// Buffers are the memory that the plugin's process sees too.
func (o operation) Buffers() (ops.Buffers, error) {
	t, err := o.Tensors()
	if err != nil {
		return ops.Buffers{}, err
	}
	return ops.Buffers{Inputs: data(t.Inputs), Params: data(t.Weights), Output: t.Output.Data,
		InputGrads: data(t.InputGrads), ParamGrads: data(t.WeightGrads), OutputGrad: t.OutputGrad.Data}, nil
}

func data(all []segment.Tensor) [][]float32 {
	out := make([][]float32, len(all))
	for i, t := range all {
		out[i] = t.Data
	}
	return out
}
