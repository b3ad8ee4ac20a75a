package optim

import "math"

// RMSProp divides the gradient by a running mean of its magnitude (Tieleman and
// Hinton 2012), with momentum and coupled weight decay:
//
//	g  = gradient + decay*w
//	s  = alpha*s + (1-alpha)*g²
//	v  = momentum*v + g/(√s + epsilon)
//	w -= rate * v
type RMSProp struct {
	Alpha       float64 // in [0,1), 0.99 in PyTorch
	Epsilon     float64 // above 0, 1e-8 in PyTorch
	Momentum    float64 // in [0,1)
	WeightDecay float64
}

// Slots is one for the mean of squares and one for the velocity, if there is
// momentum.
func (r RMSProp) Slots() int {
	if r.Momentum == 0 {
		return 1
	}
	return 2
}

func (r RMSProp) move(_ uint64, rate float64, w, g []float32, slots [][]float32) {
	step, decay, momentum := float32(rate), float32(r.WeightDecay), float32(r.Momentum)
	alpha, rest, epsilon := float32(r.Alpha), float32(1-r.Alpha), float32(r.Epsilon)
	g = g[:len(w)]
	squares := slots[0][:len(w)]
	if len(slots) == 1 {
		for i := range w {
			d := g[i] + decay*w[i]
			squares[i] = alpha*squares[i] + rest*d*d
			w[i] -= step * d / (sqrt(squares[i]) + epsilon)
		}
		return
	}
	v := slots[1][:len(w)]
	for i := range w {
		d := g[i] + decay*w[i]
		squares[i] = alpha*squares[i] + rest*d*d
		v[i] = momentum*v[i] + d/(sqrt(squares[i])+epsilon)
		w[i] -= step * v[i]
	}
}

// sqrt is a single instruction.
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }
