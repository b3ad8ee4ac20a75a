package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/runtime/compare/stats"
)

// Measure is a metric of the winners, group by group.
type Measure struct {
	Split    string         `json:"split"` // validation or test
	Metric   string         `json:"metric"`
	Unit     string         `json:"unit,omitempty"`
	Maximize bool           `json:"higher_is_better"`
	Rows     []Row          `json:"rows,omitempty"`
	Omnibus  *stats.Omnibus `json:"omnibus,omitempty"` // of three groups and more
	Test     string         `json:"test,omitempty"`    // of the pairs
	Pairs    []Pair         `json:"pairs,omitempty"`
	Ranks    *Ranks         `json:"ranks,omitempty"` // of three groups and more, over blocks
}

// Name is "validation accuracy".
func (m Measure) Name() string { return m.Split + " " + m.Metric }

// Row is one group's values of a metric.
type Row struct {
	Group string `json:"group"`
	stats.Summary
}

// Pair is two groups beside each other.
type Pair struct {
	A string `json:"a"`
	B string `json:"b"`
	// Difference is mean(A) - mean(B), with its 95 % bootstrap interval; A12, the
	// probability that a run of A is better than one of B. They are of one stratum.
	Difference *float64    `json:"difference,omitempty"`
	Interval   *[2]float64 `json:"interval,omitempty"`
	A12        *float64    `json:"a12,omitempty"`
	P          float64     `json:"p"`
	Adjusted   float64     `json:"p_holm"` // for all pairs of the measure
}

// Ranks are the average ranks of groups over blocks.
type Ranks struct {
	Blocks   int        `json:"blocks"`
	Groups   []string   `json:"groups"`
	Average  []float64  `json:"average"`
	Critical float64    `json:"critical_difference"`
	Cliques  [][]string `json:"cliques"` // not told apart by the critical difference
}

// The names of the tests of pairs.
const (
	signedRank  = "Wilcoxon signed-rank"
	mannWhitney = "Mann-Whitney U"
)

// measures are the metrics that every run has: the objectives on validation, and
// what winners were tested by.
func (c *Comparison) measures() (out []Measure, partly []string) {
	var first *Run
	count := map[string]int{}
	total := 0
	for _, g := range c.Groups {
		for _, r := range g.runs {
			if first == nil {
				first = r
			}
			total++
			for _, o := range r.Objectives {
				if _, ok := r.Validation[o.Metric]; ok {
					count["validation "+o.Metric]++
				}
			}
			for name := range r.Test {
				count["test "+name]++
			}
		}
	}
	var names []string
	for _, o := range first.Objectives {
		names = append(names, "validation "+o.Metric)
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		split, metric, _ := strings.Cut(name, " ")
		if count[name] != total {
			partly = append(partly, fmt.Sprintf("%s is left out: %d of %d runs have it", name, count[name], total))
			continue
		}
		m := first.metric(split, metric)
		out = append(out, Measure{Split: split, Metric: metric, Unit: m.Unit, Maximize: m.Maximize})
	}
	return out, partly
}

// of is the values of a measure.
func (m Measure) of(runs []*Run) []float64 {
	out := make([]float64, len(runs))
	for i, r := range runs {
		if out[i] = r.Test[m.Metric]; m.Split == "validation" {
			out[i] = r.Validation[m.Metric]
		}
	}
	return out
}

// measure compares the groups of a stratum.
func (c *Comparison) measure(s Stratum) []Measure {
	measures, _ := c.measures()
	for i := range measures {
		m := &measures[i]
		var samples [][]float64
		for j, cell := range s.cells {
			if len(cell) == 0 {
				continue
			}
			samples = append(samples, m.of(cell))
			m.Rows = append(m.Rows, Row{c.Groups[j].Label, stats.Describe(m.of(cell), m.Maximize)})
		}
		if len(samples) < 2 || slices.ContainsFunc(samples, func(x []float64) bool { return len(x) < 2 }) {
			continue
		}
		var labels []string
		for _, r := range m.Rows {
			labels = append(labels, r.Group)
		}
		if c.Paired {
			m.blocks(blocks(samples), labels)
		} else if m.Test = mannWhitney; len(samples) > 2 {
			o := stats.KruskalWallis(samples)
			m.Omnibus = &o
		}
		m.pairs(samples, labels, c.Paired, true)
	}
	return measures
}

// blocks turns samples of groups into rows of blocks.
func blocks(samples [][]float64) [][]float64 {
	out := make([][]float64, len(samples[0]))
	for i := range out {
		for _, s := range samples {
			out[i] = append(out[i], s[i])
		}
	}
	return out
}

