package ops_test

import (
	"context"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
)

// BenchmarkOps runs ops forward and backward, gradients of inputs and parameters
// included, in the sizes of the networks they come from, on one thread.
func BenchmarkOps(b *testing.B) {
	for _, c := range []struct {
		op   string
		a    ops.Attrs
		in   []int
		macs float64 // of one example, forward
	}{
		{"attention", attrs("heads", 3, "reach", 14), []int{2, 192, 197, 1}, 4*192*192*197 + 2*192*197*197},
		{"feed_forward", attrs("ratio", 4), []int{2, 192, 197, 1}, 2 * 768 * 192 * 197},
		{"layer_norm", attrs(), []int{8, 192, 197, 1}, 0},
		{"gelu", attrs(), []int{8, 192, 197, 1}, 0},
		{"softmax", attrs(), []int{8, 192, 197, 1}, 0},
		{"lstm", attrs("units", 500), []int{4, 1200, 100, 1}, 4 * 500 * 1700 * 100},
		{"conv_relu", attrs("kernel", 5, "groups", 100), []int{4, 600, 400, 1}, 600 * 6 * 5 * 400},
		{"frame_linear", attrs(), []int{2, 600, 400, 1}, 600 * 600 * 400},
		{"grouped_mbconv", attrs("kernel", 5, "expand", 3, "groups", 2), []int{8, 32, 28, 28}, 96*(16+25+16)*784 + 0},
		{"mbconv", with(attrs("kernel", 3, "expand", 4), "se", true), []int{8, 40, 28, 28}, 160 * (40 + 9 + 40) * 784},
		{"mbconv", with(attrs("kernel", 5, "expand", 4), "act", "h_swish"), []int{8, 80, 14, 14}, 320 * (80 + 25 + 80) * 196},
		{"shuffle", attrs("kernel", 7), []int{8, 160, 14, 14}, 80 * (80 + 49 + 80) * 196},
		{"adaptive_pool", attrs("height", 7), []int{8, 64, 28, 28}, 0},
		{"dropout", attrs(), []int{8, 64, 28, 28}, 0},
		{"linear", attrs("out", 1000), []int{32, 1280}, 1280 * 1000},
	} {
		b.Run(c.op, func(b *testing.B) {
			bench := newBench(b, gorgonia.Float32, 1)
			x := bench.leaf("x", c.in...)
			out, err := bench.Build("site", c.op, c.a, x)
			if err != nil {
				b.Fatal(err)
			}
			loss, err := bench.Dot(out, bench.leaf("r", out.Shape()...))
			if err != nil {
				b.Fatal(err)
			}
			_, grads, err := bench.Gradients(loss, append(gorgonia.Nodes{x}, bench.params...))
			if err != nil {
				b.Fatal(err)
			}
			p, err := plan.New(bench.Workers, plan.Options[float32]{}, append(gorgonia.Nodes{out}, grads...)...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			if c.macs > 0 {
				b.ReportMetric(6*c.macs*float64(c.in[0])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
		})
	}
}
