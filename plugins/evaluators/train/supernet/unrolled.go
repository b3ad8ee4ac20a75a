package supernet

import (
	"context"
	"fmt"
	"math"
	"slices"

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
// It takes five passes forward and backward and, while it works, two more copies of
// the weights than [Supernet.Memory] tells.
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
	drawn, statistics := e.Step, e.keepStatistics()
	weights := make([][]T, len(e.params))
	for i, p := range e.params {
		weights[i] = slices.Clone(e.weighing.Value(p))
	}
	defer func() {
		for i, p := range e.params {
			copy(e.weighing.Value(p), weights[i])
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
		direction[i] = slices.Clone(e.weighing.Value(e.grads[i]))
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
			copy(w, weights[i])
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
