package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// normals draws n numbers of either type from one stream.
func normals[T Float](seed uint64, n int) []T {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]T, n)
	for i := range x {
		x[i] = T(float32(r.NormFloat64()))
	}
	return x
}

func widen[T Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near fails unless got equals want up to tol relative to the size of want.
func near[T Float](t *testing.T, what string, got []T, want []float64, tol float64) {
	t.Helper()
	var size float64 = 1
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= tol*size) {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

// geometries covers every path: pointwise, shifted, patches, depthwise; odd
// sizes, several images per task, channels that are no multiple of a block.
func geometries() []Conv {
	var all []Conv
	add := func(b, c, h, w, k, kernel, stride, dilation, groups, pad int) {
		all = append(all, Conv{B: b, C: c, H: h, W: w, K: k, OH: (h + stride - 1) / stride, OW: (w + stride - 1) / stride,
			Kernel: kernel, Stride: stride, Dilation: dilation, Groups: groups, Pad: pad})
	}
	for _, size := range [][2]int{{16, 16}, {8, 8}, {4, 4}, {7, 5}, {1, 1}, {2, 3}, {9, 17}} {
		h, w := size[0], size[1]
		for _, stride := range []int{1, 2} {
			add(5, 3, h, w, 8, 3, stride, 1, 1, 1)
			add(3, 8, h, w, 4, 1, stride, 1, 1, 0)
			add(3, 4, h, w, 5, 5, stride, 1, 1, 2)
			add(3, 4, h, w, 6, 3, stride, 2, 1, 2)
			add(3, 6, h, w, 6, 3, stride, 1, 6, 1)
			add(2, 4, h, w, 4, 5, stride, 2, 4, 4)
			add(2, 6, h, w, 9, 3, stride, 1, 3, 1)
		}
		add(3, 4, h, w, 4, 1, 2, 1, 1, -1)
		add(2, 3, h, w, 4, 2, 2, 1, 1, 0)
	}
	add(33, 16, 8, 8, 16, 3, 1, 1, 1, 1)
	add(2, 8, 9, 10, 8, 7, 1, 1, 1, 3)
	add(2, 3, 9, 9, 4, 4, 4, 1, 1, 0)
	for _, length := range []int{1, 2, 16, 37} {
		for _, stride := range []int{1, 2} {
			add(3, 6, 1, length, 9, 5, stride, 1, 3, 2)
			add(3, 4, 1, length, 5, 8, stride, 1, 1, 3)
			add(3, 6, 1, length, 6, 7, stride, 2, 6, 6)
			for i := range 3 {
				all[len(all)-1-i].Row = true
			}
		}
	}
	return all
}

// naive calls f for every product that a convolution adds up.
func naive(g Conv, f func(x, w, y int)) {
	cg, kg := g.C/g.Groups, g.K/g.Groups
	for b := range g.B {
		for k := range g.K {
			for oy := range g.OH {
				for ox := range g.OW {
					for c := range cg {
						for ky := range g.height() {
							for kx := range g.Kernel {
								iy, ix := oy*g.Stride+ky*g.Dilation-g.above(), ox*g.Stride+kx*g.Dilation-g.Pad
								if iy < 0 || iy >= g.H || ix < 0 || ix >= g.W {
									continue
								}
								f(((b*g.H+iy)*g.W+ix)*g.C+k/kg*cg+c, ((k*cg+c)*g.height()+ky)*g.Kernel+kx, ((b*g.OH+oy)*g.OW+ox)*g.K+k)
							}
						}
					}
				}
			}
		}
	}
}

func testConv[T Float](t *testing.T, tol float64) {
	for _, g := range geometries() {
		t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
			nx, ny := g.B*g.C*g.H*g.W, g.B*g.K*g.OH*g.OW
			x, w, dy := normals[T](1, nx), normals[T](2, g.Weights()), normals[T](3, ny)
			y64, dx64, dw64 := make([]float64, ny), make([]float64, nx), make([]float64, g.Weights())
			naive(g, func(i, j, k int) {
				y64[k] += float64(x[i]) * float64(w[j])
				dx64[i] += float64(dy[k]) * float64(w[j])
				dw64[j] += float64(dy[k]) * float64(x[i])
			})
			var first [3][]T
			for _, threads := range []int{1, 3} {
				ws := NewWorkers(threads)
				y, dx, dw := make([]T, ny), make([]T, nx), make([]T, g.Weights())
				// What an earlier use left behind must not matter.
				for i := range threads {
					for s := range slots {
						b := buffer[T](ws, i, s, 1<<16)
						for j := range b {
							b[j] = T(math.NaN())
						}
					}
				}
				ConvForward(ws, g, x, [][]T{w}, y, nil)
				ConvGradInput(ws, g, [][]T{w}, dy, dx)
				ConvGradWeight(ws, g, x, dy, [][]T{dw})
				ws.Close()
				near(t, "y", y, y64, tol)
				near(t, "dx", dx, dx64, tol)
				near(t, "dw", dw, dw64, tol)
				for i, r := range [][]T{y, dx, dw} {
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
		})
	}
}

func TestConv(t *testing.T) {
	t.Run("float64", func(t *testing.T) { testConv[float64](t, 1e-13) })
	t.Run("float32", func(t *testing.T) { testConv[float32](t, 3e-6) })
}

func TestPools(t *testing.T) {
	t.Run("float64", func(t *testing.T) { testPools[float64](t, 1e-14) })
	t.Run("float32", func(t *testing.T) { testPools[float32](t, 1e-6) })
}

func testPools[T Float](t *testing.T, tol float64) {
	ws := NewWorkers(2)
	defer ws.Close()
	for _, g := range []Pool{
		{B: 4, C: 10, H: 8, W: 8, OH: 8, OW: 8, Kernel: 3, Stride: 1, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 3, Stride: 2, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 2, Stride: 2, Pad: 0},
		{B: 2, C: 1, H: 1, W: 1, OH: 1, OW: 1, Kernel: 3, Stride: 1, Pad: 1},
		{B: 1, C: 3, H: 7, W: 5, OH: 4, OW: 3, Kernel: 3, Stride: 2, Pad: 1, CountPadding: true},
		{B: 1, C: 17, H: 8, W: 8, OH: 2, OW: 2, Kernel: 5, Stride: 3},
	} {
		nx, ny := g.B*g.C*g.H*g.W, g.B*g.C*g.OH*g.OW
		x, dy := normals[T](1, nx), normals[T](2, ny)
		for i := range x { // ties
			x[i] = T(math.Round(float64(x[i])))
		}
		maxY, avgY, dMax, dAvg := make([]float64, ny), make([]float64, ny), make([]float64, nx), make([]float64, nx)
		for i := range maxY {
			b, oy, ox, c := i/g.C/(g.OH*g.OW), i/g.C/g.OW%g.OH, i/g.C%g.OW, i%g.C
			var inside []int
			for ky := range g.Kernel {
				for kx := range g.Kernel {
					if iy, ix := oy*g.Stride+ky-g.Pad, ox*g.Stride+kx-g.Pad; iy >= 0 && iy < g.H && ix >= 0 && ix < g.W {
						inside = append(inside, ((b*g.H+iy)*g.W+ix)*g.C+c)
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
		y, dx := make([]T, ny), normals[T](9, nx)
		MaxPool(ws, g, x, y)
		near(t, "max", y, maxY, tol)
		MaxPoolGrad(ws, g, x, y, dy, dx)
		near(t, "max gradient", dx, dMax, tol)
		AvgPool(ws, g, x, y)
		near(t, "mean", y, avgY, tol)
		AvgPoolGrad(ws, g, dy, dx)
		near(t, "mean gradient", dx, dAvg, tol)
	}
}

// TestVectors compares the assembly loops with the Go loops for lengths around
// their group size.
func TestVectors(t *testing.T) {
	if !haveAVX2 {
		t.Skip("no AVX2 and FMA: the Go loops are the only ones")
	}
	for _, n := range []int{1, 7, 8, 9, 16, 31, 64, 257} {
		a, b := normals[float32](1, n), normals[float32](2, n)
		a64, b64 := widen(a), widen(b)
		check := func(what string, f32 func(y []float32), f64 func(y []float64)) {
			t.Helper()
			y, y64 := make([]float32, n), make([]float64, n)
			f32(y)
			f64(y64)
			near(t, what, y, y64, 1e-6)
		}
		check("dot", func(y []float32) { y[0] = dot(a, b) }, func(y []float64) { y[0] = dot(a64, b64) })
		check("sum", func(y []float32) { y[0] = sum(a) }, func(y []float64) { y[0] = sum(a64) })
		check("sumSquares", func(y []float32) { y[0] = sumSquares(a, 0.5) }, func(y []float64) { y[0] = sumSquares(a64, 0.5) })
		check("sumProduct", func(y []float32) { s, p := sumProduct(a, b, 0.5); y[0] = s + 3*p },
			func(y []float64) { s, p := sumProduct(a64, b64, 0.5); y[0] = s + 3*p })
		check("affine", func(y []float32) { affine(y, a, 2, 0.5) }, func(y []float64) { affine(y, a64, 2, 0.5) })
		check("affine2", func(y []float32) { affine2(y, a, b, 2, -3, 0.5) }, func(y []float64) { affine2(y, a64, b64, 2, -3, 0.5) })
		check("add", func(y []float32) { add(y, a, b) }, func(y []float64) { add(y, a64, b64) })
		check("relu", func(y []float32) { relu(y, a) }, func(y []float64) { relu(y, a64) })
		check("reluGrad", func(y []float32) { reluGrad(y, a, b) }, func(y []float64) { reluGrad(y, a64, b64) })
	}
	nan := []float32{0, 0, 0, 0, 0, 0, 0, float32(math.NaN())}
	y := make([]float32, 8)
	if relu(y, nan); y[7] == y[7] {
		t.Error("ReLU hides a NaN")
	}
}

func BenchmarkConv(b *testing.B) {
	for _, g := range []Conv{
		{B: 64, C: 8, H: 16, W: 16, K: 8, OH: 16, OW: 16, Kernel: 3, Stride: 1, Dilation: 1, Groups: 1, Pad: 1},
		{B: 64, C: 16, H: 8, W: 8, K: 16, OH: 8, OW: 8, Kernel: 3, Stride: 1, Dilation: 1, Groups: 1, Pad: 1},
		{B: 64, C: 32, H: 4, W: 4, K: 32, OH: 4, OW: 4, Kernel: 3, Stride: 1, Dilation: 1, Groups: 1, Pad: 1},
		{B: 64, C: 16, H: 32, W: 32, K: 16, OH: 32, OW: 32, Kernel: 3, Stride: 1, Dilation: 1, Groups: 1, Pad: 1},
		{B: 64, C: 16, H: 16, W: 16, K: 16, OH: 16, OW: 16, Kernel: 1, Stride: 1, Dilation: 1, Groups: 1},
		{B: 64, C: 16, H: 16, W: 16, K: 32, OH: 8, OW: 8, Kernel: 3, Stride: 2, Dilation: 1, Groups: 1, Pad: 1},
		{B: 64, C: 16, H: 16, W: 16, K: 16, OH: 16, OW: 16, Kernel: 3, Stride: 1, Dilation: 1, Groups: 16, Pad: 1},
	} {
		ws := NewWorkers(1)
		x, w, dy := normals[float32](1, g.B*g.C*g.H*g.W), normals[float32](2, g.Weights()), normals[float32](3, g.B*g.K*g.OH*g.OW)
		y, dx, dw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
		flop := 2 * float64(len(y)) * float64(g.taps())
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"forward", func() { ConvForward(ws, g, x, [][]float32{w}, y, nil) }},
			{"gradInput", func() { ConvGradInput(ws, g, [][]float32{w}, dy, dx) }},
			{"gradWeight", func() { ConvGradWeight(ws, g, x, dy, [][]float32{dw}) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d-k%d-s%d-g%d/%s", g.C, g.H, g.W, g.Kernel, g.Stride, g.Groups, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		ws.Close()
	}
}
