package kernel

import "math"

// An Activation is a function of one number.
type Activation struct {
	Name string
	f32  [2]func(x float32) float32 // value, derivative
	f64  [2]func(x float64) float64
}

// The activations; ReLU, the one that matters most, is apart.
var (
	Sigmoid     = activation("sigmoid", sigmoid[float32], sigmoidSlope[float32], sigmoid[float64], sigmoidSlope[float64])
	Swish       = activation("swish", swish[float32], swishSlope[float32], swish[float64], swishSlope[float64])
	HardSigmoid = activation("h_sigmoid", hardSigmoid[float32], hardSigmoidSlope[float32], hardSigmoid[float64], hardSigmoidSlope[float64])
	HardSwish   = activation("h_swish", hardSwish[float32], hardSwishSlope[float32], hardSwish[float64], hardSwishSlope[float64])
	GELU        = activation("gelu", gelu[float32], geluSlope[float32], gelu[float64], geluSlope[float64])
	ClippedReLU = activation("clipped_relu", clipped[float32], clippedSlope[float32], clipped[float64], clippedSlope[float64])
)

func activation(name string, f, df func(float32) float32, g, dg func(float64) float64) Activation {
	return Activation{name, [2]func(float32) float32{f, df}, [2]func(float64) float64{g, dg}}
}

// of picks the value (0) or the derivative (1) for an element type.
func of[T Float](a Activation, i int) func(T) T {
	if single[T]() {
		return any(a.f32[i]).(func(T) T)
	}
	return any(a.f64[i]).(func(T) T)
}

// Activate sets y = a(x).
func Activate[T Float](ws *Workers, a Activation, x, y []T) {
	f := of[T](a, 0)
	spans(ws, len(x), func(lo, hi int) {
		y := y[lo:hi]
		for i, v := range x[lo:hi] {
			y[i] = f(v)
		}
	})
}

// ActivateGrad sets dx = a'(x) * dy.
func ActivateGrad[T Float](ws *Workers, a Activation, x, dy, dx []T) {
	f := of[T](a, 1)
	spans(ws, len(x), func(lo, hi int) {
		dx, dy := dx[lo:hi], dy[lo:hi]
		for i, v := range x[lo:hi] {
			dx[i] = f(v) * dy[i]
		}
	})
}

// sigmoid is 1/(1+e^-x).
func sigmoid[T Float](x T) T { return 1 / (1 + exp(-x)) }

func sigmoidSlope[T Float](x T) T {
	s := sigmoid(x)
	return s * (1 - s)
}

// swish is x*sigmoid(x) (Ramachandran, Zoph and Le 2017).
func swish[T Float](x T) T { return x * sigmoid(x) }

func swishSlope[T Float](x T) T {
	s := sigmoid(x)
	return s * (1 + x*(1-s))
}

// hardSigmoid is the sigmoid of MobileNetV3, made of three straight lines.
func hardSigmoid[T Float](x T) T { return min(max(x+3, 0), 6) / 6 }

func hardSigmoidSlope[T Float](x T) T {
	if x <= -3 || x >= 3 {
		return 0
	}
	return 1.0 / 6
}

// hardSwish is x*hardSigmoid(x) (Howard et al. 2019).
func hardSwish[T Float](x T) T { return x * hardSigmoid(x) }

func hardSwishSlope[T Float](x T) T {
	switch {
	case x <= -3:
		return 0
	case x >= 3:
		return 1
	}
	return (2*x + 3) / 6
}

// gelu is x times the normal distribution function (Hendrycks and Gimpel 2016).
func gelu[T Float](x T) T { return x * normal(x) }

func geluSlope[T Float](x T) T {
	const density = 0.3989422804014327 // of the normal distribution at 0
	return normal(x) + x*density*exp(-x*x/2)
}

// clipped is ReLU that ends at 20, as networks for speech use it.
func clipped[T Float](x T) T { return min(max(x, 0), 20) }

func clippedSlope[T Float](x T) T {
	if x <= 0 || x >= 20 {
		return 0
	}
	return 1
}

// normal is the distribution function of the normal distribution. In float32 it
// is formula 7.1.26 of Abramowitz and Stegun, good to 1.5e-7.
func normal[T Float](x T) T {
	if !single[T]() {
		return T(0.5 * math.Erfc(-float64(x)/math.Sqrt2))
	}
	z := x / math.Sqrt2
	if z < 0 {
		z = -z
	}
	t := 1 / (1 + 0.3275911*z)
	tail := t * (0.254829592 + t*(-0.284496736+t*(1.421413741+t*(-1.453152027+t*1.061405429)))) * exp(-z*z) / 2
	if x < 0 {
		return tail
	}
	return 1 - tail
}

// exp is e^x. In float32 it is 2^n times a polynomial on ±log(2)/2, good to 2
// units in the last place; results below the normal numbers are 0.
func exp[T Float](x T) T {
	if !single[T]() {
		return T(math.Exp(float64(x)))
	}
	v := float32(x)
	switch {
	case v != v:
		return x
	case v > 88.72283:
		return T(math.Inf(1))
	case v < -87.33654:
		return 0
	}
	const high, low = 0.693359375, -2.12194440e-4 // log(2) in two parts
	t := v * (1 / math.Ln2)
	n := int32(t + 0.5)
	if t < -0.5 {
		n = int32(t - 0.5)
	}
	r := v - float32(n)*high - float32(n)*low
	p := 1 + r + r*r*(0.5+r*(1.0/6+r*(1.0/24+r*(1.0/120+r*(1.0/720)))))
	// In two factors, since 2^128 is no float32.
	half := n / 2
	return T(p * math.Float32frombits(uint32(half+127)<<23) * math.Float32frombits(uint32(n-half+127)<<23))
}

func tanh[T Float](x T) T { return 2*sigmoid(2*x) - 1 }
