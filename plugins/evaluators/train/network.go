package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/evaluators/train/foreign"
	"github.com/nasc-project/nasc/plugins/remote"
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
	targets  []float32 // of a training step: the classes, or (B,K) where they are soft
	classes  []float32 // (B), or one for every position of every example
	training *plan.Plan[float32]
	logits   []float32 // (B,K), of the last evaluation
	scoring  *plan.Plan[float32]
	loss     []float32 // of the last training step
	params   [][]float32
	grads    [][]float32

	smallest *gorgonia.Node // where an auxiliary head can read

	remote *remote.Network // operations of plugins
}

// objective is what a training minimizes: the cross-entropy with labels.
type objective struct {
	smoothing float64 // share of the target that is spread over all classes
	soft      bool    // targets are shares of every class
	auxiliary float64 // weight of the loss of a second classifier
}

func (s Settings) objective() objective {
	return objective{s.Smoothing, s.Mixup > 0, s.Auxiliary}
}

// newNetwork builds g for batches of the given size. Operations of plugins are computed
// where r says; the network has to be closed.
func newNetwork(g *graph.Graph, ws *kernel.Workers, batch int, seed uint64, o objective, r *remote.Operations) (_ *network, err error) {
	eg := gorgonia.NewGraph()
	w := &weights{graph: eg, seed: seed}
	n := &network{batch: batch, weights: w, remote: r.Network(),
		Network: &ops.Network{Graph: eg, Dtype: gorgonia.Float32, Workers: ws, Params: w,
			Seeds: func(name string, counter uint64) uint64 { return stream.Seed(seed, "ops/"+name, counter) }}}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	images := n.leaf("images", append([]int{batch}, g.Inputs[0].Shape...)...)
	logits, err := n.build(g, "", []*gorgonia.Node{images})
	if err != nil {
		return nil, err
	}
	loss, err := n.minimize(logits, o)
	if err != nil {
		return nil, err
	}
	params, grads, err := n.Gradients(loss, w.learned)
	if err != nil {
		return nil, err
	}
	arena := plan.Options[float32]{Arena: plan.NewArena[float32]()} // one plan runs at a time
	if n.training, err = plan.New(ws, arena, append(gorgonia.Nodes{loss}, grads...)...); err != nil {
		return nil, err
	}
	if n.scoring, err = plan.New(ws, arena, logits); err != nil {
		return nil, err
	}
	n.images = images.Value().Data().([]float32)
	n.loss, n.logits = n.training.Value(loss), n.scoring.Value(logits)
	for i := range params {
		n.params = append(n.params, n.training.Value(params[i]))
		n.grads = append(n.grads, n.training.Value(grads[i]))
	}
	return n, nil
}

// Close gives back what operations of plugins take.
func (n *network) Close() error { return n.remote.Close() }

// minimize adds the loss of a training step.
func (n *network) minimize(logits *gorgonia.Node, o objective) (*gorgonia.Node, error) {
	places := logits.Shape().TotalSize() / logits.Shape()[1]
	var loss func(logits *gorgonia.Node) (*gorgonia.Node, error)
	if o.soft {
		targets := n.leaf("targets", logits.Shape()...)
		n.targets, n.classes = targets.Value().Data().([]float32), make([]float32, places)
		loss = func(logits *gorgonia.Node) (*gorgonia.Node, error) { return n.SoftCrossEntropy(logits, targets) }
	} else {
		labels := n.leaf("labels", places)
		n.classes = labels.Value().Data().([]float32)
		n.targets = n.classes
		loss = func(logits *gorgonia.Node) (*gorgonia.Node, error) {
			return n.CrossEntropy(logits, labels, o.smoothing)
		}
	}
	first, err := loss(logits)
	if err != nil || o.auxiliary == 0 {
		return first, err
	}
	if n.smallest == nil {
		return nil, &dataset.Problem{Option: "architecture", Message: "has no square map of at least 6 pixels between its cells that an auxiliary classifier could read"}
	}
	head, err := n.Build("auxiliary", "auxiliary_head", ops.Attrs{"out": int64(logits.Shape()[1])}, n.smallest)
	if err != nil {
		return nil, err
	}
	second, err := loss(head)
	if err != nil {
		return nil, err
	}
	return n.WithAuxiliary(first, second, o.auxiliary)
}

// offer takes note of a result between the cells of a network. The auxiliary head
// reads the first map of the smallest resolution of at least 6 by 6, which in DARTS
// is what the last reduction gives.
func (n *network) offer(x *gorgonia.Node) {
	if s := x.Shape(); len(s) == 4 && s[2] == s[3] && s[2] >= 6 && (n.smallest == nil || s[2] < n.smallest.Shape()[2]) {
		n.smallest = x
	}
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
		if path == "" {
			n.offer(values[i])
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
	var out *gorgonia.Node
	var err error
	_, plugin := node.Plugin()
	if plugin {
		out, err = foreign.Build(n.Network, n.remote, address, node, args...)
	} else {
		out, err = n.Build(address, ops.Key(node.Module, node.Op), attrs, args...)
	}
	if err != nil {
		return nil, err
	}
	if made := n.weights.count - before; (node.Params != 0 || plugin) && made != node.Params {
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
