package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("layer_norm", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.layerNorm(in[0], 1e-5)
	})
}

// layerNorm normalises the channels of every position, with a scale and a shift
// per channel.
func (s *Site) layerNorm(x *gorgonia.Node, epsilon float64) (*gorgonia.Node, error) {
	n, ws, in := s.Network, s.Workers, x.Shape()
	pixels, c := in[0]*in[2]*in[3], in[1]
	scale, err := s.Params.Learn(s.Address+"/ln.scale", Init{Value: 1}, c)
	if err != nil {
		return nil, err
	}
	shift, err := s.Params.Learn(s.Address+"/ln.shift", Init{}, c)
	if err != nil {
		return nil, err
	}
	stats, err := n.apply(spec{name: "layer_norm/stats", shape: tensor.Shape{pixels, 2},
		loops: loops{layerStats[float32](ws, pixels, c, epsilon), layerStats[float64](ws, pixels, c, epsilon)}}, x)
	if err != nil {
		return nil, err
	}
	return n.apply(spec{
		name: "layer_norm", shape: in, inPlace: 1, wrt: []bool{true, false, true, true},
		loops: loops{layerNorm[float32](ws, pixels, c), layerNorm[float64](ws, pixels, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			sums, err := n.apply(spec{name: "layer_norm/sums", linear: last, shape: tensor.Shape{2, c},
				loops: loops{layerSums[float32](ws, pixels, c), layerSums[float64](ws, pixels, c)}}, in[0], in[1], grad)
			if err != nil {
				return nil, err
			}
			dx, err := n.apply(spec{name: "layer_norm/dx", linear: last, shape: in[0].Shape(), inPlace: 4,
				loops: loops{layerGrad[float32](ws, pixels, c), layerGrad[float64](ws, pixels, c)}}, in[0], in[1], in[2], grad)
			if err != nil {
				return nil, err
			}
			dscale, err := n.row(sums, 0)
			if err != nil {
				return nil, err
			}
			dshift, err := n.row(sums, 1)
			return gorgonia.Nodes{dx, nil, dscale, dshift}, err
		},
	}, x, stats, scale, shift)
}

func layerStats[T kernel.Float](ws *kernel.Workers, pixels, c int, epsilon float64) func([][]T, []T) {
	return func(in [][]T, stats []T) { kernel.LayerMoments(ws, pixels, c, epsilon, in[0], stats) }
}

func layerNorm[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, y []T) { kernel.LayerNorm(ws, pixels, c, in[0], in[1], in[2], in[3], y) }
}

func layerSums[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, out []T) {
		kernel.LayerNormGradParams(ws, pixels, c, in[0], in[1], in[2], out[:c], out[c:])
	}
}

func layerGrad[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, dx []T) {
		kernel.LayerNormGradInput(ws, pixels, c, in[0], in[1], in[2], in[3], dx)
	}
}
