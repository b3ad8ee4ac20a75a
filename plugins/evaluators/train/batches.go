package train

import (
	"math/rand/v2"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
)

// batches turns examples into network input: pixel values less the mean over the
// standard deviation of their channel in the training part.
type batches struct {
	set   *dataset.Set
	flip  bool
	shift int // largest random translation in pixels
}

// load writes example i of a split to place b of the network's batch.
func (s batches) load(n *network, split dataset.Split, b, i int) {
	size := s.set.Channels * s.set.H * s.set.W
	src, dst := split.Pixels[i*size:][:size], n.images[b*size:][:size]
	area := s.set.H * s.set.W
	for c, mean := range s.set.Mean {
		inv := 1 / s.set.Std[c]
		for p, v := range src[c*area:][:area] {
			dst[c*area+p] = (float32(v) - mean) * inv
		}
	}
	n.labels[b] = float32(split.Labels[i])
}

// augment mirrors and moves the image at place b at random; what comes in from
// outside is the mean.
func (s batches) augment(n *network, b int, r *rand.Rand) {
	mirror := s.flip && r.IntN(2) == 0
	var dx, dy int
	if s.shift > 0 {
		dx, dy = r.IntN(2*s.shift+1)-s.shift, r.IntN(2*s.shift+1)-s.shift
	}
	h, w := s.set.H, s.set.W
	for c := range s.set.Channels {
		plane := n.images[(b*s.set.Channels+c)*h*w:][:h*w]
		if mirror {
			for y := range h {
				row := plane[y*w:][:w]
				for i, j := 0, w-1; i < j; i, j = i+1, j-1 {
					row[i], row[j] = row[j], row[i]
				}
			}
		}
		if dx != 0 || dy != 0 {
			translate(plane, h, w, dy, dx)
		}
	}
}

// translate moves a plane in place by dy rows and dx columns.
func translate(plane []float32, h, w, dy, dx int) {
	for i := range h {
		y := i
		if dy > 0 {
			y = h - 1 - i // from the bottom, so that nothing is read after it is written
		}
		row := plane[y*w:][:w]
		from := y - dy
		if from < 0 || from >= h {
			clear(row)
			continue
		}
		copy(row[max(dx, 0):], plane[from*w:][max(-dx, 0):w-max(dx, 0)])
		if dx > 0 {
			clear(row[:min(dx, w)])
		} else {
			clear(row[max(w+dx, 0):])
		}
	}
}
