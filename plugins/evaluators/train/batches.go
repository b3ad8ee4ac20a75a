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

// load writes example i of a split, planes of bytes, to place b of the network's
// batch, where the channels come last.
func (s batches) load(n *network, split dataset.Split, b, i int) {
	channels, area := s.set.Channels, s.set.H*s.set.W
	src, dst := split.Pixels[i*channels*area:][:channels*area], n.images[b*channels*area:][:channels*area]
	for c, mean := range s.set.Mean {
		inv := 1 / s.set.Std[c]
		for p, v := range src[c*area:][:area] {
			dst[p*channels+c] = (float32(v) - mean) * inv
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
	channels, h, w := s.set.Channels, s.set.H, s.set.W
	image := n.images[b*channels*h*w:][:channels*h*w]
	if mirror {
		for y := range h {
			row := image[y*w*channels:][:w*channels]
			for i, j := 0, (w-1)*channels; i < j; i, j = i+channels, j-channels {
				for c := range channels {
					row[i+c], row[j+c] = row[j+c], row[i+c]
				}
			}
		}
	}
	if dx != 0 || dy != 0 {
		translate(image, h, w*channels, dy, dx*channels)
	}
}

// translate moves h rows of w numbers in place by dy rows and dx numbers.
func translate(image []float32, h, w, dy, dx int) {
	for i := range h {
		y := i
		if dy > 0 {
			y = h - 1 - i // from the bottom, so that nothing is read after it is written
		}
		row := image[y*w:][:w]
		from := y - dy
		if from < 0 || from >= h {
			clear(row)
			continue
		}
		copy(row[max(dx, 0):], image[from*w:][max(-dx, 0):w-max(dx, 0)])
		if dx > 0 {
			clear(row[:min(dx, w)])
		} else {
			clear(row[max(w+dx, 0):])
		}
	}
}
