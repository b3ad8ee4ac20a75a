package train

import (
	"math"
	"math/rand/v2"
)

// view is how an image is looked at: mirrored, then moved by dy rows and dx
// columns, then with a hole. What comes in from outside and the hole are the mean.
type view struct {
	mirror bool
	dy, dx int
	hole   rectangle
}

// rectangle is the pixels with top ≤ y < bottom and left ≤ x < right.
type rectangle struct{ top, left, bottom, right int }

// draw makes the view of a training image at random.
func (s Settings) draw(r *rand.Rand, h, w int) view {
	v := view{mirror: s.Flip && r.IntN(2) == 0}
	if s.Shift > 0 {
		v.dx, v.dy = r.IntN(2*s.Shift+1)-s.Shift, r.IntN(2*s.Shift+1)-s.Shift
	}
	if s.Cutout > 0 {
		// The middle is a pixel of the image; what hangs over is lost.
		top, left := r.IntN(h)-s.Cutout/2, r.IntN(w)-s.Cutout/2
		v.hole = rectangle{top, left, top + s.Cutout, left + s.Cutout}
	}
	return v
}

// augments reports whether training images differ from what they are.
func (s Settings) augments() bool { return s.Flip || s.Shift > 0 || s.Cutout > 0 }

// beta draws from the distribution Beta(a, a).
func beta(r *rand.Rand, a float64) float64 {
	x, y := gamma(r, a), gamma(r, a)
	if x+y == 0 { // both underflow for a tiny a: then it is nearly a coin
		return float64(r.IntN(2))
	}
	return x / (x + y)
}

// gamma draws from the distribution Gamma(a, 1) by the method of Marsaglia and
// Tsang (2000).
func gamma(r *rand.Rand, a float64) float64 {
	if a < 1 {
		return gamma(r, a+1) * math.Pow(1-r.Float64(), 1/a)
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
