package supernet

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"gorgonia.org/tensor"
)

// Relax returns a supernet of another relaxation of the same space, with the options,
// the weights and the position of n, which stays as it is; it may take so many bytes of
// memory, 0 being any. Tensors go over by name:
//
//   - of the same shape, with what the optimizer remembers of them;
//   - where it has more channels, widened (Chen, Goodfellow and Shlens, "Net2Net", ICLR
//     2016): channel i of n is channels i, i+c, i+2c … of the new tensor, of n's c
//     channels, and weights that read them are divided by how many there are of each.
//     So an operation whose new input channels repeat the old ones gives the old output,
//     repeated. Running statistics are repeated as well. What the optimizer remembers of
//     a widened tensor is forgotten, since it was gathered at other weights;
//   - any other, and those that n has not, start afresh.
//
// Where 1/K of the channels went through candidates and 1/k do now, those that now do
// are no copies of the others but went past them before; the network does not stay
// the same function, but every filter goes on from what it has learned.
func (n *Supernet) Relax(s *lower.Supernet, memory int64) (*Supernet, error) {
	o := n.options
	o.Channels, o.EdgeWeights, o.MemoryLimit = 0, false, memory // as s says
	out, err := New(s, n.engine.Workers, o)
	if err != nil {
		return nil, err
	}
	out.steps, out.engine.Step = n.steps, n.engine.Step
	from, to := n.engine.weights, out.engine.weights
	for name, x := range to.byName {
		old := from.byName[name]
		if old == nil {
			continue
		}
		data, was := x.Value().Data().([]float32), old.Value().Data().([]float32)
		if x.Shape().Eq(old.Shape()) {
			copy(data, was)
		} else {
			widen(data, x.Shape(), was, old.Shape())
		}
	}
	for name, r := range to.running {
		if old := from.running[name]; old != nil && len(r.Mean) >= len(old.Mean) {
			for i := range r.Mean {
				r.Mean[i], r.Var[i] = old.Mean[i%len(old.Mean)], old.Var[i%len(old.Mean)]
			}
		}
	}
	places := map[string]int{}
	for i, p := range n.engine.params {
		places[p.Name()] = i
	}
	now, before := out.optimizer.State(), n.optimizer.State()
	for i, p := range out.engine.params {
		k, ok := places[p.Name()]
		if !ok || !p.Shape().Eq(n.engine.params[k].Shape()) {
			continue
		}
		now.Steps[i] = before.Steps[k]
		for s := range now.Slots {
			copy(now.Slots[s][i], before.Slots[s][k])
		}
	}
	return out, nil
}

// inputs is the dimension of a tensor of weights that runs over what it reads:
// (out,in), (out,in,k,k).
const inputs = 1

// widen fills a tensor of a larger shape from one of a smaller; a shape that is not
// larger leaves it as it is.
func widen(to []float32, shape tensor.Shape, from []float32, old tensor.Shape) {
	if len(shape) != len(old) {
		return
	}
	for d := range shape {
		if shape[d] < old[d] {
			return
		}
	}
	at := make([]int, len(shape)) // the place in to, by dimension
	for i := range to {
		source, copies := 0, 1
		for d, k := range at {
			source = source*old[d] + k%old[d]
			if d == inputs {
				k %= old[d]
				copies = (shape[d] - k + old[d] - 1) / old[d]
			}
		}
		to[i] = from[source] / float32(copies)
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
}
