package ops

import (
	"fmt"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Weight is one number of the vectors of mixture weights.
type Weight struct{ Vector, Index int }

// Factors says what the factor of each term of a mixture is: the product of the
// weights listed for it.
type Factors [][]Weight

// Mixture adds the sum of terms of one shape, each times the product of its
// weights, numbers of the vectors. The gradient reaches the terms and the vectors;
// for a term whose factor is zero, that of its weights is zero, and whatever only
// feeds it need not be computed. Absent terms cost nothing.
func (n *Network) Mixture(terms []*gorgonia.Node, weights [][]Weight, vectors []*gorgonia.Node) (*gorgonia.Node, error) {
	if len(terms) == 0 || len(terms) != len(weights) {
		return nil, fmt.Errorf("%d terms with the weights of %d", len(terms), len(weights))
	}
	var present []*gorgonia.Node
	var of Factors
	for i, x := range terms {
		if !x.Shape().Eq(terms[0].Shape()) {
			return nil, fmt.Errorf("terms of shapes %v and %v", terms[0].Shape()[1:], x.Shape()[1:])
		}
		for _, w := range weights[i] {
			if w.Vector >= len(vectors) || w.Index >= vectors[w.Vector].Shape().TotalSize() {
				return nil, fmt.Errorf("no weight %d in vector %d", w.Index, w.Vector)
			}
		}
		if !isZero(x) {
			present, of = append(present, x), append(of, weights[i])
		}
	}
	if len(present) == 0 {
		return terms[0], nil
	}
	factors, err := n.factors(of, vectors)
	if err != nil {
		return nil, err
	}
	ws, shape := n.Workers, terms[0].Shape()
	return n.apply(spec{
		name: "mixture", what: Mixed{}, shape: shape,
		loops: loops{mix[float32](ws), mix[float64](ws)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			k := len(in) - 1
			grads := make(gorgonia.Nodes, len(in))
			for i := range k {
				var err error
				if grads[i], err = n.apply(spec{name: "mixture/dx", what: MixedGrad{i}, linear: 1, shape: shape,
					loops: loops{mixGrad[float32](ws, i), mixGrad[float64](ws, i)}}, grad, in[k]); err != nil {
					return nil, err
				}
			}
			var err error
			grads[k], err = n.apply(spec{name: "mixture/dots", what: MixedDots{}, linear: last, shape: in[k].Shape(),
				loops: loops{mixDots[float32](ws), mixDots[float64](ws)}}, append(append(gorgonia.Nodes{}, in...), grad)...)
			return grads, err
		},
	}, append(present, factors)...)
}

// factors adds the factor of every term.
func (n *Network) factors(of Factors, vectors []*gorgonia.Node) (*gorgonia.Node, error) {
	return n.apply(spec{
		name: "factors", what: Weights{&of}, shape: tensor.Shape{len(of)},
		loops: loops{multiplyOut[float32](of), multiplyOut[float64](of)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			grads := make(gorgonia.Nodes, len(in))
			for v, x := range in {
				var err error
				if grads[v], err = n.apply(spec{name: "factors/dx", linear: last, shape: x.Shape(),
					loops: loops{factorsGrad[float32](of, v), factorsGrad[float64](of, v)}}, append(append(gorgonia.Nodes{}, in...), grad)...); err != nil {
					return nil, err
				}
			}
			return grads, nil
		},
	}, vectors...)
}

// product multiplies the weights of a term, but for one, if skip is not -1.
func product[T kernel.Float](in [][]T, weights []Weight, skip int) T {
	p := T(1)
	for i, w := range weights {
		if i != skip {
			p *= in[w.Vector][w.Index]
		}
	}
	return p
}

func multiplyOut[T kernel.Float](of Factors) func([][]T, []T) {
	return func(in [][]T, f []T) {
		for t, weights := range of {
			f[t] = product(in, weights, -1)
		}
	}
}

func factorsGrad[T kernel.Float](of Factors, v int) func([][]T, []T) {
	return func(in [][]T, d []T) {
		clear(d)
		grad := in[len(in)-1]
		for t, weights := range of {
			for i, w := range weights {
				if w.Vector == v {
					d[w.Index] += grad[t] * product(in, weights, i)
				}
			}
		}
	}
}

func mix[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, y []T) { k := len(in) - 1; kernel.WeightedSum(ws, in[:k], in[k], y) }
}

func mixGrad[T kernel.Float](ws *kernel.Workers, i int) func([][]T, []T) {
	return func(in [][]T, dx []T) { kernel.Scale(ws, in[1][i], in[0], dx) }
}

func mixDots[T kernel.Float](ws *kernel.Workers) func([][]T, []T) {
	return func(in [][]T, d []T) { k := len(in) - 2; kernel.Dots(ws, in[:k], in[k], in[k+1], d) }
}
