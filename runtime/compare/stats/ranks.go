package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"
)

// AverageRanks are the ranks of methods, averaged over blocks; 1 is the best.
func AverageRanks(blocks [][]float64, maximize bool) []float64 {
	out := make([]float64, len(blocks[0]))
	for _, block := range blocks {
		r, _ := ranks(block)
		floats.Add(out, r)
	}
	n := float64(len(blocks))
	for j := range out {
		out[j] /= n
		if maximize {
			out[j] = float64(len(out)+1) - out[j]
		}
	}
	return out
}

// CriticalDifference is how far apart two of k average ranks over n blocks must
// be to differ at the 5 % level, when all pairs are looked at (Nemenyi 1963; Demšar
// 2006, equation 7 of section 3.2.2).
func CriticalDifference(k, n int) float64 {
	return studentized(1-Level, k) / math.Sqrt2 * math.Sqrt(float64(k*(k+1))/float64(6*n))
}

// studentized is the p-quantile of the range of k standard normal values: that of
// the studentized range with infinitely many degrees of freedom.
func studentized(p float64, k int) float64 {
	cdf := func(q float64) float64 {
		density := func(z float64) float64 {
			return distuv.UnitNormal.Prob(z) * math.Pow(distuv.UnitNormal.CDF(z)-distuv.UnitNormal.CDF(z-q), float64(k-1))
		}
		return float64(k) * quad.Fixed(density, -9, 9, 200, nil, 0)
	}
	low, high := 0.0, 20.0
	for range 60 {
		if mid := (low + high) / 2; cdf(mid) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// Cliques are the largest sets of methods whose average ranks lie within the
// critical difference, as indices of ranks; methods alone are left out.
func Cliques(ranks []float64, difference float64) [][]int {
	order := make([]int, len(ranks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if ranks[a] < ranks[b] {
			return -1
		} else if ranks[a] > ranks[b] {
			return 1
		}
		return 0
	})
	var out [][]int
	reached := 0 // the end of the last clique: one that ends there is part of it
	for i := range order {
		j := i + 1
		for j < len(order) && ranks[order[j]]-ranks[order[i]] < difference {
			j++
		}
		if j-i > 1 && j > reached {
			out = append(out, slices.Clone(order[i:j]))
			reached = j
		}
	}
	return out
}
