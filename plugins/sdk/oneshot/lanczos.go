package oneshot

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Dominant is the largest eigenvalue of a symmetric matrix of order n that is known
// by its products with vectors alone, by the method of Lanczos with the basis made
// orthogonal anew in every step. It takes at most steps products; as many as n make
// it exact but for rounding. It ends early when the eigenvalue no longer changes by
// more than tolerance, relative to its size.
func Dominant(n, steps int, tolerance float64, rng *rand.Rand, times func(v []float64) ([]float64, error)) (float64, error) {
	if n == 0 {
		return 0, fmt.Errorf("a matrix of order 0 has no eigenvalue")
	}
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	floats.Scale(1/floats.Norm(v, 2), v)
	var basis [][]float64
	var diagonal, off []float64
	last := math.Inf(1)
	for range min(steps, n) {
		basis = append(basis, v)
		w, err := times(v)
		if err != nil {
			return 0, err
		}
		w = append([]float64(nil), w...)
		diagonal = append(diagonal, floats.Dot(w, v))
		for range 2 { // once leaves rounding errors in the direction of what has converged
			for _, u := range basis {
				floats.AddScaled(w, -floats.Dot(w, u), u)
			}
		}
		value, err := largest(diagonal, off)
		if err != nil {
			return 0, err
		}
		if math.Abs(value-last) <= tolerance*math.Abs(value) {
			return value, nil
		}
		last = value
		norm := floats.Norm(w, 2)
		if norm <= 1e-12*math.Abs(value) || norm == 0 {
			break // the basis spans all that the start has a part in
		}
		off = append(off, norm)
		floats.Scale(1/norm, w)
		v = w
	}
	return last, nil
}

// largest is the largest eigenvalue of a symmetric tridiagonal matrix; off may be
// longer than there are places.
func largest(diagonal, off []float64) (float64, error) {
	n := len(diagonal)
	t := mat.NewSymDense(n, nil)
	for i, d := range diagonal {
		t.SetSym(i, i, d)
		if i+1 < n {
			t.SetSym(i, i+1, off[i])
		}
	}
	var e mat.EigenSym
	if !e.Factorize(t, false) {
		return 0, fmt.Errorf("the eigenvalues of a matrix of order %d do not converge", n)
	}
	values := e.Values(nil)
	return values[n-1], nil
}
