package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestPools(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, g := range []Pool{
		{B: 4, C: 10, H: 8, W: 8, OH: 8, OW: 8, Kernel: 3, Stride: 1, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 3, Stride: 2, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 2, Stride: 2, Pad: 0},
		{B: 2, C: 1, H: 1, W: 1, OH: 1, OW: 1, Kernel: 3, Stride: 1, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 3, Stride: 2, Pad: 1, CountPadding: true},
		{B: 1, C: 17, H: 8, W: 8, OH: 2, OW: 2, Kernel: 5, Stride: 3},
		{B: 33, C: 16, H: 8, W: 8, OH: 8, OW: 8, Kernel: 3, Stride: 1, Pad: 1},
		{B: 2, C: 24, H: 5, W: 6, OH: 2, OW: 2, Kernel: 1, Stride: 3},
	} {
		t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
			comparePool[float64](t, r, g, 1e-14)
			comparePool[float32](t, r, g, 1e-6)
		})
	}
}

// drawnPool is a geometry in which every window sees the image.
func drawnPool(r *rand.Rand) Pool {
	g := Pool{B: 1 + r.IntN(10), C: 1 + r.IntN(40), H: 1 + r.IntN(12), W: 1 + r.IntN(12),
		Kernel: 1 + r.IntN(5), Stride: 1 + r.IntN(3), CountPadding: r.IntN(2) == 0}
	g.Pad = (g.Kernel - 1) / 2
	g.OH, g.OW = (g.H+g.Stride-1)/g.Stride, (g.W+g.Stride-1)/g.Stride
	if r.IntN(2) == 0 {
		g.XPitch, g.YPitch = g.C+r.IntN(5), g.C+r.IntN(5)
	}
	return g
}

// comparePool checks all passes of a window against a plain loop in float64, and
// the same bits for any number of threads.
func comparePool[T Float](t *testing.T, r *rand.Rand, g Pool, tol float64) {
	t.Helper()
	px, py := g.XPitch, g.YPitch
	if px == 0 {
		px, py = g.C, g.C
	}
	nx, ny := mapSize(g.B*g.H*g.W, g.C, px), mapSize(g.B*g.OH*g.OW, g.C, py)
	anywhere := func(seed uint64, n int) []T { return normals[T](seed, n+8)[r.IntN(8):][:n:n] }
	x, dy := anywhere(1, nx), anywhere(2, ny)
	for i := range x { // ties
		x[i] = T(math.Round(float64(x[i])))
	}
	maxY, avgY, dMax, dAvg := make([]float64, ny), make([]float64, ny), make([]float64, nx), make([]float64, nx)
	for i := range maxY {
		p, c := i/py, i%py
		if c >= g.C {
			continue
		}
		b, oy, ox := p/(g.OH*g.OW), p/g.OW%g.OH, p%g.OW
		var inside []int
		for ky := range g.Kernel {
			for kx := range g.Kernel {
				if iy, ix := oy*g.Stride+ky-g.Pad, ox*g.Stride+kx-g.Pad; iy >= 0 && iy < g.H && ix >= 0 && ix < g.W {
					inside = append(inside, ((b*g.H+iy)*g.W+ix)*px+c)
				}
			}
		}
		best, count := inside[0], len(inside)
		if g.CountPadding {
			count = g.Kernel * g.Kernel
		}
		for _, j := range inside {
			if x[j] > x[best] {
				best = j
			}
			avgY[i] += float64(x[j]) / float64(count)
			dAvg[j] += float64(dy[i]) / float64(count)
		}
		maxY[i] = float64(x[best])
		dMax[best] += float64(dy[i])
	}
	var first [4][]T
	for _, threads := range []int{1, 2, 3} {
		ws := NewWorkers(threads)
		for i := range threads {
			for s := range slots {
				fill(buffer[T](ws, i, s, 1<<14), T(math.NaN()))
			}
		}
		results := [4][]T{make([]T, ny), make([]T, nx), make([]T, ny), make([]T, nx)}
		MaxPool(ws, g, x, results[0])
		MaxPoolGrad(ws, g, x, results[0], dy, results[1])
		AvgPool(ws, g, x, results[2])
		AvgPoolGrad(ws, g, dy, results[3])
		ws.Close()
		near(t, "max", results[0], maxY, tol)
		near(t, "max gradient", results[1], dMax, tol)
		near(t, "mean", results[2], avgY, tol)
		near(t, "mean gradient", results[3], dAvg, tol)
		for i, r := range results {
			if first[i] == nil {
				first[i] = r
			}
			for j := range r {
				if r[j] != first[i][j] {
					t.Fatalf("result %d differs between 1 and %d threads", i, threads)
				}
			}
		}
	}
}

// TestMaxPoolNaN: what is no number is not hidden by the numbers around it.
func TestMaxPoolNaN(t *testing.T) {
	for at := range 9 {
		for _, c := range []int{1, 8, 16} {
			g := Pool{B: 1, C: c, H: 3, W: 3, OH: 1, OW: 1, Kernel: 3, Stride: 1}
			x, y := make([]float32, 9*c), make([]float32, c)
			fill(x[at*c:][:c], float32(math.NaN()))
			ws := NewWorkers(1)
			MaxPool(ws, g, x, y)
			ws.Close()
			for _, v := range y {
				if v == v {
					t.Fatalf("the maximum is %v with a NaN at pixel %d", v, at)
				}
			}
		}
	}
}

func BenchmarkPool(b *testing.B) {
	for _, g := range []Pool{
		{B: 64, C: 16, H: 32, W: 32, OH: 32, OW: 32, Kernel: 3, Stride: 1, Pad: 1},
		{B: 64, C: 64, H: 8, W: 8, OH: 8, OW: 8, Kernel: 3, Stride: 1, Pad: 1},
		{B: 64, C: 16, H: 32, W: 32, OH: 16, OW: 16, Kernel: 3, Stride: 2, Pad: 1},
	} {
		ws := NewWorkers(1)
		x, dy := normals[float32](1, g.B*g.C*g.H*g.W), normals[float32](3, g.B*g.C*g.OH*g.OW)
		y, dx := make([]float32, len(dy)), make([]float32, len(x))
		MaxPool(ws, g, x, y)
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"avg", func() { AvgPool(ws, g, x, y) }},
			{"avgGrad", func() { AvgPoolGrad(ws, g, dy, dx) }},
			{"max", func() { MaxPool(ws, g, x, y) }},
			{"maxGrad", func() { MaxPoolGrad(ws, g, x, y, dy, dx) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d-s%d/%s", g.C, g.H, g.W, g.Stride, c.name), func(b *testing.B) {
				best(b, 4*float64(len(x)+len(y)), "GB/s", c.f)
			})
		}
		ws.Close()
	}
}
