package ops

import (
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Norm says which statistics batch norm uses.
type Norm int

const (
	// UsualNorm uses those of the batch in training, where they also move the
	// running ones with momentum 0.1, and the running ones in evaluation.
	UsualNorm Norm = iota
	// BatchNorm uses those of the batch in evaluation as well, which leaves the
	// running ones as they are: they mean nothing for a path of a supernet.
	BatchNorm
	// RecalibrateNorm uses those of the batch, and makes the running ones their
	// mean over the batches since [Running.Reset].
	RecalibrateNorm
)

// Normalization is one batch norm of a network.
type Normalization struct {
	network *Network
	running *Running
	pixels  int
}

// OfBatch reports whether it uses the statistics of the batch now.
func (z *Normalization) OfBatch() bool { return z.network.Training || z.network.Norm != UsualNorm }

// Settle writes the statistics, means and then inverse deviations. If they are those
// of the batch, its means and biased variances are there already, and the running
// ones move.
func Settle[T kernel.Float](z *Normalization, stats []T) {
	run, c := z.running, len(stats)/2
	mean, inv := stats[:c], stats[c:]
	if !z.OfBatch() {
		for i := range c {
			mean[i], inv[i] = T(run.Mean[i]), T(1/math.Sqrt(run.Var[i]+normEpsilon))
		}
		return
	}
	momentum := 0.0
	switch {
	case z.network.Norm == RecalibrateNorm:
		run.batches++
		momentum = 1 / float64(run.batches)
	case z.network.Training:
		momentum = normMomentum
	}
	count := float64(z.pixels)
	for i := range c {
		v := float64(inv[i])
		inv[i] = T(1 / math.Sqrt(v+normEpsilon))
		run.Mean[i] += momentum * (float64(mean[i]) - run.Mean[i])
		run.Var[i] += momentum * (v*count/max(count-1, 1) - run.Var[i])
	}
}

// Running are the statistics that batch norm gathers in training and uses in
// evaluation. They start at mean 0 and variance 1; variances are unbiased.
type Running struct {
	Mean, Var []float64
	batches   int // seen in recalibration
}

// NewRunning returns fresh statistics.
func NewRunning(channels int) *Running {
	r := &Running{Mean: make([]float64, channels), Var: make([]float64, channels)}
	r.Reset()
	return r
}

// Reset makes the statistics as they were at the start, for a recalibration.
func (r *Running) Reset() {
	clear(r.Mean)
	for i := range r.Var {
		r.Var[i] = 1
	}
	r.batches = 0
}
