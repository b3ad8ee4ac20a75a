package report

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// The states of a run.
const (
	Finished = "finished"
	Running  = "running" // a live process is at it, or will be
	Stopped  = "stopped" // it can be resumed
	// NotBegun is the state of a run of a study whose turn has not come.
	NotBegun = "not begun"
)

// Status is how a run stands, or a study as a whole.
type Status struct {
	Dir        string             `json:"dir"` // its address
	State      string             `json:"state"`
	Space      string             `json:"space"`
	Size       string             `json:"size"`
	Optimizer  string             `json:"optimizer"`
	Evaluator  string             `json:"evaluator"`
	Budget     string             `json:"budget"`
	Seed       uint64             `json:"seed"`
	Batch      int                `json:"batch"`
	Workers    int                `json:"workers"`
	Trials     int                `json:"trials"`
	Failed     int                `json:"failed"`
	Infeasible int                `json:"infeasible"`
	Reused     int                `json:"reused"`
	Best       *store.Trial       `json:"best,omitempty"`
	BestText   string             `json:"-"`
	Test       map[string]float64 `json:"test,omitempty"`
	Started    string             `json:"started"`
	Seconds    float64            `json:"seconds"`        // wall time, all sessions
	Note       string             `json:"note,omitempty"` // of the end
	// Disconnected: the output of the best does not depend on its input.
	Disconnected bool `json:"disconnected,omitempty"`

	// Of a study, where the fields above say what its runs have in common.
	Runs     int `json:"runs,omitempty"`
	Finished int `json:"finished,omitempty"` // of the runs
}

// NewStatus reads how a run stands, which has begun, and its best trials.
func NewStatus(r *store.Run, busy bool) (*Status, []*store.Trial, error) {
	m, err := r.Manifest()
	if err != nil {
		return nil, nil, err
	}
	tally, err := r.Tally()
	if err != nil {
		return nil, nil, err
	}
	best := func() ([]*store.Trial, error) { return r.Top(m.Objectives, shown) }
	if m.OneShot() { // its result is that of the last stage
		best = func() ([]*store.Trial, error) { return r.Latest(shown) }
	}
	top, err := best()
	if err != nil {
		return nil, nil, err
	}
	_, test, err := r.Test()
	if err != nil {
		return nil, nil, err
	}
	state, _, err := r.State()
	if err != nil {
		return nil, nil, err
	}
	note, err := ending(r)
	if err != nil {
		return nil, nil, err
	}
	s := &Status{
		Dir: r.Address(), State: State(state, busy), Space: m.Space.Name, Size: m.Space.Size, Optimizer: m.Optimizer.Title(),
		Evaluator: m.Evaluator.Title(), Budget: search.Budget(m.Budget).String(), Seed: m.Seed, Batch: m.Batch, Workers: m.Workers,
		Trials: tally.Trials, Failed: tally.Failed, Infeasible: tally.Infeasible, Reused: tally.Reused, Test: test,
		Started: m.Started, Seconds: tally.Seconds, Note: note,
	}
	if len(top) > 0 && top[0].Status == store.OK {
		s.Best, s.BestText = top[0], scores(m, top[0])
	}
	return s, top, nil
}

// ending is what was noted when a run finished.
func ending(r *store.Run) (string, error) {
	events, err := r.Events()
	for _, e := range slices.Backward(events) {
		if e.Kind == store.EventFinished {
			return e.Text, err
		}
	}
	return "", err
}

// State is the state of a run for people.
func State(s store.State, busy bool) string {
	switch {
	case s == store.Finished:
		return Finished
	case s == store.New:
		return NotBegun
	case busy:
		return Running
	}
	return Stopped
}

// scores are the objectives of a trial.
func scores(m *store.Manifest, t *store.Trial) string {
	if len(t.Metrics.Values) == 0 {
		return "not measured"
	}
	var parts []string
	for _, o := range m.Objectives {
		parts = append(parts, o.Metric+" "+Value(t.Metrics.Get(o.Metric), m.Evaluator.Units[o.Metric]))
	}
	return strings.Join(parts, ", ")
}

// shown is how many of the best trials Show prints.
const shown = 10

// Show prints a run for people.
func Show(out io.Writer, m *store.Manifest, s *Status, top []*store.Trial) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("run", "%s, %s", s.Dir, s.State)
	row("space", "%s of %s: %s architectures", m.Space.Name, m.Space.File, Group(m.Space.Size))
	part := func(name string, c store.Component) {
		for _, line := range folded(component(c), settingsWidth) {
			row(name, "%s", line)
			name = ""
		}
	}
	part("optimizer", m.Optimizer)
	part("evaluator", m.Evaluator)
	facts := func(c store.Component) {
		for _, name := range slices.Sorted(maps.Keys(c.Facts)) {
			row("", "%s: %s", name, c.Facts[name])
		}
	}
	facts(m.Evaluator)
	if m.Report != nil {
		part("report", *m.Report)
		facts(*m.Report)
	}
	for _, p := range m.Operations {
		row("operations", "%s %s", p.Plugin, p.Version)
	}
	row("budget", "%s", s.Budget)
	row("seed", "%d", s.Seed)
	if s.Batch != s.Workers {
		row("batch", "%d", s.Batch)
	}
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
	if m.OneShot() {
		text = fmt.Sprintf("%s, of which %d failed and %d are infeasible", Counted(s.Trials, "stage", "stages"), s.Failed, s.Infeasible)
	} else if len(m.Requirements) > 0 {
		text = fmt.Sprintf("%d, of which %d failed, %d are infeasible and %d are repeats", s.Trials, s.Failed, s.Infeasible, s.Reused)
	}
	row("trials", "%s", text)
	row("time", "%s, started %s", (time.Duration(s.Seconds * float64(time.Second))).Round(time.Millisecond), m.Started)
	if s.Note != "" {
		row("", "%s", s.Note)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Test)) {
		row("test "+name, "%s", Value(s.Test[name], m.Tester().Units[name]))
	}
	if s.Disconnected {
		row("output", "of trial %d %s", s.Best.Number, disconnected)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(top) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\ntrial\tresult\tgenotype")
	for _, t := range top {
		fmt.Fprintf(w, "%d\t%s\t%s\n", t.Number, scores(m, t), t.Genotype)
	}
	return w.Flush()
}

// component is a component with its settings, as a search block writes it.
func component(c store.Component) string {
	text := fmt.Sprintf("%s %s, %s(%s)", c.Plugin, c.Version, c.Component, given(c.Parameters))
	if c.Method != "" {
		text = c.Method + ": " + text
	}
	return text
}

// settingsWidth is how wide the settings of a component are printed.
const settingsWidth = 100

// folded parts text into lines of at most so many bytes, behind commas where it has some.
func folded(text string, width int) (lines []string) {
	for len(text) > width {
		i := strings.LastIndex(text[:width], ", ")
		if i < 0 {
			if i = strings.Index(text, ", "); i < 0 {
				break
			}
		}
		lines, text = append(lines, text[:i+1]), text[i+2:]
	}
	return append(lines, text)
}

// given are arguments as a file writes them.
func given(values map[string]any) string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		args = append(args, name+": "+written(values[name]))
	}
	return strings.Join(args, ", ")
}

// written is a value as a file writes it.
func written(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		elements := make([]string, v.Len())
		for i := range elements {
			elements[i] = written(v.Index(i).Interface())
		}
		return "[" + strings.Join(elements, ", ") + "]"
	}
	return fmt.Sprint(value)
}
