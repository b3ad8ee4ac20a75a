package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/combin"
)

// exactLimit is the most values (pairs, for the signed ranks) for which the exact
// distributions are computed; beyond it the normal ones agree to three digits.
const exactLimit = 100

// Differences are a[i] - b[i] without what rounding leaves: differences that are
// equal on paper are equal, and get equal ranks.
func Differences(a, b []float64) []float64 {
	largest := 0.0
	for i := range a {
		largest = max(largest, math.Abs(a[i]), math.Abs(b[i]))
	}
	out := make([]float64, len(a))
	if largest == 0 {
		return out
	}
	step := math.Ldexp(1, math.Ilogb(largest)-40) // a part in 10¹²
	for i := range a {
		out[i] = math.Round((a[i]-b[i])/step) * step
	}
	return out
}

// SignedRank is the two-sided p of Wilcoxon's signed-rank test on the differences
// of pairs. Differences of 0 are left out, as Wilcoxon (1945), R and SciPy do; p is
// 1 when nothing else is left. n is how many pairs remained.
func SignedRank(differences []float64) (p float64, n int) {
	var size []float64
	var positive []bool
	for _, d := range differences {
		if d != 0 {
			size, positive = append(size, math.Abs(d)), append(positive, d > 0)
		}
	}
	n = len(size)
	if n == 0 {
		return 1, 0
	}
	r, ties := ranks(size)
	sum, total := 0.0, 0.0
	for i := range r {
		if total += r[i]; positive[i] {
			sum += r[i]
		}
	}
	if n > exactLimit {
		count := float64(n)
		variance := count*(count+1)*(2*count+1)/24 - ties/48
		return normal(sum-total/2, variance), n
	}
	// Under the null hypothesis every rank is positive with probability 1/2.
	// Doubled, ranks are whole; below[s] becomes the probability of the sum s.
	below := make([]float64, int(2*total)+1)
	below[0] = 1
	reached := 0
	for _, rank := range r {
		step := int(2 * rank)
		reached += step
		for s := reached; s >= 0; s-- {
			v := below[s]
			if s >= step {
				v += below[s-step]
			}
			below[s] = v / 2
		}
	}
	return twoSided(below, int(2*sum)), n
}

// LeastSignedRank is the smallest p that n pairs can give: with fewer than 6 there
// is nothing below 0.05.
func LeastSignedRank(n int) float64 { return math.Min(1, math.Ldexp(2, -n)) }

// MannWhitney is the two-sided p of the U test on two independent samples, twice
// the smaller tail.
func MannWhitney(a, b []float64) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	n, total := len(a), len(a)+len(b)
	r, ties := ranks(append(append(make([]float64, 0, total), a...), b...))
	sum := 0.0
	for _, rank := range r[:n] {
		sum += rank
	}
	if total > exactLimit {
		n, m, all := float64(n), float64(len(b)), float64(total)
		variance := n * m / 12 * (all + 1 - ties/(all*(all-1)))
		return normal(sum-n*(all+1)/2, variance)
	}
	// ways[k][s] counts the sets of k doubled ranks that add up to s.
	most := 2 * n * total
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, most+1)
	}
	ways[0][0] = 1
	for i, rank := range r {
		step := int(2 * rank)
		for k := min(n, i+1); k > 0; k-- {
			for s := step; s <= most; s++ {
				ways[k][s] += ways[k-1][s-step]
			}
		}
	}
	return twoSided(ways[n], int(2*sum))
}

// LeastMannWhitney is the smallest p that samples of n and m values can give.
func LeastMannWhitney(n, m int) float64 {
	return math.Min(1, 2*math.Exp(-combin.LogGeneralizedBinomial(float64(n+m), float64(n))))
}

// twoSided is twice the smaller tail at s of a distribution by weights.
func twoSided(weights []float64, s int) float64 {
	var lower, upper float64
	for i, w := range weights {
		if i <= s {
			lower += w
		}
		if i >= s {
			upper += w
		}
	}
	return clamp(2 * math.Min(lower, upper) / (lower + upper - weights[s]))
}

// normal is the two-sided p of a rank sum by its distance from the mean, corrected
// for continuity.
func normal(distance, variance float64) float64 {
	if variance <= 0 {
		return 1
	}
	z := math.Max(0, math.Abs(distance)-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2) // twice the upper tail, also where that is tiny
}

// A12 is the probability that a value of a is larger than one of b, ties counting
// half (Vargha and Delaney 2000). 0.5 is no effect; 0.56, 0.64 and 0.71 are what
// they call a small, medium and large one. Cliff's delta is 2 A12 - 1.
func A12(a, b []float64) float64 {
	r, _ := ranks(append(append(make([]float64, 0, len(a)+len(b)), a...), b...))
	sum := 0.0
	for _, rank := range r[:len(a)] {
		sum += rank
	}
	n, m := float64(len(a)), float64(len(b))
	return (sum - n*(n+1)/2) / (n * m)
}
