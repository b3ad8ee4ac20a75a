package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
)

// Job is an architecture to be trained.
type Job struct {
	Graph  *graph.Graph
	Seed   uint64 // of everything random
	Epochs int    // 0: as many as the settings say

	// File is where the training is kept while it goes on, and from where it goes on
	// if it was interrupted; it is gone at the end. Empty: it is not kept.
	File string
	// Warn is told of a file that cannot be used or written, which harms nothing but
	// the time that a repetition takes. It may be nil.
	Warn func(error)
}

// Training is the training of one architecture, step by step. Its trainer can do
// one at a time. After an error it is over.
type Training struct {
	trainer   *Trainer
	job       Job
	net       *network
	optimizer *optim.Optimizer
	schedule  optim.Schedule
	lessons   *lessons
	feed      *feed
	at        int     // steps done
	sum       float64 // of the losses of the epoch under way
	curve     []Epoch // the epochs that are over
	kept      time.Time
}

// Begin makes a network with fresh weights. Close the training at its end.
func (t *Trainer) Begin(job Job) (*Training, error) {
	if err := t.check(job.Graph); err != nil {
		return nil, err
	}
	if job.Epochs == 0 {
		job.Epochs = t.settings.Epochs
	}
	size := min(t.settings.BatchSize, t.set.Train.Len())
	if err := t.afford(t.least(job.Graph, size)); err != nil {
		return nil, err
	}
	net, err := newNetwork(job.Graph, t.workers, size, job.Seed, t.settings.objective(), t.operations)
	if err != nil {
		return nil, err
	}
	r := &Training{trainer: t, job: job, net: net, lessons: newLessons(t.source, t.settings, job.Seed, size)}
	r.optimizer = optim.New(t.settings.rule(), net.params)
	r.schedule = t.settings.schedule(job.Epochs, r.lessons.steps)
	if err := t.afford(r.footprint()); err != nil {
		return nil, errors.Join(err, net.Close())
	}
	return r, nil
}

// Close ends what makes batches ahead, and what computes operations of plugins.
func (r *Training) Close() {
	r.rewind()
	if err := r.net.Close(); err != nil {
		r.warn(err)
	}
}

// rewind has batches be made anew from the step that is next.
func (r *Training) rewind() {
	if r.feed != nil {
		r.feed.stop()
		r.feed = nil
	}
}

// Steps is how many steps are done, of how many.
func (r *Training) Steps() (done, of int) { return r.at, r.schedule.Steps }

// exploded is a loss from which no training recovers: a guess among the classes
// costs 2 to 4.
const exploded = 1e4

// Step moves the weights once, and returns the loss before that. It is an error if
// the loss or a gradient is not a number any more, or the loss explodes.
func (r *Training) Step(ctx context.Context) (loss float64, err error) {
	n := r.net
	if r.feed == nil {
		r.feed = newFeed(r.at, r.schedule.Steps, len(n.images), len(n.targets), r.lessons.fill)
	}
	if err := r.feed.next(ctx, n.images, n.targets); err != nil {
		return 0, err
	}
	r.clock(r.at + 1)
	if err := n.step(ctx); err != nil {
		return 0, err
	}
	loss = float64(n.loss[0])
	if math.IsNaN(loss) || loss > exploded {
		return 0, r.diverged("the loss is %.3g", loss)
	}
	if limit := r.trainer.settings.Clip; limit > 0 {
		if norm := optim.ClipNorm(n.Workers, n.grads, limit); math.IsNaN(norm) || math.IsInf(norm, 0) {
			return 0, r.diverged("the norm of the gradients is %v", norm)
		}
	}
	r.optimizer.Step(n.Workers, n.grads, r.schedule.At(r.at))
	r.at++
	r.sum += loss
	return loss, nil
}

// clock tells the operations that draw random numbers which step it is, from 1.
// Those that draw in a measurement too do so as in the step before.
func (r *Training) clock(step int) {
	r.net.Step = uint64(step)
	r.net.Progress = float64(max(step-1, 0)/r.lessons.steps) / float64(r.job.Epochs)
}

func (r *Training) diverged(format string, value float64) error {
	return fmt.Errorf("training diverged: "+format+" in step %d of epoch %d", value, r.at%r.lessons.steps+1, r.at/r.lessons.steps+1)
}

// Run makes all steps that are left, and measures the network on the validation
// part after every epoch. Report gets every epoch, those that were over before too.
func (r *Training) Run(ctx context.Context, report func(Epoch)) error {
	defer context.AfterFunc(ctx, r.net.remote.Abort)() // whoever computes an operation may take forever
	r.kept = time.Now()
	for _, e := range r.curve {
		report(e)
	}
	for len(r.curve) < r.job.Epochs {
		if err := r.advance(ctx, report); err != nil {
			return err
		}
		r.keep()
	}
	return nil
}

// advance makes one step or, at the end of an epoch, the measurement.
func (r *Training) advance(ctx context.Context, report func(Epoch)) error {
	epoch := len(r.curve) + 1
	if r.at < epoch*r.lessons.steps {
		_, err := r.Step(ctx)
		return err
	}
	valid, err := r.measure(ctx, r.trainer.set.Valid)
	if err != nil {
		return err
	}
	if math.IsNaN(valid.Loss) || valid.Loss > exploded {
		return fmt.Errorf("training diverged: the validation loss is %.3g after epoch %d", valid.Loss, epoch)
	}
	e := Epoch{Number: epoch, Of: r.job.Epochs, TrainLoss: r.sum / float64(r.lessons.steps), Valid: valid}
	r.curve, r.sum = append(r.curve, e), 0
	report(e)
	return nil
}

// keep saves the training when that is due.
func (r *Training) keep() {
	every := time.Duration(r.trainer.settings.Checkpoint * float64(time.Second))
	if r.job.File == "" || every == 0 || time.Since(r.kept) < every {
		return
	}
	if err := r.Save(r.job.File); err != nil {
		r.warn(fmt.Errorf("the training cannot be kept: %w", err))
	}
	r.kept = time.Now()
}

// forget removes what was kept.
func (r *Training) forget() {
	if r.job.File == "" {
		return
	}
	if err := os.Remove(r.job.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.warn(err)
	}
}

func (r *Training) warn(err error) {
	if r.job.Warn != nil {
		r.job.Warn(err)
	}
}
