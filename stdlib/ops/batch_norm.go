package ops

import (
	"math"

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

// batchNorm adds batch normalisation with a scale and a shift per channel.
func (s *Site) batchNorm(name string, x *gorgonia.Node) (*gorgonia.Node, error) {
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
	n, ws, run := s.Network, s.Workers, s.Params.Running(s.Address+"/"+name, c)
	pair := tensor.Shape{2, c}
	stats, err := n.apply(spec{name: "norm/stats", shape: pair,
		loops: loops{normStats[float32](n, run, pixels), normStats[float64](n, run, pixels)}}, x)
	if err != nil {
		return nil, err
	}
	return n.apply(spec{
		name: "norm", shape: in, inPlace: 1, wrt: []bool{true, false, true, true}[:2+len(affine)],
		loops: loops{normalize[float32](ws, pixels, c), normalize[float64](ws, pixels, c)},
		diff: func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
			x, stats, scale := in[0], in[1], in[2:min(3, len(in))]
			sums, err := n.apply(spec{name: "norm/sums", shape: pair,
				loops: loops{normSums[float32](ws, pixels, c), normSums[float64](ws, pixels, c)}}, x, stats, grad)
			if err != nil {
				return nil, err
			}
			dx, err := n.apply(spec{name: "norm/dx", shape: x.Shape(), inPlace: 4,
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

// normStats writes mean and inverse deviation, of the batch or the running ones.
func normStats[T kernel.Float](n *Network, run *Running, pixels int) func([][]T, []T) {
	return func(in [][]T, out []T) {
		c := len(run.Mean)
		mean, inv := out[:c], out[c:]
		if !n.Training && n.Norm == UsualNorm {
			for i := range c {
				mean[i], inv[i] = T(run.Mean[i]), T(1/math.Sqrt(run.Var[i]+normEpsilon))
			}
			return
		}
		kernel.Moments[T]{Mean: mean, Variance: inv}.Measure(n.Workers, pixels, c, in[0])
		momentum := 0.0
		switch {
		case n.Norm == RecalibrateNorm:
			run.batches++
			momentum = 1 / float64(run.batches)
		case n.Training:
			momentum = normMomentum
		}
		count := float64(pixels)
		for i := range c {
			v := float64(inv[i])
			inv[i] = T(1 / math.Sqrt(v+normEpsilon))
			run.Mean[i] += momentum * (float64(mean[i]) - run.Mean[i])
			run.Var[i] += momentum * (v*count/max(count-1, 1) - run.Var[i])
		}
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
	return n.apply(spec{name: "row", shape: tensor.Shape{c},
		loops: loops{takeRow[float32](c, i), takeRow[float64](c, i)}}, x)
}

func takeRow[T kernel.Float](c, i int) func([][]T, []T) {
	return func(in [][]T, out []T) { copy(out, in[0][i*c:]) }
}
