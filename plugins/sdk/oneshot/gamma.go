package oneshot

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
)

// gammaSlope is dz/da of a draw z of the gamma distribution of shape a and scale 1, at
// an equal quantile: -(dP(a,z)/da) / (dP(a,z)/dz) with P the cumulative distribution
// (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients", NeurIPS 2018). z
// and a are positive.
//
// Below a + 1 it is by the series P = sum over n of z^(a+n) e^-z / Gamma(a+n+1), whose
// derivative is taken term by term. Above, by the upper tail: with Q = 1 - P,
//
//	dz/da = integral over s from 0 of e^-s (1 + s/z)^(a-1) (ln(z + s) - digamma(a)) ds
//
// neither of which cancels where it is used.
func gammaSlope(a, z float64) float64 {
	if z < a+1 {
		term, sum, log := 1.0, 0.0, math.Log(z)
		psi := digamma(a + 1)
		for n := 1; ; n++ {
			sum += term * (log - psi)
			term *= z / (a + float64(n))
			psi += 1 / (a + float64(n))
			if term < 1e-17 && term*math.Abs(log-psi) <= 1e-17*math.Abs(sum) {
				break
			}
		}
		return -sum * z / a
	}
	psi, log := digamma(a), math.Log(z)
	nodes, weights := legendre()
	sum := 0.0
	for from, width := 0.0, 2.0; ; from, width = from+width, 2*width {
		part := 0.0
		for i, x := range nodes {
			s := from + width*x
			more := math.Log1p(s / z)
			part += weights[i] * math.Exp(-s+(a-1)*more) * (log + more - psi)
		}
		if sum += width * part; math.Abs(width*part) <= 1e-16*math.Abs(sum) {
			return sum
		}
	}
}

// legendre are nodes and weights of Gauss-Legendre quadrature over [0, 1].
var legendre = sync.OnceValues(func() (nodes, weights []float64) {
	nodes, weights = make([]float64, 24), make([]float64, 24)
	quad.Legendre{}.FixedLocations(nodes, weights, 0, 1)
	return nodes, weights
})

// digamma is the derivative of the logarithm of the gamma function at a positive x, to
// the last digits but one; gonum's has ten.
func digamma(x float64) float64 {
	out := 0.0
	for ; x < 10; x++ {
		out -= 1 / x
	}
	y := 1 / (x * x)
	return out + math.Log(x) - 0.5/x - y*(1./12-y*(1./120-y*(1./252-y*(1./240-y*(1./132-y*(691./32760))))))
}

// trigamma is the derivative of the digamma function.
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }
