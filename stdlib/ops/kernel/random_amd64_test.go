package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// variants runs f as a test with every set of inner loops.
func variants(t *testing.T, f func(t *testing.T)) {
	avx2, avx512 := haveAVX2, haveAVX512
	for _, v := range []struct {
		avx2, avx512 bool
	}{{false, false}, {true, false}, {true, true}} {
		haveAVX2, haveAVX512 = v.avx2, v.avx512
		t.Run(Variant(), func(t *testing.T) {
			switch {
			case v.avx2 && !avx2:
				t.Skip("the processor has no AVX2 and FMA")
			case v.avx512 && !avx512:
				t.Skip("the processor has no AVX-512: go run ./emulate in the folder gen emulates one that has")
			}
			f(t)
		})
	}
	haveAVX2, haveAVX512 = avx2, avx512
}

// TestRandomConvolutions compares all passes with a plain loop over random
// geometries, pitches and alignments.
func TestRandomConvolutions(t *testing.T) {
	variants(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 4))
		for range 150 {
			g := drawn(r)
			if g.Groups == 1 && r.IntN(2) == 0 {
				g.C, g.K = 1+r.IntN(40), 1+r.IntN(72)
			}
			if r.IntN(8) == 0 { // windows begin inside of the image
				g.Pad = -r.IntN(3)
			}
			if r.IntN(2) == 0 {
				g.XPitch, g.YPitch = g.C+r.IntN(5), g.K+r.IntN(5)
			}
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { compareConv[float32](t, rand.New(rand.NewPCG(4, 5)), g, 3e-6) })
		}
	})
}

// TestBlocks compares numbers of channels around the widths of all blocks.
func TestBlocks(t *testing.T) {
	counts := []int{1, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 41, 48, 63, 64, 65}
	variants(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 9))
		for i, k := range counts {
			for _, kernel := range []int{1, 3} {
				g := Conv{B: 2, C: counts[len(counts)-1-i], H: 5, W: 4, K: k, OH: 5, OW: 4, Kernel: kernel, Stride: 1, Dilation: 2, Groups: 1, Pad: kernel - 1}
				t.Run(fmt.Sprintf("%d to %d, %dx%d", g.C, g.K, kernel, kernel), func(t *testing.T) { compareConv[float32](t, r, g, 3e-6) })
			}
			g := Conv{B: 2, C: k, H: 5, W: 4, K: k, OH: 5, OW: 4, Kernel: 3, Stride: 1, Dilation: 1, Groups: k, Pad: 1}
			t.Run(fmt.Sprintf("%d, depthwise", k), func(t *testing.T) { compareConv[float32](t, r, g, 3e-6) })
		}
	})
}

// TestRandomSquares compares filters of 3x3 with whole vectors of channels, which are
// computed by squares.
func TestRandomSquares(t *testing.T) {
	variants(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 8))
		for range 40 {
			g := Conv{B: 1 + r.IntN(12), C: 8 * (2 + r.IntN(4)), H: 3 + r.IntN(13), W: 3 + r.IntN(13), K: 8 * (2 + r.IntN(4)),
				Kernel: 3, Stride: 1, Dilation: 1, Groups: 1, Pad: r.IntN(4) - 1}
			g.OH, g.OW = g.H+2*g.Pad-2, g.W+2*g.Pad-2
			if r.IntN(2) == 0 {
				g.XPitch, g.YPitch = g.C+r.IntN(5), g.K+r.IntN(5)
			}
			if g.OH > 0 && g.OW > 0 {
				t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { compareConv[float32](t, rand.New(rand.NewPCG(8, 9)), g, 3e-6) })
			}
		}
	})
}

// TestRandomPools does the same for pooling.
func TestRandomPools(t *testing.T) {
	variants(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 7))
		for range 100 {
			g := drawnPool(r)
			t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) { comparePool[float32](t, rand.New(rand.NewPCG(7, 8)), g, 1e-6) })
		}
	})
}

