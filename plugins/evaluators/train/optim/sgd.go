package optim

// SGD is stochastic gradient descent with momentum and weight decay that is
// coupled to the gradient:
//
//	g  = gradient + decay*w
//	v  = momentum*v + g            (v = g in the first step, since it starts at 0)
//	w -= rate * v                  (Nesterov: rate * (g + momentum*v))
type SGD struct {
	Momentum    float64 // in [0,1)
	Nesterov    bool    // look ahead by the momentum (Sutskever et al. 2013)
	WeightDecay float64
}

// Slots is one for the velocity, none without momentum.
func (r SGD) Slots() int {
	if r.Momentum == 0 {
		return 0
	}
	return 1
}

func (r SGD) move(_ uint64, rate float64, w, g []float32, slots [][]float32) {
	step, momentum, decay := float32(rate), float32(r.Momentum), float32(r.WeightDecay)
	g = g[:len(w)]
	if len(slots) == 0 {
		for i := range w {
			w[i] -= step * (g[i] + decay*w[i])
		}
		return
	}
	v := slots[0][:len(w)]
	if r.Nesterov {
		for i := range w {
			d := g[i] + decay*w[i]
			v[i] = momentum*v[i] + d
			w[i] -= step * (d + momentum*v[i])
		}
		return
	}
	for i := range w {
		v[i] = momentum*v[i] + (g[i] + decay*w[i])
		w[i] -= step * v[i]
	}
}
