package train

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Score measures mixtures on whole batches of the validation part, as they are: not
// shuffled, not augmented. A mixture of ones and zeros costs what the architecture
// costs. Nothing that later steps depend on changes.
func (s *Supernet) Score(ctx context.Context, ms []sdk.Mixture, o sdk.Score) ([]sdk.ValidationMetrics, error) {
	all := s.valid.lessons.steps
	if o.First < 0 || o.Batches < 0 || o.Recalibrate < 0 {
		return nil, fmt.Errorf("a score of %d batches from batch %d on, with statistics of %d", o.Batches, o.First, o.Recalibrate)
	}
	if o.Batches == 0 {
		o.Batches = all
	}
	restore := s.net.KeepStatistics()
	defer restore()
	sums := make([]Metrics, len(ms))
	measure := s.net.Score
	groups := [][]int{make([]int, len(ms))} // the mixtures that go over the batches together
	for i := range ms {
		groups[0][i] = i
	}
	if o.Recalibrate > 0 {
		measure = s.net.ScoreRunning
		groups = nil
		for i := range ms {
			groups = append(groups, []int{i})
		}
	}
	for _, group := range groups {
		if o.Recalibrate > 0 {
			n := min(o.Recalibrate, s.train.lessons.steps)
			images := func(yield func([]float32, error) bool) {
				for x, err := range s.plain(ctx, s.trainer.set.Train, n, func(i int) int { return i }) {
					if !yield(x.Images, err) {
						return
					}
				}
			}
			if err := s.net.Recalibrate(ctx, images, ms[group[0]]); err != nil {
				return nil, err
			}
		}
		for x, err := range s.plain(ctx, s.trainer.set.Valid, o.Batches, func(i int) int { return (o.First + i) % all }) {
			if err != nil {
				return nil, err
			}
			for _, i := range group {
				loss, right, err := measure(ctx, x.Images, x.Labels, ms[i])
				if err != nil {
					return nil, err
				}
				if math.IsNaN(loss) || math.IsInf(loss, 0) {
					return nil, &supernet.DivergedError{What: "validation loss", Value: loss, Step: s.net.Steps()}
				}
				sums[i].Loss += loss
				sums[i].Accuracy += right
			}
		}
	}
	var out []sdk.ValidationMetrics
	for _, m := range sums {
		m.Loss /= float64(o.Batches)
		m.Accuracy *= 100 / float64(o.Batches)
		out = append(out, sdk.ValidationMetrics{Values: m.values()})
	}
	return out, nil
}

// plain hands out whole batches of a part as it is; number tells which they are. They
// are made ahead.
func (s *Supernet) plain(ctx context.Context, part dataset.Split, count int, number func(i int) int) iter.Seq2[supernet.Examples, error] {
	return func(yield func(supernet.Examples, error) bool) {
		size := len(s.train.targets)
		b := batch{make([]float32, len(s.train.images)), make([]float32, size)}
		f := newFeed(0, count, len(b.images), size, func(to *batch, i int) {
			s.trainer.source.plain(to, part, number(i)*size, size)
		})
		defer f.stop()
		x := supernet.Examples{Images: b.images, Labels: make([]int, size)}
		for range count {
			err := f.next(ctx, b.images, b.targets)
			for i, k := range b.targets {
				x.Labels[i] = int(k)
			}
			if !yield(x, err) || err != nil {
				return
			}
		}
	}
}
