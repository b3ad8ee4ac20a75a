package oneshot

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// lstm is layers of long short-term memory (Hochreiter and Schmidhuber, Neural
// Computation 1997), one above the other, each with n units and n inputs. Its
// weights are a part of the vector that the controller learns.
type lstm struct {
	n, layers int
}

// size is how many weights it has: for each layer a matrix (4n, 2n) of the gates by
// the input and the state, and 4n biases.
func (l lstm) size() int { return l.layers * 4 * l.n * (2*l.n + 1) }

// moment is what one step of one layer has computed.
type moment struct {
	in    []float64 // input and state before, (2n)
	gates []float64 // input, forget and output gate and candidate, after their functions, (4n)
	c0, c []float64 // memory before and after
	h     []float64 // state
}

func (l lstm) layer(w []float64, k int) (matrix, bias []float64) {
	size := 4 * l.n * (2*l.n + 1)
	w = w[k*size : (k+1)*size]
	return w[:8*l.n*l.n], w[8*l.n*l.n:]
}

// step feeds x through all layers. before is the last step, nil at the beginning.
func (l lstm) step(w []float64, x []float64, before []moment) []moment {
	out := make([]moment, l.layers)
	for k := range out {
		m := moment{in: make([]float64, 2*l.n), gates: make([]float64, 4*l.n),
			c0: make([]float64, l.n), c: make([]float64, l.n), h: make([]float64, l.n)}
		copy(m.in, x)
		if before != nil {
			copy(m.in[l.n:], before[k].h)
			copy(m.c0, before[k].c)
		}
		matrix, bias := l.layer(w, k)
		for i := range m.gates {
			z := bias[i] + floats.Dot(matrix[i*2*l.n:(i+1)*2*l.n], m.in)
			if i < 3*l.n {
				m.gates[i] = 1 / (1 + math.Exp(-z))
			} else {
				m.gates[i] = math.Tanh(z)
			}
		}
		for i := range l.n {
			m.c[i] = m.gates[l.n+i]*m.c0[i] + m.gates[i]*m.gates[3*l.n+i]
			m.h[i] = m.gates[2*l.n+i] * math.Tanh(m.c[i])
		}
		out[k] = m
		x = m.h
	}
	return out
}

// carry is the gradient that goes from one step to the one before.
type carry struct{ h, c [][]float64 } // (layers, n)

func (l lstm) none() carry {
	var b carry
	for range l.layers {
		b.h, b.c = append(b.h, make([]float64, l.n)), append(b.c, make([]float64, l.n))
	}
	return b
}

// back adds to dw the gradient of the weights, where top is that of the state of the
// last layer and later what came from the step after this one. It returns the
// gradient of the input and what goes to the step before.
func (l lstm) back(w, dw []float64, step []moment, top []float64, later carry) (dx []float64, earlier carry) {
	earlier = l.none()
	above := top
	for k := l.layers - 1; k >= 0; k-- {
		m := step[k]
		din := make([]float64, 2*l.n)
		matrix, _ := l.layer(w, k)
		dmatrix, dbias := l.layer(dw, k)
		for i := range l.n {
			dh := above[i] + later.h[k][i]
			t := math.Tanh(m.c[i])
			in, forget, out, candidate := m.gates[i], m.gates[l.n+i], m.gates[2*l.n+i], m.gates[3*l.n+i]
			dc := later.c[k][i] + dh*out*(1-t*t)
			earlier.c[k][i] = dc * forget
			for g, dz := range [4]float64{
				dc * candidate * in * (1 - in),
				dc * m.c0[i] * forget * (1 - forget),
				dh * t * out * (1 - out),
				dc * in * (1 - candidate*candidate),
			} {
				row := g*l.n + i
				dbias[row] += dz
				floats.AddScaled(dmatrix[row*2*l.n:(row+1)*2*l.n], dz, m.in)
				floats.AddScaled(din, dz, matrix[row*2*l.n:(row+1)*2*l.n])
			}
		}
		copy(earlier.h[k], din[l.n:])
		above = din[:l.n]
	}
	return above, earlier
}
