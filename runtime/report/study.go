package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"gonum.org/v1/gonum/stat"

	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// Study is how a study stands.
type Study struct {
	Dir      string      `json:"dir"`
	State    string      `json:"state"`
	Finished int         `json:"finished"` // runs
	Points   []Point     `json:"points"`
	Runs     []RunStatus `json:"runs"`
}

// Point is what runs that differ in nothing but their seed have in common.
type Point struct {
	Label      string            `json:"point"` // "population=16"; empty when nothing else is swept
	Runs       []int             `json:"runs"`  // numbers
	N          int               `json:"n"`     // of them that are finished
	Validation map[string]Spread `json:"validation"`
	Test       map[string]Spread `json:"test"`

	manifest *store.Manifest // of a run of it
}

// Spread sums up a metric over runs.
type Spread struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"` // of the sample; 0 for a single run
}

// RunStatus is how one run of a study stands.
type RunStatus struct {
	Address    string             `json:"address"`
	Point      string             `json:"point"` // "population=16 seed=2"
	State      string             `json:"state"`
	Note       string             `json:"note,omitempty"` // why it was stopped
	Winner     *int64             `json:"winner,omitempty"`
	Validation map[string]float64 `json:"validation,omitempty"` // of the winner
	Test       map[string]float64 `json:"test,omitempty"`
}

// NewStudy sums up the results of a study's runs. notes say why runs were stopped.
func NewStudy(f *store.Folder, results []*store.Result, notes map[int]string, busy bool) *Study {
	s := &Study{Dir: f.Dir, State: Finished, Points: []Point{}, Runs: []RunStatus{}}
	at := map[string]int{}
	for i, r := range results {
		group := f.Runs[i].Group
		n, ok := at[group]
		if !ok {
			n = len(s.Points)
			at[group] = n
			s.Points = append(s.Points, Point{Label: group, Validation: map[string]Spread{}, Test: map[string]Spread{}})
		}
		g := &s.Points[n]
		g.Runs = append(g.Runs, i+1)
		if r.Manifest != nil {
			g.manifest = r.Manifest
		}
		p := RunStatus{Address: r.Address, Point: r.Label, State: State(r.State, busy)}
		if p.State == Stopped {
			p.Note = notes[i+1]
		}
		if r.Winner != nil {
			s.Finished++
			g.N++
			p.Winner, p.Validation, p.Test = &r.Winner.Number, r.Winner.Metrics.Map(), r.Test
		}
		s.Runs = append(s.Runs, p)
	}
	for i := range s.Points {
		g := &s.Points[i]
		spread(g.Validation, g.Runs, func(n int) map[string]float64 { return s.Runs[n-1].Validation })
		spread(g.Test, g.Runs, func(n int) map[string]float64 { return s.Runs[n-1].Test })
	}
	switch {
	case s.Finished == len(results):
	case busy:
		s.State = Running
	default:
		s.State = Stopped
	}
	return s
}

// spread sums up what each of some runs has measured.
func spread(into map[string]Spread, runs []int, of func(int) map[string]float64) {
	values := map[string][]float64{}
	for _, n := range runs {
		for name, v := range of(n) {
			values[name] = append(values[name], v)
		}
	}
	for name, v := range values {
		var sum Spread
		if sum.Mean = stat.Mean(v, nil); len(v) > 1 {
			sum.Std = stat.StdDev(v, nil)
		}
		into[name] = sum
	}
}

// NewStudyStatus says of a study what its runs have in common.
func NewStudyStatus(f *store.Folder, busy bool) (*Status, error) {
	tallies, err := f.Tallies()
	if err != nil {
		return nil, err
	}
	states, err := f.States()
	if err != nil {
		return nil, err
	}
	s := &Status{Dir: f.Dir, State: Stopped, Started: f.Started, Runs: len(f.Runs)}
	var spaces, optimizers, evaluators, budgets []string
	for i, r := range f.Runs {
		t := tallies[i]
		s.Trials += t.Trials
		s.Failed += t.Failed
		s.Infeasible += t.Infeasible
		s.Reused += t.Reused
		s.Seconds += t.Seconds
		if states[i] == store.Finished {
			s.Finished++
		}
		m, err := r.Manifest()
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		spaces, optimizers = append(spaces, m.Space.Name), append(optimizers, m.Optimizer.Title())
		evaluators, budgets = append(evaluators, m.Evaluator.Title()), append(budgets, search.Budget(m.Budget).String())
		s.Size, s.Batch, s.Workers = m.Space.Size, m.Batch, m.Workers
	}
	s.Space, s.Optimizer = common(spaces, "space"), common(optimizers, "optimizer")
	s.Evaluator, s.Budget = common(evaluators, "evaluator"), common(budgets, "budget")
	switch {
	case s.Finished == s.Runs:
		s.State = Finished
	case busy:
		s.State = Running
	}
	return s, nil
}

