package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/runtime/compare/stats"
)

// demsar is table 6 of Demšar, Statistical Comparisons of Classifiers over Multiple
// Data Sets (JMLR 7, 2006): C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets.
var demsar = [][]float64{
	{0.763, 0.768, 0.771, 0.798}, {0.599, 0.591, 0.590, 0.569}, {0.954, 0.971, 0.968, 0.967},
	{0.628, 0.661, 0.654, 0.657}, {0.882, 0.888, 0.886, 0.898}, {0.936, 0.931, 0.916, 0.931},
	{0.661, 0.668, 0.609, 0.685}, {0.583, 0.583, 0.563, 0.625}, {0.775, 0.838, 0.866, 0.875},
	{1.000, 1.000, 1.000, 1.000}, {0.940, 0.962, 0.965, 0.962}, {0.619, 0.666, 0.614, 0.669},
	{0.972, 0.981, 0.975, 0.975}, {0.957, 0.978, 0.946, 0.970},
}

// normalA and normalB are 120 values each of N(94.2, 0.3) and N(94.1, 0.3) with one
// decimal, so with many ties: the letter a is 93.4, the next 93.5 and so on.
const (
	normalA = "gehjliggknjefnjdifghgkigjkdhfheiihfhfejfmkcjfiichhlekfhfmkpkllgimhjikhijifleeelhffjfekehihimgechhjhhggihiojdnjfliggfilhj"
	normalB = "ndigeehifhjikiimjhjegjjmhdnkelhcgfmfgggeikjeehffcnkeklafgjhghnnfepefhikiejinhdelfbfhlejjfgmmkikhhehhpgllglahkaekgegfjigf"
)

func letters(text string) []float64 {
	out := make([]float64, len(text))
	for i := range text {
		out[i] = 93.4 + float64(text[i]-'a')/10
	}
	return out
}

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// The expected values of the tests are SciPy 1.17's where nothing else is said.

func TestSignedRank(t *testing.T) {
	column := func(j int) (x []float64) {
		for _, block := range demsar {
			x = append(x, block[j])
		}
		return x
	}
	p, n := stats.SignedRank(stats.Differences(column(1), column(0))) // wilcoxon(d, method=PermutationMethod(inf)): zeros and ties
	near(t, "p with ties", p, 0.00732421875, 1e-12)
	if n != 12 {
		t.Errorf("%d pairs differ, want 12", n)
	}
	// Hollander and Wolfe's depression data, the example of R's wilcox.test.
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	for i := range x {
		x[i] -= y[i]
	}
	p, _ = stats.SignedRank(x)
	near(t, "p of the depression data", p, 0.0390625, 1e-12)
	a, b := letters(normalA), letters(normalB)
	p, _ = stats.SignedRank(stats.Differences(a, b)) // method="approx", correction=True
	near(t, "p of many", p, 0.5340129475368935, 1e-9)
	if p, n := stats.SignedRank([]float64{0, 0, 0}); p != 1 || n != 0 {
		t.Errorf("nothing differs: p %v of %d", p, n)
	}
}

func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		p    float64
	}{
		{[]float64{19, 22, 16, 29, 24}, []float64{20, 11, 17, 12}, 1.0 / 9},                              // method="exact"
		{[]float64{94.37, 94.37, 94.37, 94.2, 93.9}, []float64{94.37, 94.37, 93.1, 93.2, 93.3}, 2.0 / 7}, // PermutationMethod(inf)
		{[]float64{1, 1, 3, 4, 4, 4, 9}, []float64{1, 4, 4, 5, 5, 5, 5, 7, 8, 9}, 0.097696421225833},     // the same
		{[]float64{2, 2}, []float64{1, 1, 1, 1.5}, 2.0 / 15},                                             // the same
		{[]float64{2}, []float64{1, 1, 1}, 0.5},                                                          // twice 1/4
		{[]float64{5, 5}, []float64{5, 5, 5}, 1},
		{letters(normalA), letters(normalB), 0.5908497915297746}, // method="asymptotic"
	} {
		near(t, "p", stats.MannWhitney(c.a, c.b), c.p, 1e-9)
		near(t, "p of the samples exchanged", stats.MannWhitney(c.b, c.a), c.p, 1e-9)
	}
}

// TestTail: what is far out is small and not 0. The samples
// of 200 do not overlap, and all of 200 pairs are positive.
func TestTail(t *testing.T) {
	low, high := make([]float64, 200), make([]float64, 200)
	for i := range low {
		low[i], high[i] = float64(i), float64(i+200)
	}
	near(t, "p of U", stats.MannWhitney(low, high)/4.830856390397399e-67, 1, 1e-6)
	p, _ := stats.SignedRank(high)
	near(t, "p of the signed ranks", p/1.4470017348102398e-34, 1, 1e-6)
}

