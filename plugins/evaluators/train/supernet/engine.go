package supernet

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/foreign"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// engine is the Gorgonia graph of a supernet and the plans that run it. T is
// float32; tests compare with float64.
type engine[T kernel.Float] struct {
	*ops.Network
	options   Options
	weights   *weights[T]
	decisions []Decision
	vectors   []*gorgonia.Node      // of mixture weights, by decision
	numbers   map[string]int        // of decisions, by address
	homes     map[*lower.Net]string // where shared weights are

	images, labels *gorgonia.Node
	logits, loss   *gorgonia.Node
	params         gorgonia.Nodes // those that the loss depends on
	grads          gorgonia.Nodes
	mixtures       []*gorgonia.Node // gradients of vectors; nil: the loss does not depend on it

	weighing  *plan.Plan[T] // weight step: the loss and the gradients of params
	arching   *plan.Plan[T] // arch step: the loss and the gradients of vectors
	scoring   *plan.Plan[T] // the logits
	memory    int64         // bytes
	copies[T]               // of the weights; nil before the first gradient of second order

	remote *remote.Network // operations of plugins
}

// newEngine builds the graph and its plans.
func newEngine[T kernel.Float](s *lower.Supernet, ws *kernel.Workers, o Options) (_ *engine[T], err error) {
	e := &engine[T]{options: o, numbers: map[string]int{}, homes: map[*lower.Net]string{}, remote: o.Operations.Network()}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.remote.Close())
		}
	}()
	dtype := gorgonia.Float32
	if _, double := any(T(0)).(float64); double {
		dtype = gorgonia.Float64
	}
	g := gorgonia.NewGraph()
	e.weights = &weights[T]{graph: g, dtype: dtype, seed: o.Seed, byName: map[string]*gorgonia.Node{}, running: map[string]*ops.Running{},
		room: func(numbers int64) error { return e.fits(e.ofWeights(numbers)) }}
	e.Network = &ops.Network{Graph: g, Dtype: dtype, Workers: ws, Params: e.weights,
		Seeds: func(name string, counter uint64) uint64 { return stream.Seed(o.Seed, "ops/"+name, counter) }}
	if len(s.Net.Inputs) != 1 {
		return nil, fmt.Errorf("the supernet has %d inputs; images are one", len(s.Net.Inputs))
	}
	images := append([]int{o.Batch}, s.Net.Inputs[0].Shape...)
	if err := e.fits(int64(tensor.Shape(images).TotalSize()) * size[T]()); err != nil {
		return nil, err
	}
	if !o.Untied {
		for _, d := range s.Decisions {
			e.vector(d, "")
		}
	}
	e.images = e.leaf("images", images...)
	if e.logits, err = e.net(s, s.Net, "", "", []*gorgonia.Node{e.images}); err != nil {
		return nil, err
	}
	e.labels = e.leaf("labels", e.places())
	if e.loss, err = e.CrossEntropy(e.logits, e.labels, o.Smoothing); err != nil {
		return nil, err
	}
	if err := e.differentiate(); err != nil {
		return nil, err
	}
	return e, e.plan()
}

// size is the number of bytes of an element.
func size[T kernel.Float]() int64 { return int64(unsafe.Sizeof(T(0))) }

// places is how many predictions a batch has: examples, or positions of all of them.
func (e *engine[T]) places() int { return e.logits.Shape().TotalSize() / e.classes() }

func (e *engine[T]) classes() int { return e.logits.Shape()[1] }

func (e *engine[T]) leaf(name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(e.Graph, e.Dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name),
		gorgonia.WithValue(tensor.New(tensor.Of(e.Dtype), tensor.WithShape(shape...))))
}

// vector is the vector of a decision, at a use of a cell if they are untied.
func (e *engine[T]) vector(d *lower.Decision, path string) int {
	address := d.Address
	if e.options.Untied {
		address = path + address
	}
	i, ok := e.numbers[address]
	if !ok {
		i = len(e.decisions)
		e.numbers[address] = i
		e.decisions = append(e.decisions, Decision{Decision: d, Address: address})
		e.vectors = append(e.vectors, e.leaf("mixture of "+address, len(d.Options)))
	}
	return i
}

// net adds the nodes of a net. Path is that of its use, place where its weights are.
func (e *engine[T]) net(s *lower.Supernet, n *lower.Net, path, place string, in []*gorgonia.Node) (*gorgonia.Node, error) {
	values := make([]*gorgonia.Node, len(n.Nodes))
	value := func(r graph.Ref) *gorgonia.Node {
		if i, ok := r.IsInput(); ok {
			return in[i]
		}
		return values[r]
	}
	for i, node := range n.Nodes {
		var args []*gorgonia.Node
		for _, r := range node.Inputs {
			args = append(args, value(r))
		}
		var err error
		switch {
		case node.Op == lower.Mixed:
			values[i], err = e.mixture(s, node, path, value, args)
		case node.Net != nil:
			inner := place + node.Name + "/"
			if e.options.Shared {
				inner = e.shared(node.Net)
			}
			values[i], err = e.net(s, node.Net, path+node.Name+"/", inner, args)
		default:
			e.Plain = e.options.Plain && path != ""
			values[i], err = e.operation(node, place+node.Name, args)
		}
		if err != nil {
			return nil, err
		}
		if got := graph.Shape(values[i].Shape()[1:]); len(node.Shape) > 0 && !got.Equal(node.Shape) {
			return nil, fmt.Errorf("%s%s: %s gives %v, but its declaration says %v", path, node.Name, node.Op, got, node.Shape)
		}
	}
	return value(n.Output), nil
}

