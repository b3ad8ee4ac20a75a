package plugintest

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/runtime/host"
)

// relaxable are the spaces that one-shot optimizers are tried on.
const relaxable = `import { zero, skip, conv_bn_relu, global_pool, linear } from "std/vision"

block edge = zero | skip | conv_bn_relu(kernel: 1) | conv_bn_relu(kernel: 3)

cell every(x) {
    node n[3] = sum(edge(prev))
    return n[2]
}

cell chosen(a, b) {
    node n[3] = sum(edge(2 of prev))
    return sum(n)
}

block step = skip | conv_bn_relu(kernel: 1) | conv_bn_relu(kernel: 3)

/// cells in which every edge has an operation
space edges(image: [3, 8, 8]) -> [10] = image -> conv_bn_relu(out: 8) -> every * 2 -> global_pool -> linear(out: 10)

/// cells that choose their edges
space wiring(image: [3, 8, 8]) -> [10] = image -> conv_bn_relu(out: 8) -> chosen -> global_pool -> linear(out: 10)

/// operations one after another
space chain(image: [3, 8, 8]) -> [10] = image -> conv_bn_relu(out: 8) -> step -> step -> step -> global_pool -> linear(out: 10)
`

// relaxableSpaces compiles them.
func relaxableSpaces() ([]*compiler.Space, map[*compiler.Space]string, error) {
	m, diags := compiler.Load("plugintest.nas", func(string) ([]byte, error) { return []byte(relaxable), nil })
	if diags.HasErrors() {
		return nil, nil, diags.Err()
	}
	var all []*compiler.Space
	docs := map[*compiler.Space]string{}
	for _, name := range []string{"edges", "wiring", "chain"} {
		s, diags := m.Space(name, nil)
		if diags.HasErrors() {
			return nil, nil, diags.Err()
		}
		all = append(all, s)
		docs[s] = m.Doc(name)
	}
	return all, docs, nil
}

// The budget of a synthetic search.
const (
	supernetEpochs = 6
	supernetSteps  = 3 // weight steps of an epoch
	supernetValid  = 2
)

// supernet stands for the evaluator: a supernet with one weight. Its loss is half the sum
// of the squares of what the mixture weights are apart from targets, which the weight
// shifts, and which are others for each batch.
type supernet struct {
	space *compiler.Space
	net   *lower.Supernet // as it is relaxed now
	state supernetState
}

type supernetState struct {
	weight float64
	steps  int
	valid  int // batches of the validation part taken
}

// target is what the mixture weight of an option should be on a batch.
func (n *supernet) target(decision, option, batch int) float64 {
	d := n.net.Decisions[decision]
	h := fnv.New32a()
	fmt.Fprint(h, d.Address, " ", d.Options[option].Label)
	return float64(h.Sum32()%1000)/1000 + 0.01*math.Sin(float64(batch)) + n.state.weight/10
}

// loss is that of a mixture, with its gradient, one decision after another.
func (n *supernet) loss(x [][]float64, batch int) (loss float64, gradient []float64) {
	for i, weights := range x {
		for k, w := range weights {
			apart := w - n.target(i, k, batch)
			loss += apart * apart / 2
			gradient = append(gradient, apart)
		}
	}
	return loss, gradient
}

// answer does what an optimizer calls for.
func (n *supernet) answer(c host.Call) (host.Reply, error) {
	switch c.Kind() {
	case host.WeightStepCall:
		if n.state.steps++; n.state.steps > supernetEpochs*supernetSteps {
			return host.Reply{}, fmt.Errorf("it wants more weight steps than the %d of its budget of %d epochs", supernetEpochs*supernetSteps, supernetEpochs)
		}
		loss, _ := n.loss(c.Mixtures()[0], n.state.steps)
		n.state.weight += loss / 100
		return host.Stepped(loss), nil
	case host.ArchGradientCall:
		n.state.valid++
		return host.Descending(n.loss(c.Mixtures()[0], n.state.valid)), nil
	case host.ScoreCall:
		var values []float64
		for _, x := range c.Mixtures() {
			loss, _ := n.loss(x, 0)
			values = append(values, 1/(1+loss))
		}
		return host.Scored(values), nil
	case host.RelaxCall:
		other, err := n.net.Relax(c.Relaxation())
		if err != nil {
			return host.Refused(err), nil
		}
		n.net = other
		return host.Relaxed(other), nil
	}
	return host.Checked(admissible(n.space, c.Genotypes())), nil
}

// admissible are architectures that lie in the space.
func admissible(s *compiler.Space, all []space.Genotype) []bool {
	out := make([]bool, len(all))
	for i, g := range all {
		out[i] = s.Check(g) == nil
	}
	return out
}
