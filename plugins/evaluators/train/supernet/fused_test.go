package supernet

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
)

// TestFused runs the supernet of every shipped space that can be relaxed with the
// passes of plans and without, in float64: the loss and all gradients are the same,
// also where some mixture weights are zero.
func TestFused(t *testing.T) {
	ctx := context.Background()
	for file, args := range small {
		t.Run(file, func(t *testing.T) {
			short(t, file)
			_, s := load(t, file, lower.Relaxation{}, args...)
			o := Options{Batch: 2, Seed: 4}
			fused := newTest[float64](t, s, o, 2)
			o.Unfused = true
			plain := newTest[float64](t, s, o, 2)
			images, labels := batch(s, 2, fused.places(), fused.classes(), 1)
			m := random(fused.decisions, 1)
			for _, zeros := range []bool{false, true} {
				if zeros { // of every operation but one, and of some edges
					for i, d := range fused.decisions {
						for k := range m[i] {
							if d.Edges && k%2 == 1 || !d.Edges && k != (i+1)%len(m[i]) {
								m[i][k] = 0
							}
						}
					}
				}
				var losses []float64
				var arch []Mixture
				for _, e := range []*engine[float64]{fused, plain} {
					if err := e.load(images, labels, m); err != nil {
						t.Fatal(err)
					}
					loss, err := e.run(ctx, e.arching, 1)
					if err != nil {
						t.Fatal(err)
					}
					grad, err := e.gradient(1)
					if err != nil {
						t.Fatal(err)
					}
					e.Step-- // the same noise again
					again, err := e.run(ctx, e.weighing, 1)
					if err != nil {
						t.Fatal(err)
					}
					losses, arch = append(losses, loss, again), append(arch, grad)
				}
				for _, l := range losses {
					if math.Abs(l-losses[0]) > 1e-7*losses[0] {
						t.Errorf("losses %v", losses)
						break
					}
				}
				near := func(what string, a, b []float64) {
					largest := 1.0
					for _, v := range slices.Concat(a, b) {
						largest = max(largest, math.Abs(v))
					}
					for k := range a {
						if math.Abs(a[k]-b[k]) > 1e-6*largest {
							t.Errorf("%s[%d]: %v, unfused %v", what, k, a[k], b[k])
							return
						}
					}
				}
				for i := range m {
					near(fused.decisions[i].Address, arch[0][i], arch[1][i])
					for k, w := range m[i] {
						if w == 0 && arch[0][i][k] != 0 {
							t.Errorf("%s: a weight of zero has gradient %v", fused.decisions[i].Address, arch[0][i][k])
						}
					}
				}
				for i, p := range fused.params {
					near(p.Name(), fused.weighing.Value(fused.grads[i]), plain.weighing.Value(plain.grads[i]))
					if fused.weighing.Zero(fused.grads[i]) != plain.weighing.Zero(plain.grads[i]) {
						t.Errorf("%s is left out of one plan only", p.Name())
					}
				}
			}
		})
	}
}
