package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestExp compares e^x in float32 to that of the standard library over its whole
// range.
func TestExp(t *testing.T) {
	for i := range 200_000 {
		x := float32(-87.3 + 176*float64(i)/200_000)
		got, want := float64(exp(x)), math.Exp(float64(x))
		if d := math.Abs(got-want) / want; d > 2.5e-7 {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	inf := float32(math.Inf(1))
	if exp(inf) != inf || exp(float32(89)) != inf || exp(-inf) != 0 || exp(float32(-90)) != 0 || exp(float32(0)) != 1 {
		t.Error("wrong results at the ends of the range")
	}
	// Many at a time, in whatever loop there is for that.
	x := []float32{-inf, -88, -87.2, -1, 0, 1, 88.7, 89.5, inf, 3}
	for range 1000 {
		x = append(x, 175*float32(len(x)%997)/997-87)
	}
	y := make([]float32, len(x))
	exps(y, x)
	for i, v := range x {
		if got, want := y[i], exp(v); got != want && !(math.Abs(float64(got-want)) <= 4e-7*float64(want)) {
			t.Fatalf("exps(%v) = %v, want %v", v, got, want)
		}
	}
	for i := range x {
		x[i] = float32(math.NaN())
	}
	if exps(y, x); !slices.ContainsFunc(y, func(v float32) bool { return v != v }) || slices.ContainsFunc(y, func(v float32) bool { return v == v }) {
		t.Error("exps hides a NaN")
	}
	if v := exp(float32(math.NaN())); v == v {
		t.Error("exp hides a NaN")
	}
}

// TestActivations compares both precisions far out, and derivatives with
// differences.
func TestActivations(t *testing.T) {
	ws := NewWorkers(1)
	defer ws.Close()
	for _, a := range []Activation{Sigmoid, Swish, HardSigmoid, HardSwish, GELU, ClippedReLU} {
		for i := range 2001 {
			x := -25 + float64(i)/40 + 1e-3 // beside the corners
			rounded := float64(float32(x))
			if got, want := float64(value(ws, a, float32(x))), value(ws, a, rounded); math.Abs(got-want) > 1e-6*max(1, math.Abs(want)) {
				t.Fatalf("%v(%v) = %v, want %v", a, x, got, want)
			}
			if got, want := float64(slope(ws, a, float32(x))), slope(ws, a, rounded); math.Abs(got-want) > 3e-6 {
				t.Fatalf("the derivative of %v at %v is %v, want %v", a, x, got, want)
			}
			if got, want := slope(ws, a, x), (value(ws, a, x+1e-6)-value(ws, a, x-1e-6))/2e-6; math.Abs(got-want) > 1e-8*max(1, math.Abs(x)) {
				t.Fatalf("the derivative of %v at %v is %v, by differences %v", a, x, got, want)
			}
		}
	}
}

// value and slope compute 25 numbers, so that all loops, of 16 numbers, of 8 and of
// one, have their turn.
func value[T Float](ws *Workers, a Activation, x T) T {
	in, out := make([]T, 25), make([]T, 25)
	fill(in, x)
	Activate(ws, a, in, out)
	for _, i := range []int{16, 24} {
		if math.Abs(float64(out[0]-out[i])) > 1e-6*max(1, math.Abs(float64(x))) {
			return T(math.NaN())
		}
	}
	return out[0]
}

func slope[T Float](ws *Workers, a Activation, x T) T {
	in, ones, out := make([]T, 25), make([]T, 25), make([]T, 25)
	fill(in, x)
	fill(ones, 1)
	ActivateGrad(ws, a, in, ones, out)
	return out[0]
}

func TestProduct(t *testing.T) {
	t.Run("float64", func(t *testing.T) { testProduct[float64](t, 1e-14) })
	t.Run("float32", func(t *testing.T) { testProduct[float32](t, 1e-6) })
}

func testProduct[T Float](t *testing.T, tol float64) {
	ws := NewWorkers(1)
	defer ws.Close()
	for _, size := range [][3]int{{1, 1, 1}, {4, 16, 8}, {5, 3, 17}, {9, 33, 2}, {197, 64, 30}} {
		m, l, n := size[0], size[1], size[2]
		a, b, c := normals[T](1, m*l), normals[T](2, l*n), normals[T](3, m*n)
		for turn := range 4 {
			t.Run(fmt.Sprint(size, turn), func(t *testing.T) {
				left, right := dense(a, m, l), dense(b, l, n)
				if turn&1 > 0 {
					left = dense(a, l, m).turned()
				}
				if turn&2 > 0 {
					right = dense(b, n, l).turned()
				}
				want := widen(c)
				for i := range m {
					for j := range n {
						for k := range l {
							want[i*n+j] += 2 * float64(left.data[i*left.down+k*left.across]) * float64(right.data[k*right.down+j*right.across])
						}
					}
				}
				got := slices.Clone(c)
				product(ws, 0, 2, left, right, dense(got, m, n), true)
				near(t, "c", got, want, tol)
				// Once more without what was there.
				first := slices.Clone(got)
				for i := range got {
					got[i] = T(math.NaN())
				}
				product(ws, 0, 2, left, right, dense(got, m, n), false)
				for i := range want {
					want[i] = float64(first[i]) - float64(c[i])
				}
				near(t, "c", got, want, 4*tol)
			})
		}
	}
}

// TestRandom: numbers belong to places, whoever draws them.
func TestRandom(t *testing.T) {
	var first [2][]float32
	for _, threads := range []int{1, 3} {
		ws := NewWorkers(threads)
		drop, noise := make([]float32, 5*span+7), make([]float32, 5*span+7)
		Drop(ws, 9, 0.5, drop)
		Normals(ws, 9, noise)
		ws.Close()
		if first[0] == nil {
			first = [2][]float32{drop, noise}
		}
		if !slices.Equal(drop, first[0]) || !slices.Equal(noise, first[1]) {
			t.Errorf("%d threads draw other numbers than 1", threads)
		}
	}
	// The first numbers of SplitMix64 from the seed 1234567, as published with it.
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := random(1234567, i); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
}
