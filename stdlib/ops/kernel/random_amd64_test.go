package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRandomConvolutions compares the assembly loops, and the Go loops in their
// place, to float64 over geometries drawn at random: sizes, kernels, strides,
// dilations, groups, paddings, rows, and slices that begin anywhere.
func TestRandomConvolutions(t *testing.T) {
	defer func(have bool) { haveAVX2 = have }(haveAVX2)
	kinds := []bool{false}
	if haveAVX2 {
		kinds = append(kinds, true)
	}
	r := rand.New(rand.NewPCG(3, 3))
	for range 150 {
		g := drawn(r)
		t.Run(fmt.Sprintf("%+v", g), func(t *testing.T) {
			nx, ny, nw := g.B*g.C*g.H*g.W, g.B*g.K*g.OH*g.OW, g.Weights()
			anywhere := func(seed uint64, n int) []float32 { return normals[float32](seed, n+8)[r.IntN(8):][:n] }
			x, w, dy := anywhere(1, nx), anywhere(2, nw), anywhere(3, ny)
			y64, dx64, dw64 := make([]float64, ny), make([]float64, nx), make([]float64, nw)
			naive(g, func(i, j, k int) {
				y64[k] += float64(x[i]) * float64(w[j])
				dx64[i] += float64(dy[k]) * float64(w[j])
				dw64[j] += float64(dy[k]) * float64(x[i])
			})
			for _, haveAVX2 = range kinds {
				ws := NewWorkers(2)
				y, dx, dw := anywhere(4, ny), anywhere(5, nx), anywhere(6, nw)
				ConvForward(ws, g, x, w, y)
				ConvGradInput(ws, g, w, dy, dx)
				ConvGradWeight(ws, g, x, dy, dw)
				ws.Close()
				near(t, "y", y, y64, 3e-6)
				near(t, "dx", dx, dx64, 3e-6)
				near(t, "dw", dw, dw64, 3e-6)
			}
		})
	}
}

// drawn is a geometry with at least one window.
func drawn(r *rand.Rand) Conv {
	for {
		g := Conv{B: 1 + r.IntN(4), H: 1 + r.IntN(20), W: 1 + r.IntN(20), Kernel: 1 + r.IntN(7),
			Stride: 1 + r.IntN(3), Dilation: 1 + r.IntN(2), Groups: 1 + r.IntN(4), Row: r.IntN(4) == 0}
		g.C, g.K = g.Groups*(1+r.IntN(6)), g.Groups*(1+r.IntN(6))
		if r.IntN(4) == 0 {
			g.C, g.K = g.Groups, g.Groups // depthwise
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
