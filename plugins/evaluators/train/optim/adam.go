package optim

import "math"

// Adam moves by a running mean of the gradient over the root of one of its square,
// both freed from their start at zero (Kingma and Ba 2015):
//
//	g  = gradient + decay*w                        (not when decoupled)
//	m  = beta1*m + (1-beta1)*g
//	s  = beta2*s + (1-beta2)*g²
//	w -= rate*decay*w                              (when decoupled)
//	w -= rate/(1-beta1^t) * m / (√s/√(1-beta2^t) + epsilon)
//
// Decoupled weight decay makes it AdamW (Loshchilov and Hutter 2019).
type Adam struct {
	Beta1, Beta2 float64 // in [0,1), 0.9 and 0.999 in PyTorch
	Epsilon      float64 // above 0, 1e-8 in PyTorch
	WeightDecay  float64
	Decoupled    bool
}

// Slots is two, for the means of gradient and square.
func (Adam) Slots() int { return 2 }

func (r Adam) move(t uint64, rate float64, w, g []float32, slots [][]float32) {
	beta1, rest1 := float32(r.Beta1), float32(1-r.Beta1)
	beta2, rest2 := float32(r.Beta2), float32(1-r.Beta2)
	step := float32(rate / (1 - math.Pow(r.Beta1, float64(t))))
	root, epsilon := float32(math.Sqrt(1-math.Pow(r.Beta2, float64(t)))), float32(r.Epsilon)
	coupled, shrink := float32(r.WeightDecay), float32(1)
	if r.Decoupled {
		coupled, shrink = 0, float32(1-rate*r.WeightDecay)
	}
	g = g[:len(w)]
	mean, squares := slots[0][:len(w)], slots[1][:len(w)]
	for i := range w {
		d := g[i] + coupled*w[i]
		mean[i] = beta1*mean[i] + rest1*d
		squares[i] = beta2*squares[i] + rest2*d*d
		w[i] = shrink*w[i] - step*mean[i]/(sqrt(squares[i])/root+epsilon)
	}
}
