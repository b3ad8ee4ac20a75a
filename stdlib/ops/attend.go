package ops

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("attend", 3, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		q := in[0].Shape()
		for _, x := range in[1:] {
			if !x.Shape().Eq(q) {
				return nil, fmt.Errorf("maps of shapes %v and %v", q[1:], x.Shape()[1:])
			}
		}
		return s.attend(kernel.Attention{B: q[0], Heads: 1, Width: q[1], N: q[2] * q[3]}, in[0], in[1], in[2])
	})
}

// tables are the learned vectors for relative places of tokens, by rows and by
// columns; none without a reach.
type tables [2]*gorgonia.Node

// attend adds scaled dot-product attention. Keys and values each may have tables.
func (s *Site) attend(g kernel.Attention, q, k, v *gorgonia.Node, relative ...tables) (*gorgonia.Node, error) {
	a := attention{s.Network, g, [2][]int{}}
	var forKeys, forValues gorgonia.Nodes
	if len(relative) == 2 {
		a.places[0], a.places[1] = g.Places()
		forKeys, forValues = relative[0][:], relative[1][:]
	}
	scores, err := a.scores(1/math.Sqrt(float64(g.Width)), q, k, forKeys)
	if err != nil {
		return nil, err
	}
	weights, err := s.softmax(scores, g.N)
	if err != nil {
		return nil, err
	}
	return a.mix(1, weights, v, q.Shape(), forValues)
}

// attention builds the two products of attention, each of which is the gradient of
// the other. Weights of pairs of tokens are (B,Heads,N,N).
type attention struct {
	*Network
	kernel.Attention
	places [2][]int
}

// scores adds scale * q[i]·(k[j] + vectors) for all pairs.
func (a attention) scores(scale float64, q, k *gorgonia.Node, vectors gorgonia.Nodes) (*gorgonia.Node, error) {
	return a.apply(spec{
		name: "attention/scores", linear: 1, shape: tensor.Shape{a.B, a.Heads, a.N, a.N},
		loops: loops{attentionScores[float32](a, scale), attentionScores[float64](a, scale)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			dq, err := a.mix(scale, grad, in[1], in[0].Shape(), in[2:])
			if err != nil {
				return nil, err
			}
			return a.others(scale, grad, in[0], dq, in[1], in[2:])
		},
	}, append(gorgonia.Nodes{q, k}, vectors...)...)
}

// mix adds scale * the sum over j of s[i,j] * (v[j] + vectors) for every token.
func (a attention) mix(scale float64, s, v *gorgonia.Node, shape tensor.Shape, vectors gorgonia.Nodes) (*gorgonia.Node, error) {
	return a.apply(spec{
		name: "attention/mix", linear: 1, shape: shape,
		loops: loops{attentionMix[float32](a, scale), attentionMix[float64](a, scale)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			ds, err := a.scores(scale, grad, in[1], in[2:])
			if err != nil {
				return nil, err
			}
			return a.others(scale, in[0], grad, ds, in[1], in[2:])
		},
	}, append(gorgonia.Nodes{s, v}, vectors...)...)
}

// others adds to the gradient of the first operand those of the second and of the
// vectors, from weights s and maps q.
func (a attention) others(scale float64, s, q, first, second *gorgonia.Node, vectors gorgonia.Nodes) (gorgonia.Nodes, error) {
	d, err := a.apply(spec{name: "attention/gather", linear: last, shape: second.Shape(),
		loops: loops{attentionGather[float32](a, scale), attentionGather[float64](a, scale)}}, s, q)
	grads := gorgonia.Nodes{first, d}
	for i, v := range vectors {
		if err != nil {
			return nil, err
		}
		d, err = a.apply(spec{name: "attention/table", linear: last, shape: v.Shape(),
			loops: loops{attentionTable[float32](a, scale, i), attentionTable[float64](a, scale, i)}}, s, q)
		grads = append(grads, d)
	}
	return grads, err
}

// vectorTables pairs the operands after the second with the places they are for.
func vectorTables[T kernel.Float](a attention, in [][]T) []kernel.Table[T] {
	var all []kernel.Table[T]
	for i, v := range in[2:] {
		all = append(all, kernel.Table[T]{Vectors: v, Places: a.places[i]})
	}
	return all
}

func attentionScores[T kernel.Float](a attention, scale float64) func([][]T, []T) {
	return func(in [][]T, s []T) {
		kernel.AttentionScores(a.Workers, a.Attention, T(scale), in[0], in[1], vectorTables(a, in), s)
	}
}

func attentionMix[T kernel.Float](a attention, scale float64) func([][]T, []T) {
	return func(in [][]T, y []T) {
		kernel.AttentionMix(a.Workers, a.Attention, T(scale), in[0], in[1], vectorTables(a, in), y)
	}
}

func attentionGather[T kernel.Float](a attention, scale float64) func([][]T, []T) {
	return func(in [][]T, d []T) {
		kernel.AttentionGather(a.Workers, a.Attention, T(scale), in[0], in[1], d)
	}
}

func attentionTable[T kernel.Float](a attention, scale float64, i int) func([][]T, []T) {
	return func(in [][]T, d []T) {
		kernel.AttentionGradTable(a.Workers, a.Attention, T(scale), in[0], in[1], a.places[i], d)
	}
}
