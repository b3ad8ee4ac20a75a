package supernet

import (
	"context"
	"fmt"
	"math"

	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
)

// Examples are a batch: images (B,C,H,W), channels last in memory, and the class of
// each.
type Examples struct {
	Images []float32
	Labels []int
}

// Unrolled is the second-order gradient of Liu, Simonyan and Yang ("DARTS", ICLR 2019,
// equations 6 to 8). With L' the loss on the batch train under the mixture m and
//
//	w' = w - rate*(dL'/dw + decay*w + momentum*velocity)
//
// it is the gradient with respect to m of the loss on the batch valid with the weights
// w', and that loss. The part that comes through w' is
//
//	-rate * (dL'/dm at w+ - dL'/dm at w-) / (2R),   w± = w ± R*dL/dw',   R = radius/|dL/dw'|
//
// The rule must be SGD. As in the paper's code w' is that of plain momentum, also where
// steps look ahead (Nesterov), and gradients are not clipped. Weights of operations
// that the mixture takes out stay as they are in w' too. Operations that draw draw the
// same numbers in every pass. Afterwards weights, what the optimizer remembers and
// running statistics are as before, bit for bit.
//
// It takes five passes forward and backward, and two more copies of the weights. The
// first call makes room for them, which [Supernet.Memory] tells from then on; it is a
// [MemoryError], before any is taken, if there is none.
func (n *Supernet) Unrolled(ctx context.Context, train, valid Examples, m Mixture, rule optim.Rule, rate, radius float64) (loss float64, grad Mixture, err error) {
	sgd, ok := rule.(optim.SGD)
	if !ok {
		return 0, nil, fmt.Errorf("second order is for weights that move by SGD, not by %T", rule)
	}
	u := unrolling[float32]{rate: rate, decay: sgd.WeightDecay, momentum: sgd.Momentum, radius: radius, step: n.steps + 1}
	if slots := n.optimizer.State().Slots; len(slots) > 0 {
		u.velocity = slots[0]
	}
	return n.engine.unrolled(ctx, train, valid, m, u)
}

// unrolling is what the weight step does that is looked ahead of.
type unrolling[T float32 | float64] struct {
	rate, decay, momentum float64
	velocity              [][]T // by parameter; nil: zero
	radius                float64
	step                  int // of the weights, for errors
}

func (e *engine[T]) unrolled(ctx context.Context, train, valid Examples, m Mixture, u unrolling[T]) (float64, Mixture, error) {
	if !(u.radius > 0) || math.IsInf(u.radius, 0) {
		return 0, nil, fmt.Errorf("the radius of a finite difference is %v", u.radius)
	}
	if err := e.roomToUnroll(); err != nil {
		return 0, nil, err
	}
	drawn, statistics, start := e.Step, e.keepStatistics(), e.start
	for i, p := range e.params {
		copy(start[i], e.weighing.Value(p))
	}
	defer func() {
		for i, p := range e.params {
			copy(e.weighing.Value(p), start[i])
		}
		statistics()
		e.Step = drawn + 1 // as after every pass of a training
	}()
	pass := func(x Examples, arch bool) (loss float64, err error) {
		if err := e.load(x.Images, x.Labels, m); err != nil {
			return 0, err
		}
		e.Step = drawn
		if arch {
			return e.run(ctx, e.arching, u.step)
		}
		return e.run(ctx, e.weighing, u.step)
	}

	if _, err := pass(train, false); err != nil {
		return 0, nil, err
	}
	rate, decay, momentum := T(u.rate), T(u.decay), T(u.momentum)
	for i, p := range e.params {
		if e.weighing.Zero(e.grads[i]) {
			continue
		}
		w, g := e.weighing.Value(p), e.weighing.Value(e.grads[i])
		for k := range w {
			d := g[k] + decay*w[k]
			if u.velocity != nil {
				d += momentum * u.velocity[i][k]
			}
			w[k] -= rate * d
		}
	}
	loss, err := pass(valid, true)
	if err != nil {
		return 0, nil, err
	}
	grad, err := e.gradient(u.step)
	if err != nil {
		return 0, nil, err
	}
	if _, err := pass(valid, false); err != nil {
		return 0, nil, err
	}
	direction := make([][]T, len(e.params)) // nil: zero
	var squares float64
	for i := range e.params {
		if e.weighing.Zero(e.grads[i]) {
			continue
		}
		direction[i] = e.direction[i]
		copy(direction[i], e.weighing.Value(e.grads[i]))
		for _, v := range direction[i] {
			squares += float64(v) * float64(v)
		}
	}
	norm := math.Sqrt(squares)
	switch {
	case math.IsNaN(norm) || math.IsInf(norm, 0):
		return 0, nil, &DivergedError{"norm of the gradients after the step ahead", norm, u.step}
	case norm == 0: // the weights do not matter
		return loss, grad, nil
	}
	r := u.radius / norm
	for _, sign := range []float64{1, -1} {
		for i, p := range e.params {
			w := e.weighing.Value(p)
			copy(w, start[i])
			for k, d := range direction[i] {
				w[k] += T(sign*r) * d
			}
		}
		if _, err := pass(train, true); err != nil {
			return 0, nil, err
		}
		side, err := e.gradient(u.step)
		if err != nil {
			return 0, nil, err
		}
		for i := range grad {
			for k := range grad[i] {
				grad[i][k] -= u.rate * sign * side[i][k] / (2 * r)
			}
		}
	}
	return loss, grad, nil
}

// copies are the two copies of the weights that second-order gradients work with, by
// parameter: as they were, and the gradient after the step ahead.
type copies[T float32 | float64] struct{ start, direction [][]T }

// ofCopies is how many bytes they take.
func (e *engine[T]) ofCopies() (bytes int64) {
	for _, p := range e.params {
		bytes += 2 * size[T]() * int64(p.Shape().TotalSize())
	}
	return bytes
}

// roomToUnroll makes them once, if they fit: only then is it known that the search is
// one of second order.
func (e *engine[T]) roomToUnroll() error {
	if e.start != nil {
		return nil
	}
	need := e.memory + e.ofCopies()
	if limit := e.options.MemoryLimit; limit > 0 && need > limit {
		return &MemoryError{Needed: need, Limit: limit, Unrolled: true}
	}
	for _, of := range []*[][]T{&e.start, &e.direction} {
		*of = make([][]T, len(e.params))
		for i, p := range e.params {
			(*of)[i] = make([]T, p.Shape().TotalSize())
		}
	}
	e.memory = need
	return nil
}
