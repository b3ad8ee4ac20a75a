package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat/distuv"
)

// Omnibus is a test of whether several methods differ at all.
type Omnibus struct {
	Name      string  `json:"name"`
	Statistic float64 `json:"statistic"`
	Freedom   int     `json:"degrees_of_freedom"`
	P         float64 `json:"p"`
}

// Friedman tests methods on common blocks: blocks[i][j] is the result of method j
// in block i. The statistic is corrected for ties and p is of its chi-squared
// distribution, which errs to the safe side where blocks are few.
func Friedman(blocks [][]float64) Omnibus {
	n, k := float64(len(blocks)), float64(len(blocks[0]))
	sums := make([]float64, len(blocks[0]))
	ties := 0.0
	for _, block := range blocks {
		r, t := ranks(block)
		floats.Add(sums, r)
		ties += t
	}
	out := Omnibus{Name: "Friedman", Freedom: len(sums) - 1, P: 1}
	square := floats.Dot(sums, sums)
	if correction := 1 - ties/(n*k*(k*k-1)); correction > 1e-12 {
		out.Statistic = max(0, (12/(n*k*(k+1))*square-3*n*(k+1))/correction)
		out.P = chiSquared(out.Statistic, out.Freedom)
	}
	return out
}

// KruskalWallis tests methods by independent samples, corrected for ties.
func KruskalWallis(samples [][]float64) Omnibus {
	var all []float64
	for _, s := range samples {
		all = append(all, s...)
	}
	r, ties := ranks(all)
	n := float64(len(all))
	h := 0.0
	for _, s := range samples {
		sum := floats.Sum(r[:len(s)])
		h += sum * sum / float64(len(s))
		r = r[len(s):]
	}
	out := Omnibus{Name: "Kruskal-Wallis", Freedom: len(samples) - 1, P: 1}
	if correction := 1 - ties/(n*n*n-n); correction > 1e-12 {
		out.Statistic = max(0, (12/(n*(n+1))*h-3*(n+1))/correction)
		out.P = chiSquared(out.Statistic, out.Freedom)
	}
	return out
}

func chiSquared(x float64, freedom int) float64 {
	return clamp(distuv.ChiSquared{K: float64(freedom)}.Survival(x))
}

// Holm corrects the p of several tests so that the chance of even one false
// finding stays below the level (Holm 1979).
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if p[a] < p[b] {
			return -1
		} else if p[a] > p[b] {
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	least := 0.0
	for i, at := range order {
		least = max(least, math.Min(1, p[at]*float64(len(p)-i)))
		out[at] = least
	}
	return out
}
