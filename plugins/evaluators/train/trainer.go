// Package train is the evaluator that judges an architecture by training it.
//
// A [Trainer] holds a data set and the settings of the training. [Trainer.Run]
// builds the architecture as a Gorgonia graph (network.go), trains it on the
// training part (training.go; batches are made ahead in batches.go, and the
// optimizers are those of package optim) and measures it on the validation part
// (measure.go); Test does the same and measures on the test part instead. A result
// depends on the architecture, the settings and the seed alone, not on the number
// of threads or on what ran before.
package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Trainer trains architectures one at a time.
type Trainer struct {
	settings Settings
	set      *dataset.Set
	source   *source
	workers  *kernel.Workers

	operations *remote.Operations // of plugins; nil: none
}

// Metrics are the result of a training.
type Metrics struct {
	Accuracy float64 // per cent
	Loss     float64 // mean cross-entropy in nats
}

// Epoch is the state of a training after an epoch.
type Epoch struct {
	Number, Of int     // from 1
	TrainLoss  float64 // mean over the steps of the epoch of what is minimized
	Valid      Metrics
}

// New loads the data. Threads is how many to keep busy, 0 for all processors.
// An error about a setting is a *dataset.Problem.
func New(s Settings, threads int) (*Trainer, error) {
	set, err := dataset.Load(dataset.Options{Name: s.Dataset, Path: s.Data, Classes: s.Classes, Size: s.Size,
		Color: s.Color, Train: s.Train, Valid: s.Valid, Test: s.Test})
	if err != nil {
		return nil, err
	}
	if err := s.check(set); err != nil {
		return nil, err
	}
	set.Facts["kernels"] = kernel.Variant()
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Trainer{settings: s, set: set, source: newSource(set), workers: kernel.NewWorkers(threads)}, nil
}

// With has operations of plugins computed where r says, in what is trained from now on.
func (t *Trainer) With(r *remote.Operations) { t.operations = r }

// Close ends the threads.
func (t *Trainer) Close() error {
	t.workers.Close()
	return nil
}

// Facts are what the manifest of a run records about the data.
func (t *Trainer) Facts() map[string]string { return t.set.Facts }

// Run trains an architecture and measures it on the validation part after every
// epoch.
func (t *Trainer) Run(ctx context.Context, job Job, report func(Epoch)) (Metrics, error) {
	var last Metrics
	r, err := t.train(ctx, job, func(e Epoch) {
		last = e.Valid
		report(e)
	})
	if err != nil {
		return Metrics{}, err
	}
	r.Close()
	r.forget()
	return last, nil
}

// Test trains an architecture exactly as Run does and measures it on the test part.
func (t *Trainer) Test(ctx context.Context, job Job, report func(Epoch)) (Metrics, error) {
	r, err := t.train(ctx, job, report)
	if err != nil {
		return Metrics{}, err
	}
	defer r.Close()
	m, err := r.measure(ctx, t.set.Test)
	if err == nil {
		r.forget()
	}
	return m, err
}

// train does all of a training that is not done.
func (t *Trainer) train(ctx context.Context, job Job, report func(Epoch)) (*Training, error) {
	r, err := t.Begin(job)
	if err != nil {
		return nil, err
	}
	if job.File != "" {
		if err := r.Load(job.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.warn(fmt.Errorf("the training begins anew: %w", err))
		}
	}
	if err := r.Run(ctx, report); err != nil {
		r.Close()
		if ctx.Err() == nil { // it would fail in the same way again
			r.forget()
		}
		return nil, err
	}
	return r, nil
}

// check compares the architecture's ends with the data.
func (t *Trainer) check(g *graph.Graph) error {
	image := graph.Shape{t.set.Channels, t.set.H, t.set.W}
	if len(g.Inputs) != 1 {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("has %d inputs; images are one", len(g.Inputs))}
	}
	if in := g.Inputs[0].Shape; !in.Equal(image) {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("takes images of shape %v, but those of %s have %v%s", in, t.set.Name, image, drawn(t.set, in))}
	}
	if out := g.Shape(g.Output); !out.Equal(graph.Shape{t.set.Classes}) {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("gives %v, but %s needs one number for each of its %d classes, [%d]", out, t.set.Name, t.set.Classes, t.set.Classes)}
	}
	return nil
}

// drawn says which settings draw images of a shape, for the data sets that can be drawn so.
func drawn(set *dataset.Set, shape graph.Shape) string {
	if set.Name != "glyphs" || len(shape) != 3 || shape[1] != shape[2] || shape[0] != 1 && shape[0] != 3 {
		return ""
	}
	return fmt.Sprintf("; size=%d and color=%t draw them so", shape[1], shape[0] == 3)
}
