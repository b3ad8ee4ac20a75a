package oneshot

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/nasc-project/nasc/compiler/space/stream"
)

// TestDominant: the largest eigenvalue of random symmetric matrices, also where one
// below zero is larger, of a multiple of the identity, and of zeros.
func TestDominant(t *testing.T) {
	rng := stream.New(3, "matrix", 0)
	for _, n := range []int{1, 2, 6, 40} {
		for _, shift := range []float64{0, -20, 20} {
			a := mat.NewSymDense(n, nil)
			for i := range n {
				for j := range i + 1 {
					a.SetSym(i, j, rng.NormFloat64())
				}
				a.SetSym(i, i, a.At(i, i)+shift)
			}
			products := 0
			got, err := Dominant(n, n, 0, rng, func(v []float64) ([]float64, error) {
				products++
				out := mat.NewVecDense(n, nil)
				out.MulVec(a, mat.NewVecDense(n, v))
				return out.RawVector().Data, nil
			})
			var e mat.EigenSym
			if !e.Factorize(a, false) {
				t.Fatal("no eigenvalues")
			}
			want := e.Values(nil)[n-1]
			if err != nil || math.Abs(got-want) > 1e-9*(1+math.Abs(want)) || products > n {
				t.Errorf("order %d: %v after %d products, want %v (%v)", n, got, products, want, err)
			}
		}
	}
	for _, scale := range []float64{0, -2, 3} {
		products := 0
		got, err := Dominant(8, 8, 0, rng, func(v []float64) ([]float64, error) {
			products++
			out := make([]float64, len(v))
			for i := range v {
				out[i] = scale * v[i]
			}
			return out, nil
		})
		if err != nil || math.Abs(got-scale) > 1e-12 || products != 1 {
			t.Errorf("%v times the identity: %v after %d products (%v)", scale, got, products, err)
		}
	}
	bad := errors.New("no product")
	if _, err := Dominant(3, 3, 0, rng, func([]float64) ([]float64, error) { return nil, bad }); !errors.Is(err, bad) {
		t.Error(err)
	}
	if _, err := Dominant(0, 3, 0, rng, nil); err == nil {
		t.Error("nothing has an eigenvalue")
	}
}
