// Package supernet trains a space relaxed to one network ([lower.Supernet]) in which
// every candidate operation and every edge has a mixture weight.
//
// The mixture weights belong to whoever searches: they come in with every call, and
// ArchGradient hands back the gradient of the loss with respect to them. The weights
// of the operations, their optimizer and the statistics of batch norm belong to the
// [Supernet] (Liu, Simonyan and Yang, "DARTS", ICLR 2019, call the two alpha and w).
// A weight step computes no gradients of mixture weights and an arch step none of
// weights; both work in one arena.
//
// A mixture weight of exactly zero takes its operation out: nothing that only it
// needs is computed, forward or backward, its gradient is zero, and the weights of
// what was taken out stay as they are in a weight step. So a one-hot mixture (Dong
// and Yang, "GDAS", CVPR 2019) costs what one architecture costs, and a mask is a
// mixture with zeros.
//
// The same seed gives the same bits on any number of threads.
package supernet

import (
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Options say how a supernet is built and how its weights move.
type Options struct {
	Batch int    // examples of a call
	Seed  uint64 // of the weights, and of operations that draw

	// Channels and EdgeWeights relax the space in another way than it has been, see
	// [lower.Relaxation].
	Channels    int
	EdgeWeights bool

	// Untied gives every use of a cell mixture weights of its own. The decisions of a
	// cell are otherwise weighed once for all of its uses.
	Untied bool
	// Shared lets the uses of a cell for equal shapes share their operations. They
	// have weights of their own otherwise.
	Shared bool
	// Plain leaves the scale and the shift of batch norms within cells out, as Liu,
	// Simonyan and Yang do: mixture weights scale what they scale.
	Plain bool

	Smoothing float64        // share of the target that is spread over all classes
	Rule      optim.Rule     // how weights move; nil: SGD with momentum 0.9 and weight decay 3e-4
	Schedule  optim.Schedule // of the learning rate, by weight steps; zero: 0.025
	Clip      float64        // most that the norm of the gradients may be; 0: any

	// Unfused runs the network operation by operation, for comparison.
	Unfused bool
	// MemoryLimit is how many bytes the supernet may take; 0: any.
	MemoryLimit int64
	// Operations of plugins are computed there; nil: there are none. Then the supernet has
	// to be closed.
	Operations *remote.Operations
}

// Mixture holds a number for every option of every decision: weights, or their
// gradients.
type Mixture [][]float64

// Decision is a vector of mixture weights.
type Decision struct {
	*lower.Decision
	// Address is that of the space; where cells are untied, with the path of the
	// use before it.
	Address string
	Sites   int // mixtures that it weighs
}

// Supernet is a relaxed space with weights. One goroutine at a time may use it.
type Supernet struct {
	engine    *engine[float32]
	options   Options
	optimizer *optim.Optimizer
	of        *lower.Supernet
	steps     int // of the weights
	tensors   [][]float32
	grads     [][]float32
}

// New builds a supernet with fresh weights. It is an error if it needs more memory
// than the limit allows, which is found out before the memory is taken.
func New(s *lower.Supernet, ws *kernel.Workers, o Options) (*Supernet, error) {
	if o.Batch < 1 {
		return nil, fmt.Errorf("a batch of %d examples", o.Batch)
	}
	relaxation := s.Relaxation()
	if o.Channels > 0 {
		relaxation.Channels = o.Channels
	}
	relaxation.EdgeWeights = relaxation.EdgeWeights || o.EdgeWeights
	s, err := s.Relax(relaxation)
	if err != nil {
		return nil, err
	}
	if o.Rule == nil {
		o.Rule = optim.SGD{Momentum: 0.9, WeightDecay: 3e-4}
	}
	if o.Schedule == (optim.Schedule{}) {
		o.Schedule.Rate = 0.025
	}
	e, err := newEngine[float32](s, ws, o)
	var tooLarge *MemoryError
	switch {
	case errors.As(err, &tooLarge): // wherever that was found out
		return nil, tooLarge
	case err != nil:
		return nil, err
	}
	n := &Supernet{engine: e, options: o, of: s}
	for _, p := range e.params {
		n.tensors = append(n.tensors, e.weighing.Value(p))
	}
	n.optimizer = optim.New(o.Rule, n.tensors)
	n.grads = make([][]float32, len(n.tensors))
	return n, nil
}

// Decisions lists the decisions, in the order of mixtures.
func (n *Supernet) Decisions() []Decision { return n.engine.decisions }

// Of is what the supernet was built from.
func (n *Supernet) Of() *lower.Supernet { return n.of }

// Steps is how many steps the weights have made.
func (n *Supernet) Steps() int { return n.steps }

// Close gives back what operations of plugins take. The supernet is of no more use.
func (n *Supernet) Close() error { return n.engine.remote.Close() }

// Uniform is the mixture in which every candidate of a decision weighs the same, and
// every edge one.
func (n *Supernet) Uniform() Mixture {
	m := n.zeros()
	for i, d := range n.engine.decisions {
		for k := range m[i] {
			if m[i][k] = 1; !d.Edges {
				m[i][k] /= float64(len(d.Options))
			}
		}
	}
	return m
}

// zeros is a mixture of zeros.
func (n *Supernet) zeros() Mixture {
	m := make(Mixture, len(n.engine.decisions))
	for i, d := range n.engine.decisions {
		m[i] = make([]float64, len(d.Options))
	}
	return m
}

// Memory is how many bytes the supernet takes: weights, their gradients and what the
// optimizer remembers of them, the batch, and the arena; and once a gradient of second
// order has been asked for, the copies of the weights that it works with.
func (n *Supernet) Memory() int64 { return n.engine.memory }
