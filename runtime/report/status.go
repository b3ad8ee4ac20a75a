package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// The states of a run.
const (
	Finished = "finished"
	Running  = "running" // a live process is at it
	Stopped  = "stopped" // it can be resumed
)

// Status is how a run stands.
type Status struct {
	Dir        string             `json:"dir"`
	State      string             `json:"state"`
	Space      string             `json:"space"`
	Size       string             `json:"size"`
	Optimizer  string             `json:"optimizer"`
	Evaluator  string             `json:"evaluator"`
	Budget     string             `json:"budget"`
	Seed       uint64             `json:"seed"`
	Workers    int                `json:"workers"`
	Trials     int                `json:"trials"`
	Failed     int                `json:"failed"`
	Infeasible int                `json:"infeasible"`
	Reused     int                `json:"reused"`
	Best       *store.Trial       `json:"best,omitempty"`
	BestText   string             `json:"-"`
	TestText   string             `json:"-"`
	Test       map[string]float64 `json:"test,omitempty"`
	Started    string             `json:"started"`
	Seconds    float64            `json:"seconds"` // wall time, all sessions
}

// NewStatus reads how a run stands.
func NewStatus(r *store.Run, busy bool) (*Status, []*store.Trial, error) {
	trials, err := r.Trials()
	if err != nil {
		return nil, nil, err
	}
	_, test, err := r.Test()
	if err != nil {
		return nil, nil, err
	}
	done, err := r.Finished()
	if err != nil {
		return nil, nil, err
	}
	m := r.Manifest
	s := &Status{
		Dir: r.Dir, State: Stopped, Space: m.Space.Name, Size: m.Space.Size, Optimizer: m.Optimizer.Component,
		Evaluator: m.Evaluator.Component, Budget: search.Budget(m.Budget).String(), Seed: m.Seed, Workers: m.Workers,
		Trials: len(trials), Best: search.Best(m.Objectives, trials), Test: test, Started: m.Started,
	}
	switch {
	case busy:
		s.State = Running
	case done:
		s.State = Finished
	}
	for _, t := range trials {
		switch {
		case t.Status == store.Failed:
			s.Failed++
			continue
		case t.Status == store.Infeasible:
			s.Infeasible++
		}
		if t.Reused != nil {
			s.Reused++
		}
	}
	for _, t := range trials {
		s.Seconds = max(s.Seconds, t.Elapsed)
	}
	if s.Best != nil {
		s.BestText = scores(m, s.Best)
	}
	s.TestText = tested(m, test)
	return s, trials, nil
}

// scores are the objectives of a trial.
func scores(m *store.Manifest, t *store.Trial) string {
	var parts []string
	for _, o := range m.Objectives {
		parts = append(parts, o.Metric+" "+Value(t.Metrics[o.Metric], m.Evaluator.Units[o.Metric]))
	}
	return strings.Join(parts, ", ")
}

// tested are the objectives on the test split, or all of its metrics where it has
// none of them.
func tested(m *store.Manifest, test map[string]float64) string {
	var parts, all []string
	for _, o := range m.Objectives {
		if v, ok := test[o.Metric]; ok {
			parts = append(parts, o.Metric+" "+Value(v, m.Evaluator.Units[o.Metric]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(test)) {
		all = append(all, name+" "+Value(test[name], m.Evaluator.Units[name]))
	}
	if parts == nil {
		parts = all
	}
	return strings.Join(parts, ", ")
}

// shown is how many of the best trials Show prints.
const shown = 10

// Show prints a run for people.
func Show(out io.Writer, m *store.Manifest, s *Status, trials []*store.Trial) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("run", "%s, %s", s.Dir, s.State)
	row("space", "%s of %s: %s architectures", m.Space.Name, m.Space.File, Group(m.Space.Size))
	row("optimizer", "%s", component(m.Optimizer))
	row("evaluator", "%s", component(m.Evaluator))
	for _, name := range slices.Sorted(maps.Keys(m.Evaluator.Facts)) {
		row("", "%s: %s", name, m.Evaluator.Facts[name])
	}
	row("budget", "%s", s.Budget)
	row("seed", "%d", s.Seed)
	if s.Workers > 1 {
		row("workers", "%d", s.Workers)
	}
	for _, q := range m.Requirements {
		row("requires", "%s", q)
	}
	if m.Retrain != nil {
		row("retrains", "%s", space(*m.Retrain))
	}
	text := fmt.Sprintf("%d, of which %d failed and %d are repeats", s.Trials, s.Failed, s.Reused)
	if len(m.Requirements) > 0 {
		text = fmt.Sprintf("%d, of which %d failed, %d are infeasible and %d are repeats", s.Trials, s.Failed, s.Infeasible, s.Reused)
	}
	row("trials", "%s", text)
	row("time", "%s, started %s", (time.Duration(s.Seconds * float64(time.Second))).Round(time.Millisecond), m.Started)
	for _, name := range slices.Sorted(maps.Keys(s.Test)) {
		row("test "+name, "%s", Value(s.Test[name], m.Evaluator.Units[name]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var good []*store.Trial
	for _, t := range trials {
		if t.Status == store.OK && t.Reused == nil {
			good = append(good, t)
		}
	}
	sort.SliceStable(good, func(i, j int) bool { return search.Better(m.Objectives, good[i], good[j]) })
	if len(good) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\ntrial\tresult\tgenotype")
	for _, t := range good[:min(shown, len(good))] {
		fmt.Fprintf(w, "%d\t%s\t%s\n", t.Number, scores(m, t), t.Genotype)
	}
	return w.Flush()
}

// component is a component with its settings, as a search block writes it.
func component(c store.Component) string {
	return fmt.Sprintf("%s %s, %s(%s)", c.Plugin, c.Version, c.Component, given(c.Parameters))
}

// given are arguments as a file writes them.
func given(values map[string]any) string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if s, ok := v.(string); ok {
			v = fmt.Sprintf("%q", s)
		}
		args = append(args, fmt.Sprintf("%s: %v", name, v))
	}
	return strings.Join(args, ", ")
}