// drawn is a geometry with at least one window.
func drawn(r *rand.Rand) Conv {
	for {
		g := Conv{B: 1 + r.IntN(4), H: 1 + r.IntN(20), W: 1 + r.IntN(20), Kernel: 1 + r.IntN(7),
			Stride: 1 + r.IntN(3), Dilation: 1 + r.IntN(2), Groups: 1 + r.IntN(4), Row: r.IntN(4) == 0}
		g.C, g.K = g.Groups*(1+r.IntN(6)), g.Groups*(1+r.IntN(6))
		if r.IntN(4) == 0 {
			g.Groups = 1 + r.IntN(40) // depthwise
			g.C, g.K = g.Groups, g.Groups
		}
		if g.Row {
			g.H = 1
		}
		g.Pad = r.IntN(g.reach() + 2)
		if r.IntN(2) == 0 { // "same"
			g.Pad = g.reach() / 2
			g.OH, g.OW = (g.H+g.Stride-1)/g.Stride, (g.W+g.Stride-1)/g.Stride
			return g
		}
		if g.H+2*g.above() <= g.fall() || g.W+2*g.Pad <= g.reach() {
			continue
		}
		g.OH, g.OW = (g.H+2*g.above()-g.fall()-1)/g.Stride+1, (g.W+2*g.Pad-g.reach()-1)/g.Stride+1
		return g
	}
}

// TestRandomShapes compares all other kernels in the same way.
func TestRandomShapes(t *testing.T) {
	variants(t, func(t *testing.T) {
		for seed := range uint64(40) {
			want := everything[float64](1, seed)
			for i, r := range everything[float32](2, seed) {
				near(t, fmt.Sprintf("seed %d, result %d", seed, i), r, want[i], 2e-5)
			}
		}
	})
}

