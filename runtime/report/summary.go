package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/runtime/store"
)

// Winner is the end of a search, or the best of one that has not ended.
type Winner struct {
	Run    *store.Manifest
	Dir    string
	Trials int // finished
	Failed int
	Reused int
	Best   *store.Trial
	Graph  *graph.Graph

	Infeasible int          // finished, but violates a requirement
	Retrained  *graph.Graph // what was tested, when it is not Graph

	Test     map[string]float64
	TestNote string // why there is no test result
	Source   string // the architecture as .nas
}

// Write prints the winner as a .nas file whose head comments hold the figures.
func (w *Winner) Write(out io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "// %-22s %s\n", name, fmt.Sprintf(format, args...))
	}
	units := w.Run.Evaluator.Units
	if w.Run.OneShot() {
		fmt.Fprintf(&b, "// Derived by %s: the last of %s", w.Run.Name, Counted(w.Trials, "stage", "stages"))
	} else {
		fmt.Fprintf(&b, "// The best of %s: trial %d of %d", w.Run.Name, w.Best.Number, w.Trials)
	}
	if w.Failed > 0 {
		fmt.Fprintf(&b, ", %d failed", w.Failed)
	}
	if w.Infeasible > 0 {
		fmt.Fprintf(&b, ", %d infeasible", w.Infeasible)
	}
	if w.Reused > 0 {
		fmt.Fprintf(&b, ", %d repeats", w.Reused)
	}
	b.WriteString("\n")
	if w.Graph.Disconnected() {
		line("output", "%s", disconnected)
	}
	measured := w.Best.Metrics.Map()
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		line("validation "+name, "%s", Value(measured[name], units[name]))
	}
	if w.Retrained != nil {
		line("trained again as", "%s: %s params, %s MACs", space(*w.Run.Retrain), Count(w.Retrained.Params()), Count(w.Retrained.MACs()))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Test)) {
		line("test "+name, "%s", Value(w.Test[name], w.Run.Tester().Units[name]))
	}
	if w.TestNote != "" {
		line("test", "none: %s", w.TestNote)
	}
	line("params", "%s", Count(w.Graph.Params()))
	line("MACs", "%s", Count(w.Graph.MACs()))
	line("genotype", "%s", w.Best.Genotype)
	line("run folder", "%s", w.Dir)
	fmt.Fprintf(&b, "\n%s", w.Source)
	_, err := io.WriteString(out, b.String())
	return err
}

// disconnected is what people are told of an architecture whose accuracy is that of a
// guess, however it was found.
const disconnected = "does not depend on the input: every path to it leads through an absent edge, such as `zero`"

// space is a space with its arguments, as a search block writes it.
func space(s store.Space) string {
	if len(s.Args) == 0 {
		return s.Name
	}
	return s.Name + "(" + given(s.Args) + ")"
}

// Line is the outcome in one sentence: what was optimized, what the test said,
// and where it is kept.
func (w *Winner) Line() string {
	var parts []string
	for _, o := range w.Run.Objectives {
		if len(w.Best.Metrics.Values) > 0 {
			parts = append(parts, fmt.Sprintf("validation %s %s", o.Metric, Value(w.Best.Metrics.Get(o.Metric), w.Run.Evaluator.Units[o.Metric])))
		}
		if v, ok := w.Test[o.Metric]; ok {
			parts = append(parts, fmt.Sprintf("test %s %s", o.Metric, Value(v, w.Run.Tester().Units[o.Metric])))
		}
	}
	if w.Run.Report != nil { // its metrics are its own
		for _, name := range slices.Sorted(maps.Keys(w.Test)) {
			if text := fmt.Sprintf("test %s %s", name, Value(w.Test[name], w.Run.Report.Units[name])); !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
	}
	what := "best"
	if w.Run.OneShot() {
		what = "derived"
	}
	if w.Graph.Disconnected() {
		parts = append(parts, "its output does not depend on its input")
	}
	return fmt.Sprintf("%s: trial %d, %s; see best.svg and best.nas in %s", what, w.Best.Number, strings.Join(parts, ", "), w.Dir)
}

// Value prints a measured number: two decimals for percentages, else as many
// digits as carry meaning.
func Value(v float64, unit string) string {
	text := strconv.FormatFloat(v, 'g', 6, 64)
	switch {
	case unit == "%":
		text = strconv.FormatFloat(v, 'f', 2, 64)
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	}
	if unit != "" {
		text += " " + unit
	}
	return text
}

// Count prints a whole number with its digits in groups of three.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	return Group(s)
}

// Group puts a blank between groups of three digits.
func Group(digits string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// WinnerJSON is a winner for a program to read.
type WinnerJSON struct {
	Run        string             `json:"run"`
	Trial      int64              `json:"trial"`
	Trials     int                `json:"trials"`
	Failed     int                `json:"failed"`
	Infeasible int                `json:"infeasible"`
	Reused     int                `json:"reused"`
	Genotype   string             `json:"genotype"`
	Valid      map[string]float64 `json:"validation"`
	Test       map[string]float64 `json:"test,omitempty"`
	Params     int64              `json:"params"`
	MACs       int64              `json:"macs"`
	// Disconnected: its output does not depend on its input.
	Disconnected bool   `json:"disconnected,omitempty"`
	Source       string `json:"source"`
}

// JSON is the winner for a program to read.
func (w *Winner) JSON() WinnerJSON {
	return WinnerJSON{
		Run: w.Dir, Trial: w.Best.Number, Trials: w.Trials, Failed: w.Failed, Infeasible: w.Infeasible, Reused: w.Reused, Genotype: w.Best.Genotype,
		Valid: w.Best.Metrics.Map(), Test: w.Test, Params: w.Graph.Params(), MACs: w.Graph.MACs(),
		Disconnected: w.Graph.Disconnected(), Source: w.Source,
	}
}
