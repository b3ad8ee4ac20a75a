// Package train is the evaluator that judges an architecture by training it.
//
// A [Trainer] holds a data set and the settings of the training. Run builds the
// architecture as a Gorgonia graph (network.go), trains it with stochastic
// gradient descent on the training part (sgd.go, batches.go) and measures it on
// the validation part; Test does the same and measures on the test part instead.
// A result depends on the architecture, the settings and the seed alone, not on
// the number of threads or on what ran before.
package train

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Settings are how every architecture is trained.
type Settings struct {
	Dataset string `default:"glyphs" choices:"glyphs,idx,cifar10" doc:"the images: drawn letters and digits, idx files (MNIST and relatives), or CIFAR-10's binary files"`
	Data    string `default:"" doc:"idx and cifar10: the folder of the files"`
	Classes int    `default:"0" min:"0" doc:"number of classes; 0: as the data set has (glyphs: 10, at most 36)"`
	Size    int    `default:"0" min:"0" doc:"height and width of an image; 0: as the data set has (glyphs: 16)"`
	Color   bool   `default:"false" doc:"glyphs: three channels instead of one"`
	Train   int    `default:"0" min:"0" max:"1000000" doc:"training examples; 0: all (glyphs: 2000)"`
	Valid   int    `default:"0" min:"0" max:"1000000" doc:"validation examples; 0: all (glyphs: 1000)"`
	Test    int    `default:"0" min:"0" max:"1000000" doc:"test examples; 0: all (glyphs: 2000)"`

	Epochs      int     `default:"3" min:"1" max:"100000" doc:"passes over the training examples"`
	BatchSize   int     `default:"32" min:"1" max:"65536" doc:"examples per step"`
	Lr          float64 `default:"0.1" min:"0" doc:"learning rate of the first step; it falls along a cosine, step by step"`
	LrMin       float64 `default:"0" min:"0" doc:"learning rate that the cosine ends at"`
	Momentum    float64 `default:"0.9" min:"0" max:"1" doc:"Nesterov momentum"`
	WeightDecay float64 `default:"0.0005" min:"0" doc:"factor of the weights that is added to their gradients"`
	Clip        float64 `default:"5" min:"0" doc:"largest norm of all gradients together; 0: no limit"`
	Smoothing   float64 `default:"0" min:"0" max:"1" doc:"label smoothing: share of the target that is spread over all classes in training"`
	Flip        bool    `default:"false" doc:"mirror training images at random"`
	Shift       int     `default:"0" min:"0" doc:"move training images at random by up to so many pixels"`
}

// Trainer trains architectures one at a time.
type Trainer struct {
	settings Settings
	set      *dataset.Set
	workers  *kernel.Workers
}

// Metrics are the result of a training.
type Metrics struct {
	Accuracy float64 // per cent
	Loss     float64 // mean cross-entropy in nats
}

// Epoch is the state of a training after an epoch.
type Epoch struct {
	Number, Of int     // from 1
	TrainLoss  float64 // mean over the steps of the epoch
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
	if limit := min(set.H, set.W) - 1; s.Shift > limit {
		return nil, &dataset.Problem{Option: "shift", Message: fmt.Sprintf("is %d, which moves images of %dx%d pixels out of sight", s.Shift, set.H, set.W)}
	}
	set.Facts["kernels"] = kernel.Variant()
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &Trainer{settings: s, set: set, workers: kernel.NewWorkers(threads)}, nil
}

// Close ends the threads.
func (t *Trainer) Close() error {
	t.workers.Close()
	return nil
}

// Facts are what the manifest of a run records about the data.
func (t *Trainer) Facts() map[string]string { return t.set.Facts }

// Run trains g from the seed and measures it on the validation part after every
// epoch. Epochs of 0 means as many as the settings say.
func (t *Trainer) Run(ctx context.Context, g *graph.Graph, seed uint64, epochs int, report func(Epoch)) (Metrics, error) {
	var last Metrics
	_, err := t.train(ctx, g, seed, epochs, func(e Epoch) {
		last = e.Valid
		report(e)
	})
	return last, err
}

// Test trains g exactly as Run does and measures it on the test part.
func (t *Trainer) Test(ctx context.Context, g *graph.Graph, seed uint64, epochs int, report func(Epoch)) (Metrics, error) {
	n, err := t.train(ctx, g, seed, epochs, report)
	if err != nil {
		return Metrics{}, err
	}
	return t.measure(ctx, n, t.set.Test)
}