// everything runs the kernels on shapes and numbers drawn from a seed.
func everything[T Float](threads int, seed uint64) (results [][]T) {
	ws := NewWorkers(threads)
	defer ws.Close()
	r := rand.New(rand.NewPCG(seed, 2))
	b, c, n, k := 1+r.IntN(4), 1+r.IntN(20), 1+r.IntN(40), 1+r.IntN(70)
	data := func(n int) []T { return normals[T](r.Uint64(), n+8)[r.IntN(8):][:n] }
	out := func(n int) []T {
		y := data(n)
		results = append(results, y)
		return y
	}
	x, dy := data(b*c*n), data(b*c*n)

	y := out(b * c * n)
	Softmax(ws, b*n, c, x, y)
	SoftmaxGrad(ws, b*n, c, y, dy, out(b*c*n))
	y = out(b * c * n)
	Softmax(ws, b*c, n, x, y)
	SoftmaxGrad(ws, b*c, n, y, dy, out(b*c*n))

	stats, scale, shift := make([]T, 2*b*n), data(c), data(c)
	if c > 2 { // the variance of two numbers loses its digits
		LayerMoments(ws, b*n, c, 1e-3, x, stats)
		LayerNorm(ws, b*n, c, x, stats, scale, shift, out(b*c*n))
		LayerNormGradParams(ws, b*n, c, x, stats, dy, out(c), out(c))
		LayerNormGradInput(ws, b*n, c, x, stats, scale, dy, out(b*c*n))
	}

	for _, a := range []Activation{Sigmoid, Swish, HardSwish, HardSigmoid, GELU, ClippedReLU} {
		Activate(ws, a, x, out(b*c*n))
		ActivateGrad(ws, a, x, dy, out(b*c*n))
	}
	Bias(ws, b*n, c, x, shift, out(b*c*n))
	BiasGrad(ws, b*n, c, dy, out(c))
	factors := data(b * c)
	// Maps that are a part of wider ones, and the passes of nodes over them.
	wide := func() Channels[T] { return Channels[T]{data(b * n * (c + 3))[1:], c + 3} }
	terms := []Term[T]{{wide(), data(c), true}, {wide(), data(c), false}, {wide(), data(c), true}, {wide(), data(c), false}}
	sum, rectified := out(b*n*c), out(b*n*c)
	Combine(ws, &Combination[T]{N: b * n, C: c, Terms: terms, Constant: make([]T, c), Mask: wide(),
		Y: Channels[T]{sum, c}, Rectified: Channels[T]{rectified, c}})
	Combine(ws, &Combination[T]{N: b * n, C: c, Terms: terms[1:2], Constant: data(c), Rectified: Channels[T]{out(b * n * c), c}})
	for i, v := range ProductSums(ws, b*n, c, terms[0].X, []Channels[T]{terms[1].X, terms[2].X}, [][]T{data(c), data(c)}) {
		if i%c == 0 {
			results = append(results, nil)
		}
		results[len(results)-1] = append(results[len(results)-1], T(v))
	}
	SpreadOut(ws, b*n, c, terms[0].X, []Spread[T]{{terms[1].X, Channels[T]{out(b * n * c), c}, data(c), data(c), data(c)}})
	moments := Moments[T]{out(c), out(c)}
	moments.Measure(ws, b*n, c, x)
	Normalize(ws, b*n, c, x, moments.Mean, factors, scale, shift, out(b*n*c))
	NormalizeGradParams(ws, b*n, c, x, moments.Mean, scale, dy, out(c), out(c))
	NormalizeGradInput(ws, b*n, c, x, moments.Mean, scale, shift, factors, factors, dy, out(b*n*c))
	xs := [][]T{x, dy, data(b * n * c)}
	WeightedSum(ws, xs, []T{2, 0, -1}, out(b*n*c))
	Dots(ws, xs, []T{2, 0, -1}, dy, out(3))
	GlobalPool(ws, b, n, c, x, out(b*c))
	GlobalPoolGrad(ws, b, n, c, factors, out(b*n*c))
	Gate(ws, b, n, c, x, factors, out(b*c*n))
	GateGrad(ws, b, n, c, x, dy, out(b*c))
	WeighRows(ws, b*c, n, x, factors, out(b*c*n))
	AddRow(ws, x, data(c*n), out(b*c*n))
	SumRows(ws, dy, out(c*n))
	Transpose(ws, b, c, n, x, out(b*c*n))
	g := Pool{B: b, C: 1 + c/3, H: 1 + k/4, W: 1 + n/4, OH: 1 + r.IntN(1+k/4), OW: 1 + r.IntN(1+n/4)}
	AdaptivePool(ws, g, data(b*g.C*g.H*g.W), out(b*g.C*g.OH*g.OW))
	AdaptivePoolGrad(ws, g, data(b*g.C*g.OH*g.OW), out(b*g.C*g.H*g.W))

	rows, w := data(b*n), data(k*n)
	Linear(ws, b, n, k, rows, w, data(k), out(b*k))
	dk := data(b * k)
	LinearGradInput(ws, b, n, k, w, dk, out(b*n))
	LinearGradWeight(ws, b, n, k, rows, dk, out(k*n))

	side := 1 + r.IntN(4)
	att := Attention{B: b, Heads: 1 + r.IntN(3), Width: 1 + r.IntN(20), N: side*side + 1, Reach: 1 + r.IntN(3)}
	size, pairs := att.B*att.Heads*att.Width*att.N, att.B*att.Heads*att.N*att.N
	q, key, weights := data(size), data(size), data(pairs)
	down, across := att.Places()
	tables := []Table[T]{{data(att.Entries() * att.Width), down}, {data(att.Entries() * att.Width), across}}
	AttentionScores(ws, att, 0.5, q, key, tables, out(pairs))
	AttentionMix(ws, att, 0.5, weights, key, tables, out(size))
	AttentionGather(ws, att, 0.5, weights, q, out(size))
	AttentionGradTable(ws, att, 0.5, weights, q, across, out(att.Entries()*att.Width))

	rec := Recurrent{B: b, Units: c, T: 1 + r.IntN(6)}
	pre, wh := data(b*4*c*rec.T), data(4*c*c)
	Scale(ws, 0.3, wh, wh)
	states, dpre := out(b*rec.Channels()*rec.T), out(b*4*c*rec.T)
	LSTM(ws, rec, pre, wh, states)
	LSTMGradInput(ws, rec, wh, states, data(len(states)), dpre)
	LSTMGradWeight(ws, rec, states, dpre, out(4*c*c))
	return results
}
