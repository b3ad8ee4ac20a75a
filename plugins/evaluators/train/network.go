package train

import (
	"context"
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// network is an architecture with weights: one Gorgonia graph and the two plans
// that run it.
type network struct {
	*ops.Network
	weights *weights

	batch    int
	images   []float32 // (B,C,H,W), channels last in memory, to be filled before a run
	labels   []float32 // (B), or one for every position of every example
	training *plan.Plan[float32]
	logits   []float32 // (B,K), of the last evaluation
	scoring  *plan.Plan[float32]
	loss     []float32 // of the last training step
	params   [][]float32
	grads    [][]float32
}

// newNetwork builds g for batches of the given size. Smoothing is that of the labels
// in training.
func newNetwork(g *graph.Graph, ws *kernel.Workers, batch int, seed uint64, smoothing float64) (*network, error) {
	eg := gorgonia.NewGraph()
	w := &weights{graph: eg, seed: seed}
	n := &network{batch: batch, weights: w,
		Network: &ops.Network{Graph: eg, Dtype: gorgonia.Float32, Workers: ws, Params: w,
			Seeds: func(name string, counter uint64) uint64 { return stream.Seed(seed, "ops/"+name, counter) }}}
	images := n.leaf("images", append([]int{batch}, g.Inputs[0].Shape...)...)
	logits, err := n.build(g, "", []*gorgonia.Node{images})
	if err != nil {
		return nil, err
	}
	labels := n.leaf("labels", logits.Shape().TotalSize()/logits.Shape()[1])
	loss, err := n.CrossEntropy(logits, labels, smoothing)
	if err != nil {
		return nil, err
	}
	params, grads, err := n.Gradients(loss, w.learned)
	if err != nil {
		return nil, err
	}
	if n.training, err = plan.New[float32](ws, append(gorgonia.Nodes{loss}, grads...)...); err != nil {
		return nil, err
	}
	if n.scoring, err = plan.New[float32](ws, logits); err != nil {
		return nil, err
	}
	n.images, n.labels = images.Value().Data().([]float32), labels.Value().Data().([]float32)
	n.loss, n.logits = n.training.Value(loss), n.scoring.Value(logits)
	for i := range params {
		n.params = append(n.params, n.training.Value(params[i]))
		n.grads = append(n.grads, n.training.Value(grads[i]))
	}
	return n, nil
}

func (n *network) leaf(name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(n.Graph, n.Dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.Of(n.Dtype), tensor.WithShape(shape...))))
}

// build adds the nodes of g that its output depends on; every use of a nested
// graph gets weights of its own. Addresses are paths of node names.
func (n *network) build(g *graph.Graph, path string, in []*gorgonia.Node) (*gorgonia.Node, error) {
	values := make([]*gorgonia.Node, len(g.Nodes))
	value := func(r graph.Ref) *gorgonia.Node {
		if i, ok := r.IsInput(); ok {
			return in[i]
		}
		return values[r]
	}
	live := live(g)
	for i, node := range g.Nodes {
		if !live[i] {
			continue
		}
		var args []*gorgonia.Node
		for _, r := range node.Inputs {
			args = append(args, value(r))
		}
		// The position keeps addresses apart where names repeat.
		address := fmt.Sprintf("%s%d:%s", path, i, node.Name)
		var err error
		if node.Body != nil {
			values[i], err = n.build(node.Body, address+"/", args)
		} else {
			values[i], err = n.operation(node, address, args)
		}
		if err != nil {
			return nil, err
		}
		if got := graph.Shape(values[i].Shape()[1:]); len(node.Shape) > 0 && !got.Equal(node.Shape) {
			return nil, fmt.Errorf("%s: %s gives %v, but its declaration says %v", address, node.Op, got, node.Shape)
		}
	}
	return value(g.Output), nil
}

func (n *network) operation(node *graph.Node, address string, args []*gorgonia.Node) (*gorgonia.Node, error) {
	attrs := ops.Attrs{}
	for _, a := range node.Attrs {
		attrs[a.Name] = a.Value
	}
	before := n.weights.count
	out, err := n.Build(address, ops.Key(node.Module, node.Op), attrs, args...)
	if err != nil {
		return nil, err
	}
	if made := n.weights.count - before; node.Params != 0 && made != node.Params {
		return nil, fmt.Errorf("%s: %s has %d trainable numbers, but its declaration says %d", address, node.Op, made, node.Params)
	}
	return out, nil
}

// live marks the nodes that the output depends on.
func live(g *graph.Graph) []bool {
	live := make([]bool, len(g.Nodes))
	if _, ok := g.Output.IsInput(); !ok {
		live[g.Output] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if !live[i] {
			continue
		}
		for _, r := range g.Nodes[i].Inputs {
			if _, ok := r.IsInput(); !ok {
				live[r] = true
			}
		}
	}
	return live
}

// step runs one training batch forward and backward.
func (n *network) step(ctx context.Context) error {
	n.Training = true
	n.Step++
	return n.training.Run(ctx)
}

// score computes the logits of one batch in evaluation mode.
func (n *network) score(ctx context.Context) error {
	n.Training = false
	return n.scoring.Run(ctx)
}
