package kernel

import (
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
