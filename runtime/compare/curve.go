package compare

import (
	"math"
	"slices"

	"github.com/nasc-project/nasc/runtime/compare/stats"
)

// Curves are the anytime curves of the groups of a stratum on one axis: how good
// the best validation result is after so much of a resource.
type Curves struct {
	Stratum  string
	Axis     string // evaluations, simulated or wall
	Metric   string
	Unit     string
	Maximize bool
	Groups   []Curve
	Without  []string // groups that have no curve: some run ended before another had a result
}

// Curve is the mean of the incumbents of a group, with the 95 % bootstrap interval
// of it. It begins where every run has a result and ends where the first run ends,
// so that it is of the same runs everywhere.
type Curve struct {
	Group        string
	Place        int // of the group in the comparison
	Runs         int
	X            []float64
	Mean         []float64
	Low, High    []float64 // of the mean
	Lower, Upper []float64 // the quartiles of the runs
}

// The axes of anytime curves.
const (
	Evaluations = "evaluations"
	Simulated   = "simulated"
	Wall        = "wall"
)

// points is the most points of a curve; a picture shows no more.
const points = 200

// Curves makes the anytime curves of all strata. An axis that is zero in some run, such as
// the simulated clock of an evaluator that has none, has no curves.
func (c *Comparison) Curves() []Curves {
	var out []Curves
	first := c.Groups[0].runs[0]
	o := first.Objectives[0]
	for _, s := range c.Strata {
		for _, axis := range []string{Evaluations, Simulated, Wall} {
			k := Curves{Stratum: s.Label, Axis: axis, Metric: o.Metric, Unit: first.metric("validation", o.Metric).Unit, Maximize: o.Maximize}
			for i, cell := range s.cells {
				if curve, ok := newCurve(cell, axis, o.Maximize); ok {
					curve.Group, curve.Place = c.Groups[i].Label, i
					k.Groups = append(k.Groups, curve)
				} else if len(cell) > 0 {
					k.Without = append(k.Without, c.Groups[i].Label)
				}
			}
			if len(k.Groups) > 0 {
				out = append(out, k)
			}
		}
	}
	return out
}

// step is the incumbent from a point of an axis on.
type step struct{ at, value float64 }

// incumbents is how the best result of a run grew, and where the run ended.
func incumbents(r *Run, axis string, maximize bool) (steps []step, end float64) {
	trials := r.Trials
	if axis == Wall { // with several workers, trials do not end in order
		trials = slices.Clone(trials)
		slices.SortStableFunc(trials, func(a, b Trial) int {
			if a.Elapsed < b.Elapsed {
				return -1
			} else if a.Elapsed > b.Elapsed {
				return 1
			}
			return 0
		})
	}
	best := math.NaN()
	for i, t := range trials {
		switch axis {
		case Evaluations:
			end = float64(i + 1)
		case Simulated:
			end += t.Simulated
		case Wall:
			end = t.Elapsed
		}
		if !math.IsNaN(t.Value) && (math.IsNaN(best) || r.stages || (t.Value > best) == maximize && t.Value != best) {
			best = t.Value
			steps = append(steps, step{end, best})
		}
	}
	return steps, end
}

func newCurve(runs []*Run, axis string, maximize bool) (Curve, bool) {
	c := Curve{Runs: len(runs)}
	if len(runs) == 0 {
		return c, false
	}
	start, end := 0.0, math.Inf(1)
	all := make([][]step, len(runs))
	for i, r := range runs {
		var last float64
		all[i], last = incumbents(r, axis, maximize)
		if last <= 0 || len(all[i]) == 0 {
			return c, false
		}
		start, end = max(start, all[i][0].at), min(end, last)
	}
	if start > end {
		return c, false
	}
	c.X = grid(start, end, axis == Evaluations)
	at := make([]int, len(runs))
	var values [][]float64 // of the runs at each point
	for _, x := range c.X {
		now := make([]float64, len(runs))
		for i, steps := range all {
			for at[i]+1 < len(steps) && steps[at[i]+1].at <= x {
				at[i]++
			}
			now[i] = steps[at[i]].value
		}
		values = append(values, now)
		sorted := slices.Sorted(slices.Values(now))
		c.Mean = append(c.Mean, stats.Mean(sorted))
		c.Lower, c.Upper = append(c.Lower, stats.Quantile(0.25, sorted)), append(c.Upper, stats.Quantile(0.75, sorted))
	}
	c.Low, c.High = stats.Band(values)
	return c, true
}

// grid is points from start to end, whole ones where only they exist.
func grid(start, end float64, whole bool) []float64 {
	n := points
	if whole {
		n = min(n, int(end-start)+1)
	}
	var out []float64
	for i := range n {
		x := start
		if n > 1 {
			x += (end - start) * float64(i) / float64(n-1)
		}
		if whole {
			x = math.Round(x)
		}
		out = append(out, x)
	}
	return slices.Compact(out)
}
