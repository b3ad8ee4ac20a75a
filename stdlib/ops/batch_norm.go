package ops

import (
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func init() {
	register("batch_norm", 1, maps, func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error) {
		return s.batchNorm("bn", in[0])
	})
}

const (
	normEpsilon  = 1e-5
	normMomentum = 0.1
)

// batchNorm adds batch normalisation with a scale and a shift per channel, unless the
// network is to have none.
func (s *Site) batchNorm(name string, x *gorgonia.Node) (*gorgonia.Node, error) {
	if s.Plain {
		return s.normalize(name, x)
	}
	c := x.Shape()[1]
	scale, err := s.Params.Learn(s.Address+"/"+name+".scale", Init{Value: 1}, c)
	if err != nil {
		return nil, err
	}
	shift, err := s.Params.Learn(s.Address+"/"+name+".shift", Init{}, c)
	if err != nil {
		return nil, err
	}
	return s.normalize(name, x, scale, shift)
}

// normalize adds batch normalisation, with a scale and a shift if they are given.
// In the graph it is two primitives: the statistics (2,C), mean and one over the
// standard deviation, and the normalisation with them, whose gradient takes their
// dependence on x into account.
func (s *Site) normalize(name string, x *gorgonia.Node, affine ...*gorgonia.Node) (*gorgonia.Node, error) {
	in := x.Shape()
	pixels, c := in[0]*in[2]*in[3], in[1]
	n, ws := s.Network, s.Workers
	z := &Normalization{n, s.Params.Running(s.Address+"/"+name, c), pixels}
	pair := tensor.Shape{2, c}
	stats, err := n.apply(spec{name: "norm/stats", what: Statistics{z}, shape: pair,
		loops: loops{normStats[float32](z), normStats[float64](z)}}, x)
	if err != nil {
		return nil, err
	}
	return n.apply(spec{
		name: "norm", what: Normalized{}, shape: in, inPlace: 1, wrt: []bool{true, false, true, true}[:2+len(affine)],
		loops: loops{normalize[float32](ws, pixels, c), normalize[float64](ws, pixels, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			x, stats, scale := in[0], in[1], in[2:min(3, len(in))]
			sums, err := n.apply(spec{name: "norm/sums", linear: last, what: NormalizedSums{}, shape: pair,
				loops: loops{normSums[float32](ws, pixels, c), normSums[float64](ws, pixels, c)}}, x, stats, grad)
			if err != nil {
				return nil, err
			}
			dx, err := n.apply(spec{name: "norm/dx", linear: 4, what: NormalizedGrad{}, shape: x.Shape(), inPlace: 4,
				loops: loops{normGrad[float32](ws, pixels, c), normGrad[float64](ws, pixels, c)}},
				append(gorgonia.Nodes{x, stats, sums, grad}, scale...)...)
			if err != nil || len(scale) == 0 {
				return gorgonia.Nodes{dx, nil}, err
			}
			dshift, err := n.row(sums, 0)
			if err != nil {
				return nil, err
			}
			dscale, err := n.row(sums, 1)
			return gorgonia.Nodes{dx, nil, dscale, dshift}, err
		},
	}, append(gorgonia.Nodes{x, stats}, affine...)...)
}

func normStats[T kernel.Float](z *Normalization) func([][]T, []T) {
	return func(in [][]T, stats []T) {
		if z.OfBatch() {
			c := len(stats) / 2
			kernel.Moments[T]{Mean: stats[:c], Variance: stats[c:]}.Measure(z.network.Workers, z.pixels, c, in[0])
		}
		Settle(z, stats)
	}
}

// factors are the scales that a normalisation has, or ones.
func factors[T kernel.Float](in [][]T, i, c int, ones []T) []T {
	if i < len(in) {
		return in[i]
	}
	return ones[:c]
}

func constant[T kernel.Float](n int, v T) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func normalize[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	ones, zeros := constant[T](c, 1), constant[T](c, 0)
	return func(in [][]T, y []T) {
		kernel.Normalize(ws, pixels, c, in[0], in[1][:c], in[1][c:], factors(in, 2, c, ones), factors(in, 3, c, zeros), y)
	}
}

func normSums[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	return func(in [][]T, out []T) {
		kernel.NormalizeGradParams(ws, pixels, c, in[0], in[1][:c], in[1][c:], in[2], out[:c], out[c:])
	}
}

func normGrad[T kernel.Float](ws *kernel.Workers, pixels, c int) func([][]T, []T) {
	ones := constant[T](c, 1)
	return func(in [][]T, dx []T) {
		stats, sums := in[1], in[2]
		kernel.NormalizeGradInput(ws, pixels, c, in[0], stats[:c], stats[c:], factors(in, 4, c, ones), sums[:c], sums[c:], in[3], dx)
	}
}

// row takes one row of a matrix.
func (n *Network) row(x *gorgonia.Node, i int) (*gorgonia.Node, error) {
	c := x.Shape()[1]
	return n.apply(spec{name: "row", linear: 1, shape: tensor.Shape{c},
		loops: loops{takeRow[float32](c, i), takeRow[float64](c, i)}}, x)
}

func takeRow[T kernel.Float](c, i int) func([][]T, []T) {
	return func(in [][]T, out []T) { copy(out, in[0][i*c:]) }
}
