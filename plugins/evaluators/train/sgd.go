package train

import "math"

// sgd is stochastic gradient descent with momentum, Nesterov's form of it, and
// weight decay coupled to the gradient, step for step as PyTorch's:
//
//	g   = gradient + decay*w
//	buf = momentum*buf + g        (the first time buf = g)
//	w  -= rate * (g + momentum*buf)
type sgd struct {
	momentum, decay float32
	buffers         [][]float32
}

// step moves the parameters.
func (o *sgd) step(params, grads [][]float32, rate float32) {
	first := o.buffers == nil
	if first {
		for _, p := range params {
			o.buffers = append(o.buffers, make([]float32, len(p)))
		}
	}
	for k, w := range params {
		buf, grad := o.buffers[k][:len(w)], grads[k][:len(w)]
		for i := range w {
			g := grad[i] + o.decay*w[i]
			if first {
				buf[i] = g
			} else {
				buf[i] = o.momentum*buf[i] + g
			}
			w[i] -= rate * (g + o.momentum*buf[i])
		}
	}
}

// clip scales the gradients so that the norm of all together is at most limit.
func clip(grads [][]float32, limit float64) {
	var squares float64
	for _, g := range grads {
		for _, v := range g {
			squares += float64(v) * float64(v)
		}
	}
	if norm := math.Sqrt(squares); norm > limit {
		f := float32(limit / norm)
		for _, g := range grads {
			for i := range g {
				g[i] *= f
			}
		}
	}
}

// cosine is the learning rate of step i of n: half a cosine from first down to,
// but not quite at, last (Loshchilov and Hutter 2017, without restarts).
func cosine(first, last float64, i, n int) float64 {
	return last + (first-last)*(1+math.Cos(math.Pi*float64(i)/float64(n)))/2
}
