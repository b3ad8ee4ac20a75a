package optim

import "math"

// Shape is the way a learning rate takes.
type Shape int

// The shapes; i is the number of a step after the warm-up, from 0, of n.
const (
	Constant Shape = iota
	Cosine         // half a cosine down to Last: Last + (Rate-Last)*(1+cos(π*i/n))/2 (Loshchilov and Hutter 2017)
	Linear         // a straight line down to Last: Rate + (Last-Rate)*i/n
	Stairs         // Rate * Factor^⌊i/Every⌋
)

// Schedule is the learning rate of every step of a training.
type Schedule struct {
	Shape  Shape
	Rate   float64 // of the first step after the warm-up
	Last   float64 // cosine, linear: what the step after the last would have
	Steps  int     // of the training, the warm-up among them
	Warmup int     // steps before the shape begins, in which the rate rises in a straight line
	Every  int     // stairs: steps on one height, at least 1
	Factor float64 // stairs: one height over the one before
}

// At is the learning rate of step i, from 0. In the warm-up it is Rate*(i+1)/(Warmup+1).
func (s Schedule) At(i int) float64 {
	if i < s.Warmup {
		return s.Rate * float64(i+1) / float64(s.Warmup+1)
	}
	i -= s.Warmup
	done := float64(i) / float64(max(s.Steps-s.Warmup, 1))
	switch s.Shape {
	case Cosine:
		return s.Last + (s.Rate-s.Last)*(1+math.Cos(math.Pi*done))/2
	case Linear:
		return s.Rate + (s.Last-s.Rate)*done
	case Stairs:
		return s.Rate * math.Pow(s.Factor, float64(i/s.Every))
	}
	return s.Rate
}
