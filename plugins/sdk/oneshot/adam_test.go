package oneshot

import (
	"math"
	"testing"
)

// TestAdam: three steps against numbers computed in decimal arithmetic from the
// algorithm as published, with the decay added to the gradient.
func TestAdam(t *testing.T) {
	a := &Adam{Rate: 0.01, Beta1: 0.5, Beta2: 0.999, Decay: 0.001}
	p := Params{nil, {0.5, -0.2}}
	if err := a.Start(nil, p); err != nil {
		t.Fatal(err)
	}
	grads := []Params{{nil, {0.3, -1}}, {nil, {0.1, 0.5}}, {nil, {-0.7, 0}}}
	want := [][]float64{{0.49000000033277869108, -0.1900000000999800029}, {0.48253773746565139667, -0.1899975544434697447},
		{0.48993506649426762164, -0.1899945879280847082}}
	for i, g := range grads {
		if i == 2 { // what it remembers survives
			b, err := a.Save()
			if err != nil {
				t.Fatal(err)
			}
			a = &Adam{Rate: a.Rate, Beta1: a.Beta1, Beta2: a.Beta2, Decay: a.Decay}
			if err := a.Load(b); err != nil {
				t.Fatal(err)
			}
		}
		a.Step(p, g)
		near(t, p[1], want[i], 1e-15)
	}
}

// near checks numbers up to a relative error, or an absolute one below 1.
func near(t testing.TB, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v, not %v", got, want)
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tolerance*max(1, math.Abs(want[i]))) {
			t.Fatalf("%v, not %v: %v differs by %v", got, want, i, d)
		}
	}
}
