package kernel

import "math"

// Random numbers by place: number i of a seed does not depend on the others, so
// threads may draw them in any order.

// random is the i-th number of the generator SplitMix64 (Steele, Lea and Flood
// 2014) with that seed.
func random(seed uint64, i int) uint64 {
	z := seed + (uint64(i)+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit is a number in [0,1).
func unit(r uint64) float64 { return float64(r>>11) / (1 << 53) }

// Drop fills y with 0, at the given rate, and 1/(1-rate) elsewhere.
func Drop[T Float](ws *Workers, seed uint64, rate float64, y []T) {
	keep, limit := T(1/(1-rate)), uint64(rate*(1<<53))
	spans(ws, len(y), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = keep
			if random(seed, i)>>11 < limit {
				y[i] = 0
			}
		}
	})
}

// Normals fills y with numbers of the normal distribution, by the transform of Box
// and Muller.
func Normals[T Float](ws *Workers, seed uint64, y []T) {
	spans(ws, len(y), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			radius := math.Sqrt(-2 * math.Log(1-unit(random(seed, 2*i))))
			y[i] = T(radius * math.Cos(2*math.Pi*unit(random(seed, 2*i+1))))
		}
	})
}
