package oneshot

import (
	"math"
	"math/rand/v2"
)

// Sigmoid is the relaxation of Fair DARTS (Chu, Zhou, Zhang and Li, ECCV 2020): each
// candidate has a weight of its own, the sigmoid of its parameter, so that candidates do
// not compete; the absent one has none. zeroOne times -mean((weight - 0.5)^2) over all
// weights is added to the loss, which draws them to zero or one; 10 in the paper.
func Sigmoid(zeroOne float64) Relaxation { return sigmoided{Each(sigmoid{}), zeroOne} }

type sigmoidParams struct {
	ZeroOne float64 `default:"10" min:"0" doc:"factor of the zero-one loss of sigmoid"`
}

func newSigmoid(p sigmoidParams) (Relaxation, error) { return Sigmoid(p.ZeroOne), nil }

type sigmoided struct {
	Relaxation
	zeroOne float64
}

// Unbounded marks that the weights of a decision do not add up to one.
func (sigmoided) Unbounded() {}

// Penalty implements [Regulariser].
func (s sigmoided) Penalty(l *Layout, p Params, _ Moment) (float64, Params) {
	n, sum := 0, 0.0
	grad := zerosLike(p)
	for i, d := range l.Decisions {
		for k, v := range p[i] {
			if d.Options[k].Absent {
				continue
			}
			w := sigmoidOf(v)
			n++
			sum += (w - 0.5) * (w - 0.5)
			grad[i][k] = -2 * (w - 0.5) * w * (1 - w)
		}
	}
	if n == 0 {
		return 0, grad
	}
	factor := s.zeroOne / float64(n)
	for i := range grad {
		for k := range grad[i] {
			grad[i][k] *= factor
		}
	}
	return -factor * sum, grad
}

type sigmoid struct{}

func (sigmoid) Init(d Decision, rng *rand.Rand) []float64 { return Small(d, rng) }

func (s sigmoid) Draw(d Decision, p []float64, _ Moment, _ *rand.Rand) ([]float64, func([]float64) []float64) {
	w := s.Mean(d, p)
	return w, func(grad []float64) []float64 {
		out := make([]float64, len(w))
		for i := range w {
			if !d.Options[i].Absent {
				out[i] = grad[i] * w[i] * (1 - w[i])
			}
		}
		return out
	}
}

func (sigmoid) Mean(d Decision, p []float64) []float64 {
	w := make([]float64, len(p))
	for i, v := range p {
		if !d.Options[i].Absent {
			w[i] = sigmoidOf(v)
		}
	}
	return w
}

func sigmoidOf(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
