package compare

import (
	"encoding/csv"
	"io"
	"strconv"
)

// CSV writes the summaries, one line for each measure and group. Runs that are not
// comparable have the stamp in a column of its own.
func (c *Comparison) CSV(out io.Writer) error {
	rows := [][]string{c.columns("split", "metric", "unit", "group", "n", "mean", "std", "low", "high", "median", "best")}
	for _, s := range c.Strata {
		for _, m := range s.Measures {
			for _, r := range m.Rows {
				std, low, high := "", "", ""
				if r.Std != nil {
					std, low, high = plain(*r.Std), plain(r.Interval[0]), plain(r.Interval[1])
				}
				rows = append(rows, c.row(s, m.Split, m.Metric, m.Unit, r.Group, strconv.Itoa(r.N), plain(r.Mean), std, low, high, plain(r.Median), plain(r.Best)))
			}
		}
	}
	return write(out, rows)
}

// RunsCSV writes the values of every run.
func (c *Comparison) RunsCSV(out io.Writer) error {
	measures, _ := c.measures()
	head := []string{"group", "seed", "run"}
	for _, m := range measures {
		head = append(head, m.Name())
	}
	rows := [][]string{c.columns(head...)}
	for _, s := range c.Strata {
		for i, cell := range s.cells {
			for _, r := range cell {
				row := []string{c.Groups[i].Label, strconv.FormatUint(r.Seed, 10), r.Address}
				for _, m := range measures {
					row = append(row, plain(m.of([]*Run{r})[0]))
				}
				rows = append(rows, c.row(s, row...))
			}
		}
	}
	return write(out, rows)
}

// CurvesCSV writes the points of curves.
func (c *Comparison) CurvesCSV(out io.Writer, curves []Curves) error {
	rows := [][]string{c.columns("axis", "metric", "unit", "group", "runs", "x", "mean", "low", "high", "lower quartile", "upper quartile")}
	for _, k := range curves {
		for _, g := range k.Groups {
			for i, x := range g.X {
				rows = append(rows, c.row(Stratum{Label: k.Stratum}, k.Axis, k.Metric, k.Unit, g.Group, strconv.Itoa(g.Runs),
					plain(x), plain(g.Mean[i]), plain(g.Low[i]), plain(g.High[i]), plain(g.Lower[i]), plain(g.Upper[i])))
			}
		}
	}
	return write(out, rows)
}

// columns are the names of columns, with those that only some comparisons have.
func (c *Comparison) columns(names ...string) []string {
	if len(c.Strata) > 1 {
		names = append([]string{"stratum"}, names...)
	}
	if c.Stamp != "" {
		names = append(names, "not comparable")
	}
	return names
}

func (c *Comparison) row(s Stratum, cells ...string) []string {
	if len(c.Strata) > 1 {
		cells = append([]string{s.Label}, cells...)
	}
	if c.Stamp != "" {
		cells = append(cells, c.Stamp)
	}
	return cells
}

func plain(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func write(out io.Writer, rows [][]string) error {
	w := csv.NewWriter(out)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return w.Error()
}
