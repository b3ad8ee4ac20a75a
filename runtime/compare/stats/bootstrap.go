package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Resamples is how many samples the bootstrap draws. With ten thousand, the ends
// of a 95 % interval move by about a hundredth of its width from seed to seed.
const Resamples = 10_000

// source is the random numbers of one interval.
func source() *rand.Rand { return rand.New(rand.NewPCG(1993, 57)) }

// Interval is the 95 % bootstrap interval of the mean, bias-corrected and
// accelerated (BCa; Efron, Better Bootstrap Confidence Intervals, 1987): right to
// second order, and inside the range of the sample, so never above an optimum that
// nothing can exceed. It is nil for fewer than two values.
func Interval(sample []float64) *[2]float64 {
	x := slices.Sorted(slices.Values(sample))
	n := len(x)
	if n < 2 {
		return nil
	}
	if x[0] == x[n-1] {
		return &[2]float64{x[0], x[0]}
	}
	m := Mean(x)
	random := source()
	means := make([]float64, Resamples)
	for i := range means {
		means[i] = resampled(random, x)
	}
	slices.Sort(means)
	// The bias is how far from the middle of the means that of the sample lies.
	below := 0.0
	for _, v := range means {
		switch {
		case v < m:
			below++
		case v == m:
			below += 0.5
		}
	}
	bias := distuv.UnitNormal.Quantile(below / Resamples)
	if math.IsInf(bias, 0) {
		bias = 0
	}
	// The acceleration, of the jackknife: leaving x out changes the mean by
	// (m - x) / (n - 1).
	var square, cube float64
	for _, v := range x {
		d := v - m
		square += d * d
		cube += d * d * d
	}
	acceleration := cube / (6 * math.Pow(square, 1.5))
	end := func(p float64) float64 {
		z := bias + distuv.UnitNormal.Quantile(p)
		return Quantile(distuv.UnitNormal.CDF(bias+z/(1-acceleration*z)), means)
	}
	return &[2]float64{end(Level / 2), end(1 - Level/2)}
}

// DifferenceInterval is the 95 % bootstrap interval of mean(a) - mean(b) for
// independent samples: the percentiles of the differences of resampled means. It
// is nil unless both have two values.
func DifferenceInterval(a, b []float64) *[2]float64 {
	if len(a) < 2 || len(b) < 2 {
		return nil
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	random := source()
	d := make([]float64, Resamples)
	for i := range d {
		d[i] = resampled(random, a) - resampled(random, b)
	}
	slices.Sort(d)
	return &[2]float64{Quantile(Level/2, d), Quantile(1-Level/2, d)}
}

// resampled is the mean of a sample drawn from x with replacement.
func resampled(random *rand.Rand, x []float64) float64 {
	sum := 0.0
	for range x {
		sum += x[random.IntN(len(x))] - x[0]
	}
	return x[0] + sum/float64(len(x))
}

// bandResamples is how many samples are drawn for a band: a picture shows no more.
const bandResamples = 1000

// Band is the 95 % bootstrap interval of the mean at every point of curves:
// values[i][j] is curve j at point i. Whole curves are resampled, and ends are
// percentiles.
func Band(values [][]float64) (low, high []float64) {
	n := len(values[0])
	weights := mat.NewDense(n, bandResamples, nil)
	random := source()
	for b := range bandResamples {
		for range n {
			i := random.IntN(n)
			weights.Set(i, b, weights.At(i, b)+1/float64(n))
		}
	}
	// What is resampled is the distance from the first curve: where all curves
	// are equal, so are the ends.
	distance := mat.NewDense(len(values), n, nil)
	for i, at := range values {
		for j, v := range at {
			distance.Set(i, j, v-at[0])
		}
	}
	var means mat.Dense
	means.Mul(distance, weights)
	for i, at := range values {
		row := means.RawRowView(i)
		slices.Sort(row)
		low, high = append(low, at[0]+Quantile(Level/2, row)), append(high, at[0]+Quantile(1-Level/2, row))
	}
	return low, high
}
