package train

import (
	"context"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
)

// batch is the input of a step.
type batch struct {
	images  []float32 // (B,C,H,W), channels last in memory
	targets []float32 // (B), the classes; under mixup (B,K), shares of every class
}

// source makes batches of examples: pixel values less the mean over the standard
// deviation of their channel in the training part.
type source struct {
	set    *dataset.Set
	values [][256]float32 // by channel, what a pixel value is to the network
}

func newSource(set *dataset.Set) *source {
	s := &source{set: set, values: make([][256]float32, set.Channels)}
	for c, mean := range set.Mean {
		inv := 1 / set.Std[c]
		for v := range s.values[c] {
			s.values[c][v] = (float32(v) - mean) * inv
		}
	}
	return s
}

// image writes example i of a split, planes of bytes, seen as v, to place b of a
// batch, where the channels come last.
func (s *source) image(images []float32, b int, split dataset.Split, i int, v view) {
	h, w, channels := s.set.H, s.set.W, len(s.values)
	size := channels * h * w
	src, dst := split.Pixels[i*size:][:size], images[b*size:][:size]
	lo, hi := max(v.dx, 0), w+min(v.dx, 0) // what a row of the image covers
	for y := range h {
		row := dst[y*w*channels:][:w*channels]
		sy := y - v.dy
		if sy < 0 || sy >= h {
			clear(row)
			continue
		}
		clear(row[:lo*channels])
		clear(row[hi*channels:])
		for c := range s.values {
			from, values := src[(c*h+sy)*w:][:w], &s.values[c]
			at, step := lo-v.dx, 1
			if v.mirror {
				at, step = w-1-at, -1
			}
			for x := lo*channels + c; x < hi*channels; x += channels {
				row[x] = values[from[at]]
				at += step
			}
		}
	}
	for y := max(v.hole.top, 0); y < min(v.hole.bottom, h); y++ {
		if l, r := max(v.hole.left, 0), min(v.hole.right, w); l < r {
			clear(dst[(y*w+l)*channels : (y*w+r)*channels])
		}
	}
}

// plain fills a batch with up to its size of examples of a split, from number
// first on, as they are.
func (s *source) plain(to *batch, split dataset.Split, first, count int) {
	for b := range count {
		s.image(to.images, b, split, first+b, view{})
		to.targets[b] = float32(split.Labels[first+b])
	}
}

// lessons are the batches of a part of the data, by the number of the step. Everything
// random about a batch comes from the seed, the epoch and the position in it, so
// that batches may be made in any order and by any goroutine.
type lessons struct {
	*source
	part        dataset.Split
	stream      string // what the names of the random streams begin with
	settings    Settings
	seed        uint64
	size, steps int // examples of a batch, batches of an epoch
	epoch       int // of order
	order       []int
	mixed       []float32 // memory for images to be mixed
}

// newLessons are those of the training part.
func newLessons(s *source, settings Settings, seed uint64, size int) *lessons {
	return &lessons{source: s, part: s.set.Train, settings: settings, seed: seed, size: size, steps: s.set.Train.Len() / size, epoch: -1}
}

// fill makes the batch of a step, counted from 0 over all epochs. What an epoch
// has more than its batches hold takes part in another epoch.
func (l *lessons) fill(to *batch, step int) {
	examples := l.part.Len()
	if epoch := step / l.steps; epoch != l.epoch {
		l.epoch, l.order = epoch, stream.New(l.seed, l.stream+"order", uint64(epoch)).Perm(examples)
	}
	first := step % l.steps * l.size
	chosen := l.order[first:][:l.size]
	soft := l.settings.Mixup > 0
	for b, i := range chosen {
		var v view
		if l.settings.augments() {
			v = l.settings.draw(stream.New(l.seed, l.stream+"augment", uint64(l.epoch)*uint64(examples)+uint64(first+b)), l.set.H, l.set.W)
		}
		l.image(to.images, b, l.part, i, v)
		if !soft {
			to.targets[b] = float32(l.part.Labels[i])
		}
	}
	if soft {
		l.mix(to, chosen, step)
	}
}

// mix replaces every image and label by a mixture with those of another place; the
// shares are the same for the whole batch.
func (l *lessons) mix(to *batch, chosen []int, step int) {
	r := stream.New(l.seed, l.stream+"mixup", uint64(step))
	share := float32(beta(r, l.settings.Mixup))
	l.mixed = append(l.mixed[:0], to.images...)
	size := len(to.images) / l.size
	smoothing, classes := float32(l.settings.Smoothing), l.set.Classes
	for b, other := range r.Perm(l.size) {
		x, y := to.images[b*size:][:size], l.mixed[other*size:][:size]
		for i := range x {
			x[i] = share*x[i] + (1-share)*y[i]
		}
		row := to.targets[b*classes:][:classes]
		for k := range row {
			row[k] = smoothing / float32(classes)
		}
		row[l.part.Labels[chosen[b]]] += (1 - smoothing) * share
		row[l.part.Labels[chosen[other]]] += (1 - smoothing) * (1 - share)
	}
}

// ahead is how many batches are made before they are needed.
const ahead = 2

// feed makes batches in a goroutine of its own while the network computes.
type feed struct {
	ready chan *batch // in the order of their numbers
	free  chan *batch
	quit  chan struct{}
	done  chan struct{}
}

// newFeed starts to make the batches from number from up to to. Images and targets
// are their sizes in numbers.
func newFeed(from, to, images, targets int, fill func(to *batch, number int)) *feed {
	f := &feed{make(chan *batch, ahead), make(chan *batch, ahead), make(chan struct{}), make(chan struct{})}
	for range ahead {
		f.free <- &batch{make([]float32, images), make([]float32, targets)}
	}
	go func() {
		defer close(f.done)
		for i := from; i < to; i++ {
			select {
			case b := <-f.free:
				fill(b, i)
				f.ready <- b // there is room: it has been taken out of free
			case <-f.quit:
				return
			}
		}
	}()
	return f
}

// next copies the next batch into the memory of a network.
func (f *feed) next(ctx context.Context, images, targets []float32) error {
	select {
	case b := <-f.ready:
		copy(images, b.images)
		copy(targets, b.targets)
		f.free <- b
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the goroutine.
func (f *feed) stop() {
	close(f.quit)
	<-f.done
}
