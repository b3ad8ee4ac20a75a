package train

import (
	"context"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// BenchmarkOneShotStep is what one step of a search takes, a gradient of the mixture and
// a weight step, in the reduced set-up of NAS-Bench-201 (oneshot-small.nas: 8 channels,
// one cell a stage, batches of 64): with every operation in the mixture (DARTS), with one
// operation on every edge (GDAS; a different one in every step), of second order, and a
// score of one architecture on one batch. "darts/gdas" is how many times faster the
// second is.
func BenchmarkOneShotStep(b *testing.B) {
	ctx := context.Background()
	st := searching()
	st.Size, st.Train, st.Valid, st.SupernetBatch = 32, 640, 640, 64
	tr, err := New(st, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { tr.Close() })
	n := relaxed(b, nb201, lower.Relaxation{}, compiler.Argument{Name: "c", Value: int64(8)}, compiler.Argument{Name: "n", Value: int64(1)})
	s := open(b, tr, n)
	dense := blend(n, 1)
	for i := range dense {
		for k := range dense[i] {
			dense[i][k] = 0.2
		}
	}
	// sampled has operation i+step of the five on edge i.
	sampled := func(step int) sdk.Mixture {
		m := blend(n, 1)
		for i := range m {
			clear(m[i])
			m[i][(i+step)%len(m[i])] = 1
		}
		return m
	}
	step := func(b *testing.B, m sdk.Mixture, o sdk.ArchGradient) {
		if _, _, err := s.ArchGradient(ctx, m, o); err != nil {
			b.Fatal(err)
		}
		if _, err := s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
			b.Fatal(err)
		}
	}
	each := map[string]float64{} // seconds
	bench := func(name string, do func(b *testing.B, i int)) {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				do(b, i)
			}
			each[name] = b.Elapsed().Seconds() / float64(b.N)
			if name == "gdas" && each["darts"] > 0 {
				b.ReportMetric(each["darts"]/each["gdas"], "darts/gdas")
			}
		})
	}
	bench("darts", func(b *testing.B, _ int) { step(b, dense, sdk.ArchGradient{}) })
	bench("gdas", func(b *testing.B, i int) { step(b, sampled(i), sdk.ArchGradient{}) })
	bench("darts2", func(b *testing.B, _ int) { step(b, dense, sdk.ArchGradient{Unrolled: true, Radius: 0.01}) })
	bench("score", func(b *testing.B, i int) {
		if _, err := s.Score(ctx, []sdk.Mixture{sampled(i)}, sdk.Score{First: i, Batches: 1}); err != nil {
			b.Fatal(err)
		}
	})
}
