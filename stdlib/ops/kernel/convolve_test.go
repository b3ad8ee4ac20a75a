package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// naive calls f for every product that a convolution of channels-last maps
// adds up.
func naive(g Conv, f func(x, w, y int)) {
	cg, kg := g.C/g.Groups, g.K/g.Groups
	px, py := g.pitches()
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
								f(((b*g.H+iy)*g.W+ix)*px+k/kg*cg+c, ((k*cg+c)*g.height()+ky)*g.Kernel+kx, ((b*g.OH+oy)*g.OW+ox)*py+k)
							}
						}
					}
				}
			}
		}
	}
}

// mapSize is how many numbers a map of n pixels has from the first to the last.
func mapSize(n, c, pitch int) int { return (n-1)*pitch + c }

// split cuts the filters of g at random places along K.
func split[T Float](r *rand.Rand, g Conv, w []T) [][]T {
	if g.Groups > 1 {
		return [][]T{w}
	}
	var parts [][]T
	for n := len(w) / g.K; len(w) > 0; {
		k := (1 + r.IntN(len(w)/n)) * n
		parts = append(parts, w[:k:k])
		w = w[k:]
	}
	return parts
}

// compareConv checks all passes of one convolution against a plain loop in
// float64, the same bits for any number of threads, and that nothing is written
// between the pixels of an output.
func compareConv[T Float](t *testing.T, r *rand.Rand, g Conv, tol float64) {
	t.Helper()
	px, py := g.pitches()
	nx, ny := mapSize(g.B*g.H*g.W, g.C, px), mapSize(g.B*g.OH*g.OW, g.K, py)
	anywhere := func(seed uint64, n int) []T { return normals[T](seed, n+8)[r.IntN(8):][:n:n] }
	x, w, dy := anywhere(1, nx), anywhere(2, g.Weights()), anywhere(3, ny)
	y64, dx64, dw64 := make([]float64, ny), make([]float64, nx), make([]float64, g.Weights())
	naive(g, func(i, j, k int) {
		y64[k] += float64(x[i]) * float64(w[j])
		dx64[i] += float64(dy[k]) * float64(w[j])
		dw64[j] += float64(dy[k]) * float64(x[i])
	})
	filters := split(r, g, w)
	var first [5][]T
	for _, threads := range []int{1, 2, 3} {
		ws := NewWorkers(threads)
		// What an earlier use left behind must not matter.
		for i := range threads {
			for s := range slots {
				b := buffer[T](ws, i, s, 1<<16)
				for j := range b {
					b[j] = T(math.NaN())
				}
			}
		}
		y, dx, dw := anywhere(4, ny), anywhere(5, nx), anywhere(6, g.Weights())
		between := func(y []T, c, pitch int, seed uint64) {
			// The numbers between pixels must stay, whatever they were.
			for i := range y {
				if i%pitch >= c {
					y[i] = T(i)
				}
			}
		}
		between(y, g.K, py, 4)
		between(dx, g.C, px, 5)
		stats := Moments[T]{make([]T, g.K), make([]T, g.K)}
		ConvForward(ws, g, x, filters, y, &stats)
		plain := make([]T, ny)
		ConvForward(ws, g, x, filters, plain, nil)
		ConvGradInput(ws, g, filters, dy, dx)
		var parts [][]T
		for at, i := 0, 0; i < len(filters); i++ {
			parts = append(parts, dw[at:][:len(filters[i])])
			at += len(filters[i])
		}
		ConvGradWeight(ws, g, x, dy, parts)
		ws.Close()
		for i := range y {
			if i%py < g.K {
				if plain[i] != y[i] {
					t.Fatalf("y[%d] is %v with statistics, %v without", i, y[i], plain[i])
				}
			} else if y[i] != T(i) {
				t.Fatalf("y[%d], between pixels, was written", i)
			} else {
				y[i] = 0
			}
		}
		for i := range dx {
			if i%px >= g.C {
				if dx[i] != T(i) {
					t.Fatalf("dx[%d], between pixels, was written", i)
				}
				dx[i] = 0
			}
		}
		near(t, "y", y, y64, tol)
		near(t, "dx", dx, dx64, tol)
		near(t, "dw", dw, dw64, tol)
		for k := range g.K {
			var mean, variance float64
			n := float64(g.B * g.OH * g.OW)
			for i := k; i < ny; i += py {
				mean += float64(y[i]) / n
			}
			for i := k; i < ny; i += py {
				variance += (float64(y[i]) - mean) * (float64(y[i]) - mean) / n
			}
			if d := math.Abs(float64(stats.Mean[k]) - mean); !(d <= tol*max(math.Abs(mean), math.Sqrt(variance))) {
				t.Fatalf("mean of channel %d is %v, want %v", k, stats.Mean[k], mean)
			}
			if d := math.Abs(float64(stats.Variance[k]) - variance); !(d <= tol*variance) {
				t.Fatalf("variance of channel %d is %v, want %v", k, stats.Variance[k], variance)
			}
		}
		for i, r := range [][]T{y, dx, dw, stats.Mean, stats.Variance} {
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

func TestConvolutions(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	t.Run("float64", func(t *testing.T) {
		for _, g := range geometries() {
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { compareConv[float64](t, r, g, 1e-13) })
		}
	})
	t.Run("float32", func(t *testing.T) {
		for _, g := range geometries() {
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { compareConv[float32](t, r, g, 3e-6) })
		}
	})
}

// TestMomentsFarFromZero: a mean that is large next to the deviation costs no digits
// but those that the numbers themselves lack.
func TestMomentsFarFromZero(t *testing.T) {
	const c = 16
	for _, k := range []int{1, 3} {
		g := Conv{B: 9, C: c, H: 16, W: 16, K: c, OH: 16, OW: 16, Kernel: k, Stride: 1, Dilation: 1, Groups: 1, Pad: k / 2}
		x, w := normals[float32](1, g.B*c*g.H*g.W), make([]float32, g.Weights())
		for i := range x {
			x[i] += 1000
		}
		for i := range c { // the identity
			w[(i*c+i)*k*k+k*k/2] = 1
		}
		m := Moments[float32]{make([]float32, c), make([]float32, c)}
		y := make([]float32, len(x))
		ws := NewWorkers(2)
		ConvForward(ws, g, x, [][]float32{w}, y, &m)
		ws.Close()
		for i := range c {
			var mean, variance float64
			n := float64(len(y) / c)
			for j := i; j < len(y); j += c {
				mean += float64(y[j]) / n
			}
			for j := i; j < len(y); j += c {
				variance += (float64(y[j]) - mean) * (float64(y[j]) - mean) / n
			}
			if d := math.Abs(float64(m.Mean[i]) - mean); !(d <= 1e-4) {
				t.Errorf("kernel %d: mean of channel %d is %v, want %v", k, i, m.Mean[i], mean)
			}
			if d := math.Abs(float64(m.Variance[i]) - variance); !(d <= 3e-6*variance) {
				t.Errorf("kernel %d: variance of channel %d is %v, want %v", k, i, m.Variance[i], variance)
			}
		}
	}
}

// benchmarked are the shapes of the stages of small networks.
func benchmarked() []Conv {
	var all []Conv
	for _, s := range [][2]int{{16, 32}, {32, 16}, {64, 8}, {8, 8}} {
		for _, k := range []int{3, 1} {
			all = append(all, Conv{B: 64, C: s[0], H: s[1], W: s[1], K: s[0], OH: s[1], OW: s[1], Kernel: k, Stride: 1, Dilation: 1, Groups: 1, Pad: k / 2})
		}
	}
	all = append(all, Conv{B: 64, C: 16, H: 32, W: 32, K: 32, OH: 16, OW: 16, Kernel: 3, Stride: 2, Dilation: 1, Groups: 1, Pad: 1})
	for _, k := range []int{3, 5, 7} {
		all = append(all, Conv{B: 64, C: 16, H: 32, W: 32, K: 16, OH: 32, OW: 32, Kernel: k, Stride: 1, Dilation: 1, Groups: 16, Pad: k / 2})
	}
	return append(all,
		Conv{B: 64, C: 64, H: 8, W: 8, K: 64, OH: 8, OW: 8, Kernel: 3, Stride: 1, Dilation: 2, Groups: 64, Pad: 2},
		Conv{B: 64, C: 16, H: 32, W: 32, K: 16, OH: 16, OW: 16, Kernel: 3, Stride: 2, Dilation: 1, Groups: 16, Pad: 1})
}

func BenchmarkConvolution(b *testing.B) {
	for _, g := range benchmarked() {
		ws := NewWorkers(1)
		x, w, dy := normals[float32](1, g.B*g.C*g.H*g.W), normals[float32](2, g.Weights()), normals[float32](3, g.B*g.K*g.OH*g.OW)
		y, dx, dw := make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
		stats := &Moments[float32]{make([]float32, g.K), make([]float32, g.K)}
		flop := 2 * float64(len(y)) * float64(g.taps())
		for _, c := range []struct {
			name string
			f    func()
		}{
			{"forward", func() { ConvForward(ws, g, x, [][]float32{w}, y, nil) }},
			{"statistics", func() { ConvForward(ws, g, x, [][]float32{w}, y, stats) }},
			{"gradInput", func() { ConvGradInput(ws, g, [][]float32{w}, dy, dx) }},
			{"gradWeight", func() { ConvGradWeight(ws, g, x, dy, [][]float32{dw}) }},
		} {
			b.Run(fmt.Sprintf("%dx%dx%d-k%d-s%d-g%d/%s", g.C, g.H, g.W, g.Kernel, g.Stride, g.Groups, c.name), func(b *testing.B) {
				best(b, flop, "GFLOP/s", c.f)
			})
		}
		ws.Close()
	}
}

// best reports how much work is done in the best of all runs, which other
// programs on the machine disturb least.
func best(b *testing.B, work float64, unit string, f func()) {
	b.Helper()
	b.ReportAllocs()
	least := time.Hour
	for b.Loop() {
		start := time.Now()
		f()
		least = min(least, time.Since(start))
	}
	b.ReportMetric(work/least.Seconds()/1e9, unit)
}
