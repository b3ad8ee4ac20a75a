package supernet

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
)

// exploded is a loss from which no training recovers: a guess among the classes
// costs 2 to 4.
const exploded = 1e4

// DivergedError says that the loss or a gradient is no number any more, or has
// exploded.
type DivergedError struct {
	What  string // "loss", "norm of the gradients", "gradient of normal.n[1].edge[0]"
	Value float64
	Step  int // of the weights, from 1
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged: the %s is %.3g in step %d", e.What, e.Value, e.Step)
}

// WeightStep moves the weights once along their gradients under a mixture, and
// returns the loss before that. Images are a batch (B,C,H,W), channels last in
// memory, labels the class of each. Weights of operations that the mixture takes out
// stay as they are.
//
// It is an error if the loss or a gradient is not finite, or ctx is done; the
// weights have not moved then.
func (n *Supernet) WeightStep(ctx context.Context, images []float32, labels []int, m Mixture) (loss float64, err error) {
	return n.Move(ctx, images, labels, m, n.options.Rule, n.Rate())
}

// Move is a WeightStep by another rule, which remembers as many numbers, and at
// another learning rate than those of the options.
func (n *Supernet) Move(ctx context.Context, images []float32, labels []int, m Mixture, rule optim.Rule, rate float64) (loss float64, err error) {
	e := n.engine
	if err := e.load(images, labels, m); err != nil {
		return 0, err
	}
	if loss, err = e.run(ctx, e.weighing, n.steps+1); err != nil {
		return 0, err
	}
	for i, g := range e.grads {
		n.grads[i] = nil
		if !e.weighing.Zero(g) {
			n.grads[i] = e.weighing.Value(g)
		}
	}
	if norm := optim.ClipNorm(e.Workers, n.grads, n.options.Clip); math.IsNaN(norm) || math.IsInf(norm, 0) {
		return 0, &DivergedError{"norm of the gradients", norm, n.steps + 1}
	}
	n.optimizer.StepBy(e.Workers, rule, n.grads, rate)
	n.steps++
	return loss, nil
}

// Rate is the learning rate of the next weight step by the schedule. After its last
// step the schedule stays where it is.
func (n *Supernet) Rate() float64 {
	s, i := n.options.Schedule, n.steps
	if s.Steps > 0 {
		i = min(i, s.Steps)
	}
	return s.At(i)
}

// ArchGradient is the gradient of the loss with respect to the mixture weights, and
// the loss. No weight moves; the running statistics of batch norm do, as in every
// pass of a training.
func (n *Supernet) ArchGradient(ctx context.Context, images []float32, labels []int, m Mixture) (loss float64, grad Mixture, err error) {
	e := n.engine
	if err := e.load(images, labels, m); err != nil {
		return 0, nil, err
	}
	if loss, err = e.run(ctx, e.arching, n.steps+1); err != nil {
		return 0, nil, err
	}
	if grad, err = e.gradient(n.steps + 1); err != nil {
		return 0, nil, err
	}
	return loss, grad, nil
}

// load puts a batch and a mixture in place.
func (e *engine[T]) load(images []float32, labels []int, m Mixture) error {
	to := e.images.Value().Data().([]T)
	if len(images) != len(to) {
		return fmt.Errorf("a batch of %d numbers, the supernet takes %v", len(images), e.images.Shape())
	}
	for i, v := range images {
		to[i] = T(v)
	}
	classes := e.labels.Value().Data().([]T)
	if len(labels) != len(classes) {
		return fmt.Errorf("%d labels of a batch with %d places", len(labels), len(classes))
	}
	for i, l := range labels {
		if l < 0 || l >= e.classes() {
			return fmt.Errorf("label %d of %d classes", l, e.classes())
		}
		classes[i] = T(l)
	}
	return e.mix(m)
}

// mix sets the mixture weights.
func (e *engine[T]) mix(m Mixture) error {
	if len(m) != len(e.decisions) {
		return fmt.Errorf("a mixture of %d decisions, the supernet has %d", len(m), len(e.decisions))
	}
	for i, d := range e.decisions {
		if len(m[i]) != len(d.Options) {
			return fmt.Errorf("%s: %d mixture weights of %d options", d.Address, len(m[i]), len(d.Options))
		}
		to := e.vectors[i].Value().Data().([]T)
		for k, w := range m[i] {
			if math.IsNaN(w) || math.IsInf(w, 0) {
				return fmt.Errorf("%s: the mixture weight of `%s` is %v", d.Address, d.Options[k].Label, w)
			}
			to[k] = T(w)
		}
	}
	return nil
}

