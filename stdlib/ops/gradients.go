package ops

import (
	"fmt"

	"gonum.org/v1/gonum/graph"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Gradients adds the gradients of loss, a node of shape (1), with respect to
// the params. It returns the params that the loss depends on, in their order,
// and the gradient of each; the others cannot be trained.
func (n *Network) Gradients(loss *gorgonia.Node, params gorgonia.Nodes) (wrt, grads gorgonia.Nodes, err error) {
	reached := map[*gorgonia.Node]bool{}
	n.reach(loss, reached)
	for _, p := range params {
		if reached[p] {
			wrt = append(wrt, p)
		}
	}
	if len(wrt) == 0 {
		return nil, nil, nil
	}
	one := gorgonia.NewTensor(n.Graph, n.Dtype, 1, gorgonia.WithShape(1), gorgonia.WithName("one"),
		gorgonia.WithValue(tensor.New(tensor.Of(n.Dtype), tensor.WithShape(1))))
	if err := one.Value().(*tensor.Dense).Memset(onesOf(n.Dtype)); err != nil {
		return nil, nil, err
	}
	grads, err = gorgonia.Backpropagate(gorgonia.Nodes{loss}, gorgonia.Nodes{one}, wrt)
	if err != nil {
		return nil, nil, fmt.Errorf("differentiating the network: %w", err)
	}
	return wrt, grads, nil
}

func onesOf(dt tensor.Dtype) any {
	if dt == gorgonia.Float32 {
		return float32(1)
	}
	return float64(1)
}

// reach marks what x depends on differentiably.
func (n *Network) reach(x *gorgonia.Node, reached map[*gorgonia.Node]bool) {
	if reached[x] {
		return
	}
	reached[x] = true
	p, ok := x.Op().(*Primitive)
	if !ok {
		return
	}
	for i, c := range Inputs(x) {
		if p.wrt[i] {
			n.reach(c, reached)
		}
	}
}

// Inputs are the nodes that x is computed from, in order and with repetitions.
func Inputs(x *gorgonia.Node) []*gorgonia.Node {
	var in []*gorgonia.Node
	for _, c := range graph.NodesOf(x.Graph().From(x.ID())) {
		in = append(in, c.(*gorgonia.Node))
	}
	return in
}