// shared is where the weights of a net are that all of its uses share.
func (e *engine[T]) shared(n *lower.Net) string {
	if e.homes[n] == "" {
		e.homes[n] = fmt.Sprintf("%s#%d/", n.Name, len(e.homes))
	}
	return e.homes[n]
}

// mixture adds a mixture.
func (e *engine[T]) mixture(s *lower.Supernet, node *lower.MixedNode, path string, value func(graph.Ref) *gorgonia.Node, args []*gorgonia.Node) (*gorgonia.Node, error) {
	if len(node.Terms) == 0 {
		if node.Shape == nil {
			return nil, fmt.Errorf("%s%s: every candidate is absent, and the shape of what they stand for is not known", path, node.Name)
		}
		return e.Absent(args[0], append([]int{e.options.Batch}, node.Shape...))
	}
	var terms []*gorgonia.Node
	var weights [][]ops.Weight
	seen := map[int]bool{}
	for _, t := range node.Terms {
		var all []ops.Weight
		for _, w := range t.Weights {
			v := e.vector(s.Decisions[w.Decision], path)
			all = append(all, ops.Weight{Vector: v, Index: w.Option})
			if !seen[v] {
				seen[v] = true
				e.decisions[v].Sites++
			}
		}
		terms, weights = append(terms, value(t.Value)), append(weights, all)
	}
	// Only the vectors that weigh a term here.
	var vectors []*gorgonia.Node
	number := map[int]int{}
	for _, all := range weights {
		for k, w := range all {
			v, ok := number[w.Vector]
			if !ok {
				v = len(vectors)
				number[w.Vector] = v
				vectors = append(vectors, e.vectors[w.Vector])
			}
			all[k].Vector = v
		}
	}
	out, err := e.Mixture(terms, weights, vectors)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", path, node.Name, err)
	}
	return out, nil
}

func (e *engine[T]) operation(node *lower.MixedNode, address string, args []*gorgonia.Node) (*gorgonia.Node, error) {
	attrs := ops.Attrs{}
	for _, a := range node.Attrs {
		attrs[a.Name] = a.Value
	}
	before := e.weights.count
	var out *gorgonia.Node
	var err error
	if _, plugin := node.Plugin(); plugin {
		out, err = foreign.Build(e.Network, e.remote, address, &node.Node, args...)
	} else {
		out, err = e.Build(address, ops.Key(node.Module, node.Op), attrs, args...)
	}
	if err != nil {
		return nil, err
	}
	if made := e.weights.count - before; made != 0 && node.Params != 0 && made != node.Params && !e.Plain {
		return nil, fmt.Errorf("%s: %s has %d trainable numbers, but its declaration says %d", address, node.Op, made, node.Params)
	}
	return out, nil
}

// differentiate adds the gradients of the weights and of the mixtures.
func (e *engine[T]) differentiate() error {
	all := append(append(gorgonia.Nodes{}, e.weights.learned...), e.vectors...)
	wrt, grads, err := e.Gradients(e.loss, all)
	if err != nil {
		return err
	}
	of := map[*gorgonia.Node]*gorgonia.Node{}
	for i, x := range wrt {
		of[x] = grads[i]
	}
	for _, p := range e.weights.learned {
		if of[p] != nil {
			e.params, e.grads = append(e.params, p), append(e.grads, of[p])
		}
	}
	for _, v := range e.vectors {
		e.mixtures = append(e.mixtures, of[v])
	}
	return nil
}

// plan makes the plans, if there is room for what they need.
func (e *engine[T]) plan() error {
	o := plan.Options[T]{Unfused: e.options.Unfused, Arena: plan.NewArena[T]()}
	arch := gorgonia.Nodes{e.loss}
	for _, g := range e.mixtures {
		if g != nil {
			arch = append(arch, g)
		}
	}
	var most int64
	for _, p := range []struct {
		plan   **plan.Plan[T]
		wanted gorgonia.Nodes
	}{{&e.weighing, append(gorgonia.Nodes{e.loss}, e.grads...)}, {&e.arching, arch}, {&e.scoring, gorgonia.Nodes{e.logits}}} {
		made, err := plan.New(e.Workers, o, p.wanted...)
		if err != nil {
			return err
		}
		*p.plan = made
		most = max(most, int64(made.Memory()))
	}
	e.memory = e.ofWeights(e.weights.count) + int64(e.images.Shape().TotalSize())*size[T]() + most + e.remote.Memory()
	return e.fits(e.memory)
}

// ofWeights is how many bytes so many weights take, with what the optimizer
// remembers of them.
func (e *engine[T]) ofWeights(n int64) int64 {
	slots := 1
	if r := e.options.Rule; r != nil {
		slots += r.Slots()
	}
	return n * size[T]() * int64(slots)
}

// MemoryError says that a supernet needs more memory than it may have.
type MemoryError struct {
	Needed, Limit int64 // bytes; at least so much is needed
	Unrolled      bool  // there is room for it, but not for gradients of second order
}

func (e *MemoryError) Error() string {
	what, less := "", "a smaller batch, fewer channels or partial channels"
	if e.Unrolled {
		what, less = " for gradients of second order", "first order, a smaller batch, fewer channels or partial channels"
	}
	return fmt.Sprintf("the supernet needs %d MiB of memory%s, and the limit is %d MiB; %s need less", (e.Needed+1<<20-1)>>20, what, e.Limit>>20, less)
}

func (e *engine[T]) fits(bytes int64) error {
	if limit := e.options.MemoryLimit; limit > 0 && bytes > limit {
		return &MemoryError{Needed: bytes, Limit: limit}
	}
	return nil
}