// TestLeast: the bounds are reached by samples that do not overlap.
func TestLeast(t *testing.T) {
	up := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for n := 1; n <= len(up); n++ {
		p, _ := stats.SignedRank(up[:n])
		near(t, "least signed rank", stats.LeastSignedRank(n), p, 1e-12)
		if n < len(up) {
			near(t, "least U", stats.LeastMannWhitney(n, len(up)-n), stats.MannWhitney(up[:n], up[n:]), 1e-12)
		}
	}
}

func TestSeveral(t *testing.T) {
	f := stats.Friedman(demsar) // friedmanchisquare
	near(t, "Friedman's statistic", f.Statistic, 10.952380952380956, 1e-9)
	near(t, "Friedman's p", f.P, 0.011986176325417788, 1e-9)
	k := stats.KruskalWallis([][]float64{{1, 3, 5, 7, 9}, {2, 4, 6, 8, 10}})
	near(t, "H", k.Statistic, 0.2727272727272734, 1e-9)
	near(t, "p of H", k.P, 0.6015081344405895, 1e-9)
	k = stats.KruskalWallis([][]float64{{1, 1, 1}, {2, 2, 2}, {2, 2}})
	near(t, "H with ties", k.Statistic, 7, 1e-9)
	near(t, "p of H with ties", k.P, 0.0301973834223185, 1e-9)
	// Hollander and Wolfe (1973), page 116: the example of R's kruskal.test.
	k = stats.KruskalWallis([][]float64{{2.9, 3.0, 2.5, 2.6, 3.2}, {3.8, 2.7, 4.0, 2.4}, {2.8, 3.4, 3.7, 2.2, 2.0}})
	near(t, "H of the mucociliary data", k.Statistic, 0.77143, 1e-5)
	near(t, "p of the mucociliary data", k.P, 0.68, 1e-3)
	same := [][]float64{{1, 1, 1}, {1, 1, 1}}
	if f, k := stats.Friedman(same), stats.KruskalWallis(same); f.P != 1 || k.P != 1 {
		t.Errorf("nothing differs: p %v and %v", f.P, k.P)
	}
}

func TestHolm(t *testing.T) {
	// statsmodels' multipletests(method="holm")
	want := []float64{0.04, 0.09, 0.09, 0.025, 0.2}
	for i, p := range stats.Holm([]float64{0.01, 0.04, 0.03, 0.005, 0.2}) {
		near(t, "adjusted p", p, want[i], 1e-12)
	}
}

// TestCriticalDifference: table 5 (a) of Demšar (2006), which cuts the third
// decimal off, and its example: four methods on 14 data sets.
func TestCriticalDifference(t *testing.T) {
	for i, q := range []float64{1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164} {
		k := i + 2
		got := stats.CriticalDifference(k, 1) / math.Sqrt(float64(k*(k+1))/6)
		near(t, "critical value", got, q, 1e-3)
	}
	near(t, "critical difference", stats.CriticalDifference(4, 14), 1.25, 5e-3)
	// "even the difference between the best and the worst … is smaller"
	all := stats.Cliques([]float64{3.143, 2.000, 2.893, 1.964}, stats.CriticalDifference(4, 14))
	if len(all) != 1 || !slices.Equal(all[0], []int{3, 1, 2, 0}) {
		t.Errorf("cliques %v, want all in one", all)
	}
	// With 10 %, figure 1 (a): C4.5 is apart from the two that tune m.
	two := stats.Cliques([]float64{3.143, 2.000, 2.893, 1.964}, 1.12)
	if len(two) != 2 || !slices.Equal(two[0], []int{3, 1, 2}) || !slices.Equal(two[1], []int{2, 0}) {
		t.Errorf("cliques %v, want [3 1 2] and [2 0]", two)
	}
	if none := stats.Cliques([]float64{1, 2, 3}, 0.5); none != nil {
		t.Errorf("cliques %v, want none", none)
	}
}

func TestAverageRanks(t *testing.T) {
	got := stats.AverageRanks(demsar, true)
	for i, want := range []float64{44.0 / 14, 2, 41.0 / 14, 27.0 / 14} {
		near(t, "rank", got[i], want, 1e-12)
		near(t, "rank of the least", stats.AverageRanks(demsar, false)[i], 5-want, 1e-12)
	}
}