// run runs a plan for training, and checks the loss.
func (e *engine[T]) run(ctx context.Context, p *plan.Plan[T], step int) (float64, error) {
	e.Training, e.Norm = true, ops.UsualNorm
	e.Step++
	if err := e.execute(ctx, p); err != nil {
		return 0, err
	}
	loss := float64(p.Value(e.loss)[0])
	if math.IsNaN(loss) || loss > exploded {
		return 0, &DivergedError{"loss", loss, step}
	}
	return loss, nil
}

// execute runs a plan. Whoever computes an operation may take forever: ctx ends that, and
// the supernet with it.
func (e *engine[T]) execute(ctx context.Context, p *plan.Plan[T]) error {
	defer context.AfterFunc(ctx, e.remote.Abort)()
	return p.Run(ctx)
}

// gradient reads the gradients of the mixture weights.
func (e *engine[T]) gradient(step int) (Mixture, error) {
	m := make(Mixture, len(e.decisions))
	for i, d := range e.decisions {
		m[i] = make([]float64, len(d.Options))
		if e.mixtures[i] == nil {
			continue
		}
		for k, v := range e.arching.Value(e.mixtures[i]) {
			if m[i][k] = float64(v); math.IsNaN(m[i][k]) || math.IsInf(m[i][k], 0) {
				return nil, &DivergedError{"gradient of " + d.Address, m[i][k], step}
			}
		}
	}
	return m, nil
}

// Score is the loss under a mixture and the share of right answers, in evaluation
// mode but with batch norm by the statistics of the batch: running ones are means
// over mixtures and mean nothing for one.
func (n *Supernet) Score(ctx context.Context, images []float32, labels []int, m Mixture) (loss, accuracy float64, err error) {
	return n.engine.score(ctx, images, labels, m, ops.BatchNorm)
}

// ScoreRunning is Score with batch norm by the running statistics, which Recalibrate
// has made for the same mixture.
func (n *Supernet) ScoreRunning(ctx context.Context, images []float32, labels []int, m Mixture) (loss, accuracy float64, err error) {
	return n.engine.score(ctx, images, labels, m, ops.UsualNorm)
}

func (e *engine[T]) score(ctx context.Context, images []float32, labels []int, m Mixture, norm ops.Norm) (loss, accuracy float64, err error) {
	if err := e.load(images, labels, m); err != nil {
		return 0, 0, err
	}
	e.Training, e.Norm = false, norm
	if err := e.execute(ctx, e.scoring); err != nil {
		return 0, 0, err
	}
	logits, k := e.scoring.Value(e.logits), e.classes()
	loss = float64(kernel.CrossEntropyMean(kernel.CrossEntropy{N: len(labels), K: k}, logits, e.labels.Value().Data().([]T)))
	right := 0
	for i, l := range labels {
		row := logits[i*k:][:k]
		best := 0
		for j, v := range row {
			if v > row[best] {
				best = j
			}
		}
		if best == l {
			right++
		}
	}
	return loss, float64(right) / float64(len(labels)), nil
}

// Recalibrate makes the running statistics of batch norm the means over batches of
// images, under a mixture (Guo et al., "Single Path One-Shot", ECCV 2020, do so for
// every path that they score). Those of operations that it takes out are as at the
// start. An error of the batches ends it.
func (n *Supernet) Recalibrate(ctx context.Context, batches iter.Seq2[[]float32, error], m Mixture) error {
	e := n.engine
	labels := make([]int, e.places())
	for _, r := range e.weights.averages {
		r.Reset()
	}
	for images, err := range batches {
		if err != nil {
			return err
		}
		if err := e.load(images, labels, m); err != nil {
			return err
		}
		e.Training, e.Norm = false, ops.RecalibrateNorm
		if err := e.execute(ctx, e.scoring); err != nil {
			return err
		}
	}
	return nil
}

// KeepStatistics takes note of the running statistics of batch norm; restore brings
// them back.
func (n *Supernet) KeepStatistics() (restore func()) { return n.engine.keepStatistics() }

func (e *engine[T]) keepStatistics() (restore func()) {
	var kept []float64
	for _, r := range e.weights.averages {
		kept = append(append(kept, r.Mean...), r.Var...)
	}
	return func() {
		rest := kept
		for _, r := range e.weights.averages {
			rest = rest[copy(r.Mean, rest):]
			rest = rest[copy(r.Var, rest):]
		}
	}
}
