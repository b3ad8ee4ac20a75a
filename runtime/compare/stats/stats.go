// Package stats is the statistics of comparing search methods by repeated runs.
//
// Results of searches are rarely normal: they are bounded by the optimum of the
// space, often tied at it, and skewed. So everything here is by ranks or by
// resampling, and ties are taken as they are:
//
//   - [Interval] of a mean or of a difference of means, by the bootstrap
//     (Efron 1987);
//   - [SignedRank] for two methods on the same blocks (Wilcoxon 1945) and
//     [MannWhitney] for two independent samples (Mann and Whitney 1947), both
//     with the exact distribution given the ties while samples are small;
//   - [Friedman] and [KruskalWallis] for more methods, [Holm] for the pairs after
//     them (Holm 1979);
//   - [CriticalDifference] of average ranks (Nemenyi 1963) and the [Cliques] that
//     a critical-difference diagram joins (Demšar 2006);
//   - [A12], how often one method beats the other (Vargha and Delaney 2000).
//
// Moments, quantiles and distributions are gonum's, which has no rank tests. The
// U test of aclements/go-moremath is not used: with ties it gives probabilities
// above 1, and others when the samples change places.
//
// Everything is a function of its arguments: samples are sorted before they are
// resampled and the random numbers have a fixed seed, so the order of runs never
// shows in a result.
package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Level is the error that tests may make and intervals leave out.
const Level = 0.05

// Summary describes a sample. Std is that of a sample (divided by n - 1) and,
// like Interval, nil for a single value.
type Summary struct {
	N        int         `json:"n"`
	Mean     float64     `json:"mean"`
	Std      *float64    `json:"std"`
	Interval *[2]float64 `json:"interval"` // of the mean, 95 %
	Median   float64     `json:"median"`
	Best     float64     `json:"best"`
}

// Describe summarizes a sample, which must not be empty.
func Describe(sample []float64, maximize bool) Summary {
	x := slices.Sorted(slices.Values(sample))
	s := Summary{N: len(x), Mean: Mean(x), Median: Quantile(0.5, x), Best: x[0]}
	if maximize {
		s.Best = x[len(x)-1]
	}
	if len(x) > 1 {
		std := stat.StdDev(x, nil)
		if x[0] == x[len(x)-1] {
			std = 0
		}
		s.Std = &std
		s.Interval = Interval(x)
	}
	return s
}

// Quantile is the p-quantile of a sorted sample, between two values in proportion
// (the default of R and NumPy).
func Quantile(p float64, sorted []float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Mean is the mean of a sample, which must not be empty; of equal values it is
// exactly that value.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v - x[0]
	}
	return x[0] + sum/float64(len(x))
}

// ranks gives the smallest value rank 1 and equal values the mean of their ranks;
// ties is the sum of t³ - t over groups of t equal values.
func ranks(x []float64) (r []float64, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	r = make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			r[k] = float64(i+1+j) / 2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return r, ties
}

// clamp keeps a probability one after rounding.
func clamp(p float64) float64 { return math.Min(1, math.Max(0, p)) }