// common is what all runs have, or how many different things they have.
func common(all []string, what string) string {
	slices.Sort(all)
	all = slices.Compact(all)
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0]
	}
	return count(len(all), what)
}

// Table prints the study: a line for each group of runs, with mean and standard
// deviation, and below it the runs that are not finished.
func (s *Study) Table(out io.Writer) error {
	fmt.Fprintf(out, "%s: %s, %s\n\n", s.Dir, count(len(s.Runs), "run"), s.progress())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	valid, test := s.columns()
	fmt.Fprint(w, "point\tn")
	for _, name := range valid {
		fmt.Fprint(w, "\tvalidation "+name)
	}
	for _, name := range test {
		fmt.Fprint(w, "\ttest "+name)
	}
	fmt.Fprintln(w, "\truns")
	for _, g := range s.Points {
		point := g.Label
		if point == "" {
			point = "all"
		}
		fmt.Fprintf(w, "%s\t%d", point, g.N)
		for _, name := range valid {
			fmt.Fprint(w, "\t"+g.cell(g.Validation, func(m *store.Manifest) *store.Component { return &m.Evaluator }, name))
		}
		for _, name := range test {
			fmt.Fprint(w, "\t"+g.cell(g.Test, (*store.Manifest).Tester, name))
		}
		fmt.Fprintf(w, "\t%s\n", ranges(g.Runs))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return s.open(out)
}

// listed is how many runs that are not finished a table names.
const listed = 20

// open lists the runs that are not finished.
func (s *Study) open(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	n := 0
	for _, r := range s.Runs {
		if r.State == Finished {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintln(w)
		}
		if n <= listed {
			state := r.State
			if r.Note != "" {
				state += ": " + r.Note
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", r.Address, r.Point, state)
		}
	}
	if n > listed {
		fmt.Fprintf(w, "and %d more that are not finished\n", n-listed)
	}
	return w.Flush()
}

func (s *Study) progress() string {
	if s.State == Finished {
		return Finished
	}
	return fmt.Sprintf("%d finished, %s", s.Finished, s.State)
}

// columns are the metrics of the table: the objectives, and on the test split those
// of them that it has, or else all that it has.
func (s *Study) columns() (valid, test []string) {
	all := map[string]bool{}
	for _, g := range s.Points {
		for name := range g.Test {
			all[name] = true
		}
		if g.manifest == nil {
			continue
		}
		for _, o := range g.manifest.Objectives {
			if !slices.Contains(valid, o.Metric) {
				valid = append(valid, o.Metric)
			}
		}
	}
	for _, name := range valid {
		if all[name] {
			test = append(test, name)
		}
	}
	if test == nil {
		test = slices.Sorted(maps.Keys(all))
	}
	return valid, test
}

// cell is a metric over the runs of a group.
func (g *Point) cell(split map[string]Spread, by func(*store.Manifest) *store.Component, name string) string {
	v, ok := split[name]
	if !ok {
		return ""
	}
	unit := by(g.manifest).Units[name]
	if g.N < 2 {
		return Value(v.Mean, unit)
	}
	if unit == "" {
		return number(v.Mean, 4) + " ± " + number(v.Std, 2)
	}
	if unit == "%" {
		return fmt.Sprintf("%.2f ± %.2f %%", v.Mean, v.Std)
	}
	return number(v.Mean, 4) + " ± " + number(v.Std, 2) + " " + unit
}

func number(v float64, digits int) string { return strconv.FormatFloat(v, 'g', digits, 64) }

// ranges writes numbers in order: "1-3, 7".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i {
			part += "-" + strconv.Itoa(numbers[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
