package kernel

import "math"

// The activations: Swish is x*sigmoid(x) (Ramachandran, Zoph and Le 2017);
// HardSigmoid is the sigmoid of MobileNetV3 made of three straight lines and
// HardSwish x times it (Howard et al. 2019); GELU is x times the normal distribution
// function (Hendrycks and Gimpel 2016); ClippedReLU ends at 20, as networks for
// speech use it.

// An Activation is a function of one number.
type Activation int

// The activations; ReLU, the one that matters most, is apart.
const (
	Sigmoid Activation = iota
	Swish
	HardSigmoid
	HardSwish
	GELU
	ClippedReLU
)

var activationNames = [...]string{"sigmoid", "swish", "h_sigmoid", "h_swish", "gelu", "clipped_relu"}

// String is the name of the function.
func (a Activation) String() string { return activationNames[a] }

// block is how many numbers are in work at a time.
const block = 256

// Activate sets y = a(x).
func Activate[T Float](ws *Workers, a Activation, x, y []T) {
	spans(ws, len(x), func(lo, hi int) {
		var e [block]T
		for ; lo < hi; lo += block {
			h := min(hi, lo+block)
			activate(a, y[lo:h], x[lo:h], e[:h-lo])
		}
	})
}

// ActivateGrad sets dx = a'(x) * dy.
func ActivateGrad[T Float](ws *Workers, a Activation, x, dy, dx []T) {
	spans(ws, len(x), func(lo, hi int) {
		var e, slope [block]T
		for ; lo < hi; lo += block {
			h := min(hi, lo+block)
			d := slope[:h-lo]
			slopes(a, d, x[lo:h], e[:h-lo])
			out := dx[lo:h]
			for i, v := range dy[lo:h] {
				out[i] = d[i] * v
			}
		}
	})
}

// activate sets y = a(x); e is memory to work in.
func activate[T Float](a Activation, y, x, e []T) {
	y, e = y[:len(x)], e[:len(x)]
	switch a {
	case Sigmoid, Swish:
		affine(e, x, -1, 0)
		exps(e, e)
		if a == Sigmoid {
			for i, v := range e {
				y[i] = 1 / (1 + v)
			}
			break
		}
		for i, v := range x {
			y[i] = v / (1 + e[i])
		}
	case GELU:
		tails(e, x)
		for i, v := range x {
			y[i] = v * normal(v, e[i])
		}
	case HardSigmoid:
		for i, v := range x {
			y[i] = min(max(v+3, 0), 6) / 6
		}
	case HardSwish:
		for i, v := range x {
			y[i] = v * (min(max(v+3, 0), 6) / 6)
		}
	case ClippedReLU:
		for i, v := range x {
			y[i] = min(max(v, 0), 20)
		}
	}
}

// slopes sets d to the derivatives at x.
func slopes[T Float](a Activation, d, x, e []T) {
	d, e = d[:len(x)], e[:len(x)]
	switch a {
	case Sigmoid, Swish:
		affine(e, x, -1, 0)
		exps(e, e)
		for i, v := range e {
			s := 1 / (1 + v)
			if a == Sigmoid {
				d[i] = s * (1 - s)
			} else {
				d[i] = s * (1 + x[i]*(1-s))
			}
		}
	case GELU:
		const density = 0.3989422804014327 // of the normal distribution at 0
		tails(e, x)
		for i, v := range x {
			d[i] = normal(v, e[i]) + v*density*e[i]
		}
	case HardSigmoid:
		for i, v := range x {
			d[i] = 0
			if v > -3 && v < 3 {
				d[i] = 1.0 / 6
			}
		}
	case HardSwish:
		for i, v := range x {
			switch {
			case v <= -3:
				d[i] = 0
			case v >= 3:
				d[i] = 1
			default:
				d[i] = (2*v + 3) / 6
			}
		}
	case ClippedReLU:
		for i, v := range x {
			d[i] = 0
			if v > 0 && v < 20 {
				d[i] = 1
			}
		}
	}
}

// tails sets e = exp(-x²/2).
func tails[T Float](e, x []T) {
	for i, v := range x {
		e[i] = -v * v / 2
	}
	exps(e, e)
}

// sigmoid is 1/(1+e^-x).
func sigmoid[T Float](x T) T { return 1 / (1 + exp(-x)) }

func tanh[T Float](x T) T { return 2*sigmoid(2*x) - 1 }

// normal is the distribution function of the normal distribution at x; e is
// exp(-x²/2). In float32 it is formula 7.1.26 of Abramowitz and Stegun, good to
// 1.5e-7.
func normal[T Float](x, e T) T {
	if !single[T]() {
		return T(0.5 * math.Erfc(-float64(x)/math.Sqrt2))
	}
	z := x * (math.Sqrt2 / 2)
	if z < 0 {
		z = -z
	}
	t := 1 / (1 + 0.3275911*z)
	tail := t * (0.254829592 + t*(-0.284496736+t*(1.421413741+t*(-1.453152027+t*1.061405429)))) * e / 2
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
