package train

import (
	"context"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// measure runs a part through the network in evaluation mode, after the running
// statistics have been made anew if the settings say so.
func (r *Training) measure(ctx context.Context, part dataset.Split) (Metrics, error) {
	r.clock(r.at)
	if n := r.trainer.settings.Recalibrate; n > 0 {
		if err := r.recalibrate(ctx, n); err != nil {
			return Metrics{}, err
		}
	}
	classes := r.trainer.set.Classes
	right, loss := 0, 0.0
	err := r.score(ctx, part, (part.Len()+r.net.batch-1)/r.net.batch, func(count int) {
		n := r.net
		loss += float64(count) * float64(kernel.CrossEntropyMean(kernel.CrossEntropy{N: count, K: classes}, n.logits, n.classes))
		for b := range count {
			row := n.logits[b*classes:][:classes]
			best := 0
			for k, v := range row {
				if v > row[best] {
					best = k
				}
			}
			if best == int(n.classes[b]) {
				right++
			}
		}
	})
	total := float64(part.Len())
	return Metrics{Accuracy: 100 * float64(right) / total, Loss: loss / total}, err
}

// score runs the first batches of a part through the network, and calls each after
// every one with how many examples it held.
func (r *Training) score(ctx context.Context, part dataset.Split, batches int, each func(count int)) error {
	n := r.net
	count := func(i int) int { return min(n.batch, part.Len()-i*n.batch) }
	f := newFeed(0, batches, len(n.images), n.batch, func(to *batch, i int) {
		r.trainer.source.plain(to, part, i*n.batch, count(i))
	})
	defer f.stop()
	for i := range batches {
		if err := f.next(ctx, n.images, n.classes); err != nil {
			return err
		}
		if err := n.score(ctx); err != nil {
			return err
		}
		each(count(i))
	}
	return nil
}

// recalibrate makes the running statistics of all batch norms the mean over the
// first batches of the training part, with the weights as they are now. Those of a
// training lag behind the weights, the more the fewer its steps.
func (r *Training) recalibrate(ctx context.Context, batches int) error {
	n := r.net
	for _, s := range n.weights.running {
		s.Reset()
	}
	n.Norm = ops.RecalibrateNorm
	defer func() { n.Norm = ops.UsualNorm }()
	whole := r.trainer.set.Train.Len() / n.batch
	return r.score(ctx, r.trainer.set.Train, min(batches, whole), func(int) {})
}