func (t *Trainer) train(ctx context.Context, g *graph.Graph, seed uint64, epochs int, report func(Epoch)) (*network, error) {
	if err := t.check(g); err != nil {
		return nil, err
	}
	if epochs == 0 {
		epochs = t.settings.Epochs
	}
	examples := t.set.Train.Len()
	batch := min(t.settings.BatchSize, examples)
	n, err := newNetwork(g, t.workers, batch, seed, t.settings.Smoothing)
	if err != nil {
		return nil, err
	}
	source := batches{set: t.set, flip: t.settings.Flip, shift: t.settings.Shift}
	descent := &sgd{momentum: float32(t.settings.Momentum), decay: float32(t.settings.WeightDecay)}
	steps := examples / batch // what is left over takes part in another epoch
	for epoch := range epochs {
		n.Progress = float64(epoch) / float64(epochs)
		order := stream.New(seed, "order", uint64(epoch)).Perm(examples)
		luck := stream.New(seed, "augment", uint64(epoch))
		var sum float64
		for step := range steps {
			for b := range batch {
				source.load(n, t.set.Train, b, order[step*batch+b])
				source.augment(n, b, luck)
			}
			if err := n.step(ctx); err != nil {
				return nil, err
			}
			loss := float64(n.loss[0])
			if math.IsNaN(loss) || loss > exploded {
				return nil, fmt.Errorf("training diverged: the loss is %.3g in step %d of epoch %d", loss, step+1, epoch+1)
			}
			sum += loss
			if t.settings.Clip > 0 {
				clip(n.grads, t.settings.Clip)
			}
			rate := cosine(t.settings.Lr, t.settings.LrMin, epoch*steps+step, epochs*steps)
			descent.step(n.params, n.grads, float32(rate))
		}
		valid, err := t.measure(ctx, n, t.set.Valid)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(valid.Loss) || valid.Loss > exploded {
			return nil, fmt.Errorf("training diverged: the validation loss is %.3g after epoch %d", valid.Loss, epoch+1)
		}
		report(Epoch{Number: epoch + 1, Of: epochs, TrainLoss: sum / float64(steps), Valid: valid})
	}
	return n, nil
}

// exploded is a loss from which no training recovers: a guess among the classes
// costs 2 to 4.
const exploded = 1e4

// measure runs a part through the network in evaluation mode.
func (t *Trainer) measure(ctx context.Context, n *network, part dataset.Split) (Metrics, error) {
	source := batches{set: t.set}
	classes := t.set.Classes
	right, loss := 0, 0.0
	for at := 0; at < part.Len(); at += n.batch {
		count := min(n.batch, part.Len()-at)
		for b := range count {
			source.load(n, part, b, at+b)
		}
		if err := n.score(ctx); err != nil {
			return Metrics{}, err
		}
		loss += float64(count) * float64(kernel.CrossEntropyMean(kernel.CrossEntropy{N: count, K: classes}, n.logits, n.labels))
		for b := range count {
			row := n.logits[b*classes:][:classes]
			best := 0
			for k, v := range row {
				if v > row[best] {
					best = k
				}
			}
			if best == int(n.labels[b]) {
				right++
			}
		}
	}
	total := float64(part.Len())
	return Metrics{Accuracy: 100 * float64(right) / total, Loss: loss / total}, nil
}

// check compares the architecture's ends with the data.
func (t *Trainer) check(g *graph.Graph) error {
	image := graph.Shape{t.set.Channels, t.set.H, t.set.W}
	if len(g.Inputs) != 1 {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("has %d inputs; images are one", len(g.Inputs))}
	}
	if in := g.Inputs[0].Shape; !in.Equal(image) {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("takes images of shape %v, but those of %s have %v", in, t.set.Name, image)}
	}
	if out := g.Shape(g.Output); !out.Equal(graph.Shape{t.set.Classes}) {
		return &dataset.Problem{Option: "architecture", Message: fmt.Sprintf("gives %v, but %s needs one number for each of its %d classes, [%d]", out, t.set.Name, t.set.Classes, t.set.Classes)}
	}
	return nil
}
