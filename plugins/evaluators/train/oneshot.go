package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Supernet is a relaxed space that a one-shot search trains: package supernet's with
// the data of a [Trainer]. Weights move on the training part; gradients of mixture
// weights and scores are of the validation part. Both parts are shuffled in every
// epoch and augmented as the settings say, but for scores.
//
// It implements [sdk.TrainedSupernet]. Its trainer does one thing at a time.
type Supernet struct {
	trainer *Trainer
	seed    uint64
	epochs  int
	net     *supernet.Supernet
	train   *course // by weight step
	valid   *course
	asked   int // batches of the validation part that gradients have been taken on
}

// OpenSupernet builds a supernet with fresh weights. It is an error if its ends do not
// fit the data, or if it needs more memory than it may have, which is found out before
// the memory is taken.
func (t *Trainer) OpenSupernet(o sdk.OpenSupernet) (*Supernet, error) {
	if err := t.checkEnds(o.Network); err != nil {
		return nil, err
	}
	if o.Epochs < 1 {
		return nil, fmt.Errorf("a search of %d epochs", o.Epochs)
	}
	set, st := t.set, t.settings
	size := min(st.SupernetBatch, set.Train.Len(), set.Valid.Len())
	st.Mixup = 0 // a supernet learns from classes
	train := newLessons(t.source, st, o.Seed, size)
	valid := &lessons{source: t.source, part: set.Valid, stream: "valid/", settings: st, seed: o.Seed, size: size, steps: set.Valid.Len() / size, epoch: -1}
	s := &Supernet{trainer: t, seed: o.Seed, epochs: o.Epochs, train: newCourse(train), valid: newCourse(valid)}
	limit, err := s.room(0)
	if err != nil {
		return nil, err
	}
	s.net, err = supernet.New(o.Network, t.workers, supernet.Options{
		Batch: size, Seed: o.Seed, Smoothing: st.Smoothing, Clip: st.SupernetClip,
		Shared: st.SupernetShared, Plain: !st.SupernetAffine, MemoryLimit: limit, Operations: t.operations,
		Rule:     st.supernetRule(),
		Schedule: optim.Schedule{Shape: optim.Cosine, Rate: st.SupernetLr, Last: st.SupernetLrMin, Steps: o.Epochs * train.steps},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkEnds compares the input and the output of a supernet with the data.
func (t *Trainer) checkEnds(n *lower.Supernet) error {
	err := t.check(&graph.Graph{Inputs: n.Net.Inputs, Nodes: []*graph.Node{{Shape: n.Net.Shape(n.Net.Output)}}})
	var p *dataset.Problem
	if errors.As(err, &p) {
		return fmt.Errorf("the supernet %s", p.Message)
	}
	return err
}

// room is how many bytes a supernet may take beside its batches; 0: any. Taken is what
// it takes already.
func (s *Supernet) room(taken int64) (int64, error) {
	batches := s.train.memory() + s.valid.memory()
	limit := int64(s.trainer.settings.Memory * mebi)
	if limit == 0 {
		debug.FreeOSMemory() // what others took before
		left, known := machineMemory()
		if !known {
			return 0, nil
		}
		limit = left + taken
	}
	if limit <= batches {
		return 0, &supernet.MemoryError{Needed: batches, Limit: limit}
	}
	return limit - batches, nil
}

// Size tells how many whole batches the parts have, and the memory.
func (s *Supernet) Size() sdk.SupernetSize {
	return sdk.SupernetSize{Steps: s.train.lessons.steps, Valid: s.valid.lessons.steps,
		Memory: s.net.Memory() + s.train.memory() + s.valid.memory()}
}

// WeightStep moves the weights on the next batch of the training part.
func (s *Supernet) WeightStep(ctx context.Context, m sdk.Mixture, o sdk.WeightStep) (float64, error) {
	if err := s.train.take(ctx, s.net.Steps()); err != nil {
		return 0, err
	}
	rule, rate := s.trainer.settings.supernetRule(), s.net.Rate()
	if o.WeightDecay != nil {
		rule.WeightDecay = *o.WeightDecay
	}
	if o.Rate != nil {
		rate = *o.Rate
	}
	if !(rate >= 0) || math.IsInf(rate, 0) || !(rule.WeightDecay >= 0) || math.IsInf(rule.WeightDecay, 0) {
		return 0, fmt.Errorf("a weight step at the learning rate %v with the weight decay %v", rate, rule.WeightDecay)
	}
	return s.net.Move(ctx, s.train.images, s.train.classes, m, rule, rate)
}

// ArchGradient is the gradient of the loss on a batch with respect to the mixture.
func (s *Supernet) ArchGradient(ctx context.Context, m sdk.Mixture, o sdk.ArchGradient) (loss float64, grad sdk.Mixture, err error) {
	on, next := s.valid, s.asked
	switch o.Batch {
	case sdk.NextValid:
		err = s.valid.take(ctx, s.asked)
		next++
	case sdk.SameValid:
		if s.asked == 0 {
			return 0, nil, errors.New("the last batch of the validation part is asked for, and there was none yet")
		}
		err = s.valid.take(ctx, s.asked-1)
	case sdk.NextTrain:
		if o.Unrolled {
			return 0, nil, errors.New("a gradient of second order is of the validation part")
		}
		on = s.train
		err = s.train.take(ctx, s.net.Steps())
	default:
		err = fmt.Errorf("there is no batch of kind %d", o.Batch)
	}
	if err != nil {
		return 0, nil, err
	}
	if !o.Unrolled {
		loss, grad, err = s.net.ArchGradient(ctx, on.images, on.classes, m)
	} else if err = s.train.take(ctx, s.net.Steps()); err == nil {
		loss, grad, err = s.net.Unrolled(ctx, s.train.examples(), s.valid.examples(), m, s.trainer.settings.supernetRule(), s.net.Rate(), o.Radius)
	}
	if err == nil {
		s.asked = next
	}
	return loss, grad, err
}

// Relax goes on with another relaxation of the same space, on the same batches; see [supernet.Supernet.Relax].
func (s *Supernet) Relax(_ context.Context, n *lower.Supernet) error {
	if n.Name != s.net.Of().Name {
		return fmt.Errorf("%s is another space than %s", n.Name, s.net.Of().Name)
	}
	if err := s.trainer.checkEnds(n); err != nil {
		return err
	}
	limit, err := s.room(s.net.Memory())
	if err != nil {
		return err
	}
	net, err := s.net.Relax(n, limit)
	if err != nil {
		return err
	}
	old := s.net
	s.net = net
	return old.Close()
}

// Close ends what makes batches ahead, and what computes operations of plugins.
func (s *Supernet) Close() error {
	s.train.stop()
	s.valid.stop()
	return s.net.Close()
}
