package reproduce

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Value is what runs of a method reached: their mean and sample standard deviation.
type Value struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"`
	Runs int     `json:"runs"`
}

// Summary is the value of single results. The standard deviation of fewer than two
// is 0.
func Summary(results []float64) Value {
	v := Value{Runs: len(results)}
	switch len(results) {
	case 0:
	case 1:
		v.Mean = results[0]
	default:
		v.Mean, v.Std = stat.MeanStdDev(results, nil)
	}
	return v
}

// Above is by how many standard errors of the difference of two independent means,
// sqrt(s1²/n1 + s2²/n2), v is above w. It is not ok where no standard error is known
// because one of the two has fewer than two runs.
func (v Value) Above(w Value) (errors float64, ok bool) {
	if v.Runs < 2 || w.Runs < 2 {
		return 0, false
	}
	if v.Mean == w.Mean {
		return 0, true
	}
	se := math.Sqrt(v.Std*v.Std/float64(v.Runs) + w.Std*w.Std/float64(w.Runs))
	if se == 0 {
		return 0, false
	}
	return (v.Mean - w.Mean) / se, true
}

// Comparison is what was reached beside what was published.
type Comparison struct {
	Study   string   `json:"study"`
	Columns []string `json:"columns"`
	Rows    []Row    `json:"rows"`
	Sources []string `json:"sources"`
	// Far are the differences from sources of our own protocol that are larger
	// than Limit standard errors.
	Far []Difference `json:"far"`

	study Study
}

// Limit is how many standard errors a mean may be off.
const Limit = 3

// Row is one method.
type Row struct {
	Method  string      `json:"method"`
	Ours    []Value     `json:"ours"` // by column
	Reports []ReportRow `json:"reports"`
}

// ReportRow is what a source says of the method.
type ReportRow struct {
	Source int     `json:"source"` // from 1
	Values []Value `json:"values"` // by column
	// Above is by how many standard errors ours is above it; null where none is known.
	Above []*float64 `json:"above"`
}

// Difference is one that chance does not explain.
type Difference struct {
	Method string  `json:"method"`
	Column string  `json:"column"`
	Source int     `json:"source"`
	Above  float64 `json:"above"`
}

// Compare sets the results of runs beside what was published. They come by the label
// of the method's points and by metric, one for each run.
func (s Study) Compare(results map[string]map[string][]float64) Comparison {
	c := Comparison{Study: s.Name, Far: []Difference{}, study: s}
	for _, column := range s.Columns {
		c.Columns = append(c.Columns, column.Title)
	}
	for _, source := range s.Sources {
		c.Sources = append(c.Sources, source.Text)
	}
	for _, m := range s.Methods {
		row := Row{Method: m.Title}
		for _, column := range s.Columns {
			row.Ours = append(row.Ours, Summary(results[m.Point][column.Metric]))
		}
		for _, r := range m.Reports {
			out := ReportRow{Source: r.Source + 1, Values: r.Values, Above: make([]*float64, len(r.Values))}
			for i, v := range r.Values {
				above, ok := row.Ours[i].Above(v)
				if !ok {
					continue
				}
				out.Above[i] = &above
				if s.Sources[r.Source].Same && math.Abs(above) > Limit {
					c.Far = append(c.Far, Difference{m.Title, c.Columns[i], out.Source, above})
				}
			}
			row.Reports = append(row.Reports, out)
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}
