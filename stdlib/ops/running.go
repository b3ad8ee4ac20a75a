package ops

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
