package kernel

// Recurrent is the geometry of a layer with long short-term memory (Hochreiter and
// Schmidhuber 1997): B sequences of T frames, Units cells.
//
// The states of a layer are maps (B,6*Units,T,1): the input, forget, candidate and
// output gates, the cells and the results, each of Units channels.
type Recurrent struct {
	B, Units, T int
}

// Channels is the number of channels of the states.
func (g Recurrent) Channels() int { return 6 * g.Units }

const unitsPerTask = 16

// step runs f for all units, a few to a task.
func (g Recurrent) step(ws *Workers, f func(unit int)) {
	ws.Run((g.Units+unitsPerTask-1)/unitsPerTask, func(_, task int) {
		for u := task * unitsPerTask; u < min(g.Units, (task+1)*unitsPerTask); u++ {
			f(u)
		}
	})
}

// LSTM computes the states from what the inputs add to the gates, (B,4*Units,T,1),
// and the weights (4*Units,Units) of the results of the frame before.
func LSTM[T Float](ws *Workers, g Recurrent, pre, w, states []T) {
	u, n := g.Units, g.T
	results := buffer[T](ws, 0, slotPartial, 2*g.B*u)
	before, now := results[:g.B*u], results[g.B*u:]
	clear(before)
	for t := range n {
		g.step(ws, func(j int) {
			for b := range g.B {
				at := func(part int) int { return (b*n+t)*6*u + part*u + j }
				gate := func(part int) T {
					return pre[(b*n+t)*4*u+part*u+j] + dot(w[(part*u+j)*u:][:u], before[b*u:][:u])
				}
				in, forget, candidate, out := sigmoid(gate(0)), sigmoid(gate(1)), tanh(gate(2)), sigmoid(gate(3))
				cell := in * candidate
				if t > 0 {
					cell += forget * states[at(4)-6*u]
				}
				now[b*u+j] = out * tanh(cell)
				states[at(0)], states[at(1)], states[at(2)], states[at(3)] = in, forget, candidate, out
				states[at(4)], states[at(5)] = cell, now[b*u+j]
			}
		})
		before, now = now, before
	}
}

// LSTMGradInput computes the gradient of what the inputs add to the gates from
// that of the results, which is the last part of dstates; the others are not read.
func LSTMGradInput[T Float](ws *Workers, g Recurrent, w, states, dstates, dpre []T) {
	u, n := g.Units, g.T
	turned := buffer[T](ws, 0, slotWeights, 4*u*u)
	for r := range 4 * u {
		for j, v := range w[r*u:][:u] {
			turned[j*4*u+r] = v
		}
	}
	grads := buffer[T](ws, 0, slotPartial, 9*g.B*u)
	after, now, cells := grads[:4*g.B*u], grads[4*g.B*u:8*g.B*u], grads[8*g.B*u:]
	clear(after)
	clear(cells)
	for t := n - 1; t >= 0; t-- {
		g.step(ws, func(j int) {
			for b := range g.B {
				state := func(part int) T { return states[(b*n+t)*6*u+part*u+j] }
				in, forget, candidate, out, cell := state(0), state(1), state(2), state(3), tanh(state(4))
				dh := dstates[(b*n+t)*6*u+5*u+j] + dot(turned[j*4*u:][:4*u], after[b*4*u:][:4*u])
				dc := cells[b*u+j] + dh*out*(1-cell*cell)
				var old T
				if t > 0 {
					old = states[(b*n+t-1)*6*u+4*u+j]
				}
				cells[b*u+j] = dc * forget
				for part, d := range [4]T{dc * candidate * in * (1 - in), dc * old * forget * (1 - forget),
					dc * in * (1 - candidate*candidate), dh * cell * out * (1 - out)} {
					now[b*4*u+part*u+j] = d
					dpre[(b*n+t)*4*u+part*u+j] = d
				}
			}
		})
		after, now = now, after
	}
}

// LSTMGradWeight computes the gradient of the weights from that of the gates.
func LSTMGradWeight[T Float](ws *Workers, g Recurrent, states, dpre, dw []T) {
	u, n := g.Units, g.T
	if n == 1 {
		clear(dw)
		return
	}
	shares(ws, 4*u, func(worker, from, count int) {
		for b := range g.B {
			after := dense(dpre[b*n*4*u:], n, 4*u).part(1, n-1, from, count)
			before := dense(states[b*n*6*u:], n, 6*u).part(0, n-1, 5*u, u)
			product(ws, worker, 1, after.turned(), before, dense(dw, 4*u, u).part(from, count, 0, u), b > 0)
		}
	})
}
