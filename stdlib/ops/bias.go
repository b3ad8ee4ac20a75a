package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

// bias adds a learned number per channel.
func (s *Site) bias(name string, x *gorgonia.Node) (*gorgonia.Node, error) {
	n, ws, in := s.Network, s.Workers, x.Shape()
	c := in[1]
	pixels := in.TotalSize() / c
	v, err := s.Params.Learn(s.Address+"/"+name+".bias", Init{}, c)
	if err != nil {
		return nil, err
	}
	return n.apply(spec{
		name: "bias", shape: in, inPlace: 1,
		loops: loops{addBias[float32](ws, pixels, c), addBias[float64](ws, pixels, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			db, err := n.apply(spec{name: "bias/db", linear: last, shape: in[1].Shape(),
				loops: loops{biasGrad[float32](ws, pixels, c), biasGrad[float64](ws, pixels, c)}}, grad)
			return gorgonia.Nodes{grad, db}, err
		},
	}, x, v)
}

func addBias[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.Bias(ws, pixels, c, in[0], in[1], y) }
}

func biasGrad[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, db []T) { kernel.BiasGrad(ws, pixels, c, in[0], db) }
}
