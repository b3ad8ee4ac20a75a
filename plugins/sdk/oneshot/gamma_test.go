package oneshot

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestGammaSlope compares the slope with differences of the quantile function, where
// that is exact enough, and with what is known in closed form.
func TestGammaSlope(t *testing.T) {
	for _, a := range []float64{0.05, 0.3, 0.9, 1, 1.001, 1.7, 3, 10, 40} {
		for _, u := range []float64{0.001, 0.05, 0.3, 0.5, 0.8, 0.99, 0.9999} {
			z := mathext.GammaIncRegInv(a, u)
			if z < 1e-30 {
				continue
			}
			h := 1e-4 * a
			at := func(k float64) float64 { return mathext.GammaIncRegInv(a+k*h, u) }
			want := (at(-2) - 8*at(-1) + 8*at(1) - at(2)) / (12 * h)
			if got := gammaSlope(a, z); math.Abs(got-want) > 3e-6*math.Abs(want)+1e-12 {
				t.Errorf("shape %v, quantile %v: slope %v, by differences %v", a, u, got, want)
			}
		}
	}
	// Both ways agree where one takes over from the other.
	for _, a := range []float64{0.1, 1, 2.5, 20} {
		below, above := gammaSlope(a, math.Nextafter(a+1, 0)), gammaSlope(a, a+1)
		if math.Abs(below-above) > 1e-13*above {
			t.Errorf("shape %v: %v and %v", a, below, above)
		}
	}
	// As z falls, P(a,z) is z^a / Gamma(a+1): ln z moves by (digamma(a+1) - ln z) / a.
	for _, a := range []float64{0.02, 0.5, 2} {
		z := 1e-12
		want := z * (mathext.Digamma(a+1) - math.Log(z)) / a
		if got := gammaSlope(a, z); math.Abs(got-want) > 1e-9*want {
			t.Errorf("shape %v: slope %v near zero, not %v", a, got, want)
		}
	}
	// The mean of the slope is that of the mean, one.
	for _, a := range []float64{0.4, 1, 5} {
		sum, n := 0.0, 4000
		for i := range n {
			sum += gammaSlope(a, distuv.Gamma{Alpha: a, Beta: 1}.Quantile((float64(i)+0.5)/float64(n)))
		}
		if m := sum / float64(n); math.Abs(m-1) > 2e-3 {
			t.Errorf("shape %v: the mean slope is %v", a, m)
		}
	}
}

func TestPolygamma(t *testing.T) {
	const euler = 0.57721566490153286061
	near(t, []float64{digamma(1), digamma(2), digamma(0.5), digamma(20.5) - digamma(19.5), digamma(1e-3)},
		[]float64{-euler, 1 - euler, -euler - 2*math.Ln2, 1 / 19.5, -1000.5755719318103}, 2e-15)

	near(t, []float64{trigamma(1), trigamma(0.5), trigamma(3)}, []float64{math.Pi * math.Pi / 6, math.Pi * math.Pi / 2, math.Pi*math.Pi/6 - 1.25}, 1e-14)
}

func BenchmarkGammaSlope(b *testing.B) {
	for range b.N {
		gammaSlope(1, 0.5)
		gammaSlope(1, 3)
	}
}
