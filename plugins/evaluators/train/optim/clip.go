package optim

import (
	"math"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// ClipNorm scales gradients, of which some may be nil, so that the norm of all
// together is at most limit, and returns the norm that they had; a limit of 0 is
// none. Like PyTorch's it divides by a millionth more than the norm. A norm that
// is not finite is returned and leaves them alone.
func ClipNorm(ws *kernel.Workers, grads [][]float32, limit float64) float64 {
	pieces, tasks := cut(grads)
	squares := make([]float64, len(tasks)-1)
	ws.Run(len(squares), func(_, i int) {
		for _, p := range pieces[tasks[i]:tasks[i+1]] {
			squares[i] += sumSquares(grads[p.tensor][p.lo:p.hi])
		}
	})
	var total float64
	for _, s := range squares {
		total += s
	}
	norm := math.Sqrt(total)
	factor := float32(limit / (norm + 1e-6))
	if limit == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) || factor >= 1 {
		return norm
	}
	ws.Run(len(squares), func(_, i int) {
		for _, p := range pieces[tasks[i]:tasks[i+1]] {
			g := grads[p.tensor][p.lo:p.hi]
			for j := range g {
				g[j] *= factor
			}
		}
	})
	return norm
}

// sumSquares adds up in four chains, which do not wait for each other.
func sumSquares(x []float32) float64 {
	var a, b, c, d float64
	for ; len(x) >= 4; x = x[4:] {
		a += float64(x[0]) * float64(x[0])
		b += float64(x[1]) * float64(x[1])
		c += float64(x[2]) * float64(x[2])
		d += float64(x[3]) * float64(x[3])
	}
	for _, v := range x {
		a += float64(v) * float64(v)
	}
	return (a + b) + (c + d)
}