// blocks ranks groups within blocks.
func (m *Measure) blocks(blocks [][]float64, groups []string) {
	m.Test = signedRank
	if len(groups) < 3 {
		return
	}
	o := stats.Friedman(blocks)
	m.Omnibus = &o
	average := stats.AverageRanks(blocks, m.Maximize)
	r := &Ranks{Blocks: len(blocks), Groups: groups, Average: average, Critical: stats.CriticalDifference(len(groups), len(blocks))}
	for _, clique := range stats.Cliques(average, r.Critical) {
		var names []string
		for _, i := range clique {
			names = append(names, groups[i])
		}
		r.Cliques = append(r.Cliques, names)
	}
	m.Ranks = r
}

// pairs compares every two groups. Effects are of samples of one stratum: the means
// of several say nothing.
func (m *Measure) pairs(samples [][]float64, groups []string, paired, effects bool) {
	var p []float64
	for i := range samples {
		for j := i + 1; j < len(samples); j++ {
			a, b := samples[i], samples[j]
			pair := Pair{A: groups[i], B: groups[j]}
			var interval *[2]float64
			if paired {
				d := stats.Differences(a, b)
				pair.P, _ = stats.SignedRank(d)
				interval = stats.Interval(d)
			} else {
				pair.P = stats.MannWhitney(a, b)
				interval = stats.DifferenceInterval(a, b)
			}
			if effects {
				difference := m.Rows[i].Mean - m.Rows[j].Mean
				a12 := stats.A12(a, b)
				if !m.Maximize {
					a12 = stats.A12(b, a)
				}
				pair.Difference, pair.Interval, pair.A12 = &difference, interval, &a12
			}
			p = append(p, pair.P)
			m.Pairs = append(m.Pairs, pair)
		}
	}
	for i, adjusted := range stats.Holm(p) {
		m.Pairs[i].Adjusted = adjusted
	}
}

// overall tests groups over the blocks of all strata.
func (c *Comparison) overall() {
	if len(c.Strata) < 2 || !c.Paired || len(c.Groups) < 2 {
		return
	}
	measures, _ := c.measures()
	var labels []string
	for _, g := range c.Groups {
		labels = append(labels, g.Label)
	}
	for _, m := range measures {
		samples := make([][]float64, len(c.Groups))
		for _, s := range c.Strata {
			for i, cell := range s.cells {
				samples[i] = append(samples[i], m.of(cell)...)
			}
		}
		if len(samples[0]) < 2 {
			continue
		}
		m.blocks(blocks(samples), labels)
		m.pairs(samples, labels, true, false)
		c.Overall = append(c.Overall, m)
	}
}

// note says what a reader of the tables should know.
func (c *Comparison) note(f finding) {
	for _, address := range f.copies {
		c.Left = append(c.Left, Left{address, "it repeats another run (nothing that changes a result differs, the seed included)"})
	}
	if len(c.Groups) == 1 {
		c.Notes = append(c.Notes, fmt.Sprintf("the runs do not differ in %s: there is nothing to compare", strings.Join(c.By, ", ")))
	}
	for _, s := range c.Strata {
		where := ""
		if s.Label != "" {
			where = s.Label + ": "
		}
		var sizes []string
		least, most := len(s.cells[0]), len(s.cells[0])
		for i, cell := range s.cells {
			sizes = append(sizes, fmt.Sprintf("%d of %s", len(cell), c.Groups[i].Label))
			least, most = min(least, len(cell)), max(most, len(cell))
		}
		switch {
		case least != most:
			c.Notes = append(c.Notes, where+"groups have different numbers of runs: "+strings.Join(sizes, ", "))
		case len(c.Groups) > 1 && least == 1:
			c.Notes = append(c.Notes, where+"one run of each group shows nothing but that run; run more seeds")
		}
		if len(c.Groups) > 1 && least > 1 {
			p, unit := stats.LeastSignedRank(least), "pairs"
			if !c.Paired {
				p, unit = stats.LeastMannWhitney(least, most), "runs"
			}
			if p *= float64(len(c.Groups) * (len(c.Groups) - 1) / 2); p > stats.Level {
				c.Notes = append(c.Notes, fmt.Sprintf("%s%d %s are too few to find a difference at the 5 %% level: the smallest p there is for a pair is %s",
					where, least, unit, probability(min(1, p))))
			}
		}
	}
	if !c.Paired && len(c.Groups) > 1 {
		c.Notes = append(c.Notes, "groups have different seeds, so they are compared as independent samples")
	}
	_, partly := c.measures()
	c.Notes = append(c.Notes, partly...)
}
