package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Write prints the tables, tests and differences for people.
func (c *Comparison) Write(out io.Writer) error {
	var b strings.Builder
	c.stamped(&b, "")
	c.head(&b)
	for _, s := range c.Strata {
		for _, m := range s.Measures {
			title := m.Name()
			if s.Label != "" {
				title = s.Label + ": " + title
			}
			c.stamped(&b, "\n")
			m.write(&b, title, c.By)
		}
	}
	for _, m := range c.Overall {
		c.stamped(&b, "\n")
		m.write(&b, fmt.Sprintf("all %d: %s", len(c.Strata), m.Name()), c.By)
	}
	c.foot(&b)
	_, err := io.WriteString(out, b.String())
	return err
}

func (c *Comparison) stamped(b *strings.Builder, before string) {
	b.WriteString(before)
	if c.Stamp != "" {
		b.WriteString(c.Stamp + "\n")
	}
}

// head says what is compared.
func (c *Comparison) head(b *strings.Builder) {
	fmt.Fprintf(b, "compared: %s", strings.Join(c.By, ", "))
	if len(c.Across) > 0 {
		fmt.Fprintf(b, ", across %s", strings.Join(c.Across, ", "))
	}
	if len(c.Groups) > 1 {
		if c.Paired {
			b.WriteString("; paired by seed")
		} else {
			b.WriteString("; not paired")
		}
	}
	b.WriteString("\n")
}

// write prints a measure: its table, the test of all groups and those of pairs.
func (m Measure) write(b *strings.Builder, title string, by []string) {
	direction := "lower is better"
	if m.Maximize {
		direction = "higher is better"
	}
	if m.Unit != "" {
		title += ", " + m.Unit
	}
	fmt.Fprintf(b, "%s (%s)\n", title, direction)
	if m.Rows != nil {
		table(b, append([][]string{append([]string{last(by[0])}, columns...)}, m.rows()...))
	}
	for _, line := range m.findings() {
		b.WriteString(line + "\n")
	}
	if m.Pairs != nil {
		table(b, m.pairRows())
	}
}

var columns = []string{"n", "mean", "std", "95 % interval", "median", "best"}

// rows are the summaries as text.
func (m Measure) rows() (out [][]string) {
	for _, r := range m.Rows {
		std, interval := "-", "-"
		if r.Std != nil {
			std, interval = m.value(*r.Std), m.interval(r.Interval)
		}
		out = append(out, []string{r.Group, strconv.Itoa(r.N), m.value(r.Mean), std, interval, m.value(r.Median), m.value(r.Best)})
	}
	return out
}

// findings are the test of all groups, and the average ranks.
func (m Measure) findings() (out []string) {
	if o := m.Omnibus; o != nil {
		symbol := "χ²"
		if o.Name != "Friedman" {
			symbol = "H"
		}
		out = append(out, fmt.Sprintf("%s: %s(%d) = %.2f, p = %s", o.Name, symbol, o.Freedom, o.Statistic, probability(o.P)))
	}
	if r := m.Ranks; r != nil {
		var ranks []string
		for i, g := range r.Groups {
			ranks = append(ranks, fmt.Sprintf("%s %.2f", g, r.Average[i]))
		}
		out = append(out, fmt.Sprintf("average ranks over %d blocks: %s; critical difference %.2f", r.Blocks, strings.Join(ranks, ", "), r.Critical))
	}
	return out
}

// pairRows are the tests of pairs as text.
func (m Measure) pairRows() [][]string {
	test := "p (" + m.Test
	if len(m.Pairs) > 1 {
		test += ", Holm"
	}
	head := []string{"pair"}
	if m.Rows != nil {
		head = append(head, "difference", "95 % interval", "A12")
	}
	out := [][]string{append(head, test+")")}
	for _, p := range m.Pairs {
		row := []string{p.A + " - " + p.B}
		if m.Rows != nil {
			row = append(row, m.signed(*p.Difference), m.interval(p.Interval), fmt.Sprintf("%.2f", *p.A12))
		}
		out = append(out, append(row, probability(p.Adjusted)))
	}
	return out
}

// value prints a number of the metric: two decimals for percentages, else as many
// digits as carry meaning.
func (m Measure) value(v float64) string {
	switch {
	case m.Unit == "%":
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

func (m Measure) signed(v float64) string {
	if text := m.value(v); v < 0 || strings.HasPrefix(text, "-") {
		return text
	} else {
		return "+" + text
	}
}

func (m Measure) interval(i *[2]float64) string {
	if i == nil {
		return "-"
	}
	return "[" + m.value(i[0]) + ", " + m.value(i[1]) + "]"
}

// probability prints a p.
func probability(p float64) string {
	switch {
	case p < 0.0001:
		return strconv.FormatFloat(p, 'e', 1, 64)
	case p < 0.001:
		return strconv.FormatFloat(p, 'f', 4, 64)
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// table aligns rows under their heads.
func table(b *strings.Builder, rows [][]string) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
}

// foot says in what the runs differ beside, what was left out and what to know.
func (c *Comparison) foot(b *strings.Builder) {
	for _, part := range []struct {
		title   string
		changes bool
	}{{"they differ in what changes the result:", true}, {"they differ in what cannot change the result:", false}} {
		var rows [][]string
		for _, d := range c.Differences {
			if d.Changes == part.changes {
				row := []string{"  " + d.Path, d.Reason}
				if d.Changes {
					row = append(row, list(d.Values, 4))
				}
				rows = append(rows, row)
			}
		}
		if rows != nil {
			b.WriteString("\n" + part.title + "\n")
			table(b, rows)
		}
	}
	var notes []string
	for i, l := range c.Left {
		if slices.ContainsFunc(c.Left[:i], func(o Left) bool { return o.Why == l.Why }) {
			continue
		}
		var same []string
		for _, o := range c.Left[i:] {
			if o.Why == l.Why {
				same = append(same, o.Run)
			}
		}
		if n := len(same); n > mostLeft {
			same = append(same[:mostLeft-1], fmt.Sprintf("%d more", n-mostLeft+1))
		}
		notes = append(notes, "left out, because "+l.Why+": "+strings.Join(same, ", "))
	}
	for i, n := range append(notes, c.Notes...) {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("note: " + n + "\n")
	}
}

// mostLeft is how many runs are named that are left out for one reason.
const mostLeft = 4