func TestDescribe(t *testing.T) {
	v := []float64{93.33, 93.66, 93.20, 94.22, 93.66, 93.78, 93.79, 94.22, 93.86, 94.37, 94.37, 92.5}
	s := stats.Describe(v, true)
	near(t, "mean", s.Mean, 93.74666666666667, 1e-12)
	near(t, "std", *s.Std, 0.5462822003545816, 1e-12)
	near(t, "median", s.Median, 93.785, 1e-12)
	near(t, "best", s.Best, 94.37, 0)
	near(t, "best of the least", stats.Describe(v, false).Best, 92.5, 0)
	// bootstrap(method="BCa") with a million resamples.
	near(t, "lower end", s.Interval[0], 93.3883, 0.015)
	near(t, "upper end", s.Interval[1], 93.9950, 0.015)
	// The mice of Efron and Tibshirani, An Introduction to the Bootstrap, table 2.1.
	mice := stats.Interval([]float64{94, 197, 16, 38, 99, 141, 23})
	near(t, "lower end of the mice", mice[0], 46.286, 2)
	near(t, "upper end of the mice", mice[1], 138.286, 2)
	w := []float64{94.22, 93.66, 93.78, 93.79, 94.22, 93.86, 94.37, 94.37}
	d := stats.DifferenceInterval(v, w) // bootstrap(method="percentile")
	near(t, "lower end of the difference", d[0], -0.64958, 0.015)
	near(t, "upper end of the difference", d[1], 0.05042, 0.015)
	one := stats.Describe([]float64{3}, true)
	if one.Std != nil || one.Interval != nil || one.Mean != 3 {
		t.Errorf("of one value: %+v", one)
	}
	same := stats.Describe([]float64{0.1, 0.1, 0.1}, true)
	if *same.Std != 0 || *same.Interval != [2]float64{0.1, 0.1} || same.Mean != 0.1 {
		t.Errorf("of equal values: %+v", same)
	}
}

func TestA12(t *testing.T) {
	near(t, "A12", stats.A12(letters(normalA), letters(normalB)), 0.52, 1e-12)
	near(t, "A12", stats.A12([]float64{1, 1, 3, 4, 4, 4, 9}, []float64{1, 4, 4, 5, 5, 5, 5, 7, 8, 9}), 0.25, 1e-12)
	near(t, "A12 of what always wins", stats.A12([]float64{3, 4}, []float64{1, 2, 2}), 1, 0)
}

// TestOrder: no result depends on the order of a sample.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	a, b := letters(normalA)[:30], letters(normalB)[:25]
	summary, p, d := stats.Describe(a, true), stats.MannWhitney(a, b), stats.DifferenceInterval(a, b)
	for range 3 {
		random.Shuffle(len(a), func(i, j int) { a[i], a[j] = a[j], a[i] })
		random.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		s := stats.Describe(a, true)
		if s.Mean != summary.Mean || *s.Std != *summary.Std || *s.Interval != *summary.Interval || s.Median != summary.Median {
			t.Errorf("%+v, was %+v", s, summary)
		}
		if got := stats.MannWhitney(a, b); got != p {
			t.Errorf("p %v, was %v", got, p)
		}
		if got := stats.DifferenceInterval(a, b); *got != *d {
			t.Errorf("interval %v, was %v", got, d)
		}
	}
}

// TestFalseFindings: of samples from one distribution, tests find a difference at
// the 5 % level as often as that says and intervals hold the mean about as often.
func TestFalseFindings(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const rounds = 1000
	var signed, u, friedman, kruskal int
	for range rounds {
		blocks := make([][]float64, 20)
		columns := make([][]float64, 3)
		d := make([]float64, len(blocks))
		for i := range blocks {
			blocks[i] = make([]float64, 3)
			for j := range blocks[i] {
				v := math.Round(10 * random.NormFloat64())
				blocks[i][j] = v
				columns[j] = append(columns[j], v)
			}
			d[i] = blocks[i][0] - blocks[i][1]
		}
		count := func(n *int, p float64) {
			if p < stats.Level {
				*n++
			}
		}
		p, _ := stats.SignedRank(d)
		count(&signed, p)
		count(&u, stats.MannWhitney(columns[0], columns[1]))
		count(&friedman, stats.Friedman(blocks).P)
		count(&kruskal, stats.KruskalWallis(columns).P)
	}
	for name, n := range map[string]int{"signed ranks": signed, "U": u, "Friedman": friedman, "Kruskal-Wallis": kruskal} {
		if n < rounds*2/100 || n > rounds*8/100 { // four standard deviations above 5 %
			t.Errorf("%s: %d false findings in %d", name, n, rounds)
		}
	}
}
