// Package stages reads a one-shot search as tables and pictures show it: for every
// decision the mixture weights of its options over the stages, and curves of what else
// the stages have led to.
package stages

import (
	"maps"
	"math"
	"slices"

	"github.com/nasc-project/nasc/runtime/store"
)

// History is a one-shot search stage by stage.
type History struct {
	Numbers   []int64 // of the stages
	Decisions []Decision
	Curves    []Curve
	Notes     []Note
}

// Decision is a vector of mixture weights over the stages.
type Decision struct {
	Address  string
	Edges    bool // the options are edges, of which an architecture has Min to Max
	Min, Max int
	Options  []string // as `.nas` text
	// Weights are by stage and option; NaN where a stage does not weigh it.
	Weights [][]float64
}

// Kind tells curves apart.
type Kind string

// The kinds of curve.
const (
	Validation Kind = "validation" // a metric of the supernet for the architecture derived then
	Test       Kind = "test"       // what a report says of that architecture
	Value      Kind = "value"      // what the optimizer tells: "eigenvalue", "tau"
	Entropies  Kind = "entropy"
)

// Curve is a number over the stages.
type Curve struct {
	Kind   Kind
	Name   string
	Unit   string
	Values []float64 // NaN where there is none
}

// Title is the name with what it was measured on: "validation accuracy".
func (c Curve) Title() string {
	if c.Kind == Validation || c.Kind == Test {
		return string(c.Kind) + " " + c.Name
	}
	return c.Name
}

// Note is what the optimizer said of a stage.
type Note struct {
	Stage int64
	Text  string
}

// Read reads the stages of a run that has begun. A run of another kind has none.
func Read(r *store.Run) (*History, error) {
	var all []*store.Stage
	for s, err := range r.Stages() {
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	h := &History{}
	if len(all) == 0 {
		return h, nil
	}
	m, err := r.Manifest()
	if err != nil {
		return nil, err
	}
	validation := map[int64]map[string]float64{}
	for t, err := range r.Trials() {
		if err != nil {
			return nil, err
		}
		validation[t.Number] = t.Metrics.Map()
	}
	units := m.Evaluator.Units
	tested := units
	if m.Report != nil {
		tested = m.Report.Units
	}
	curves := [3]*collector{newCollector(Validation, units, len(all)), newCollector(Test, tested, len(all)), newCollector(Value, nil, len(all))}
	decisions := newWeights(all)
	for i, s := range all {
		h.Numbers = append(h.Numbers, s.Number)
		for k, values := range []map[string]float64{validation[s.Number], s.Report, s.Values} {
			curves[k].add(i, values)
		}
		decisions.add(i, s)
		if s.Text != "" {
			h.Notes = append(h.Notes, Note{s.Number, s.Text})
		}
	}
	h.Decisions = decisions.all
	for _, c := range curves {
		h.Curves = append(h.Curves, c.curves()...)
	}
	h.Curves = append(h.Curves, h.entropy())
	return h, nil
}

// entropy is the mean entropy of the decisions among candidates.
func (h *History) entropy() Curve {
	c := Curve{Kind: Entropies, Name: "mean entropy"}
	for i := range h.Numbers {
		sum, n := 0.0, 0
		for _, d := range h.Decisions {
			if e := Entropy(d.Weights[i]); !d.Edges && !math.IsNaN(e) {
				sum, n = sum+e, n+1
			}
		}
		c.Values = append(c.Values, sum/float64(n)) // NaN of none
	}
	return c
}

// Entropy is that of weights as shares, over that of as many equal ones: 1 when nothing
// is decided and 0 when one has all the weight. Of one weight, and of weights that are
// no shares, it is NaN.
func Entropy(weights []float64) float64 {
	sum, n := 0.0, 0
	for _, w := range weights {
		switch {
		case math.IsNaN(w):
			continue
		case w < 0:
			return math.NaN()
		}
		sum, n = sum+w, n+1
	}
	if n < 2 || sum == 0 {
		return math.NaN()
	}
	e := 0.0
	for _, w := range weights {
		if w > 0 {
			e -= w / sum * math.Log(w/sum)
		}
	}
	return e / math.Log(float64(n))
}

// Strongest is the option with the largest weight in the last stage that weighs any.
func (d Decision) Strongest() int {
	best := 0
	last := d.Last()
	for i, w := range last {
		if w > last[best] || math.IsNaN(last[best]) {
			best = i
		}
	}
	return best
}

// Last are the weights in the last stage that weighs any of them, NaN if none does.
func (d Decision) Last() []float64 {
	for _, w := range slices.Backward(d.Weights) {
		if slices.ContainsFunc(w, func(v float64) bool { return !math.IsNaN(v) }) {
			return w
		}
	}
	return d.Weights[len(d.Weights)-1]
}

// Top is the upper end of the range in which the weights are shown: 1, and more where
// one is larger, as the weights of edges may be.
func (d Decision) Top() float64 {
	top := 1.0
	for _, w := range d.Weights {
		if _, high, ok := Range(w); ok {
			top = max(top, high)
		}
	}
	return top
}

// Option are the weights of an option over the stages.
func (d Decision) Option(i int) []float64 {
	out := make([]float64, len(d.Weights))
	for s, w := range d.Weights {
		out[s] = w[i]
	}
	return out
}

// Entropy is that of the decision over the stages.
func (d Decision) Entropy() []float64 {
	out := make([]float64, len(d.Weights))
	for s, w := range d.Weights {
		out[s] = Entropy(w)
	}
	return out
}

// weights collects decisions and their options: those of the last stage in their order,
// and after them those that only earlier ones weigh.
type weights struct {
	all     []Decision
	at      map[string]int
	options []map[string]int // of each decision
}

func newWeights(all []*store.Stage) *weights {
	w := &weights{at: map[string]int{}}
	for _, s := range slices.Backward(all) {
		for _, d := range s.Weighed {
			i, ok := w.at[d.Address]
			if !ok {
				i = len(w.all)
				w.at[d.Address] = i
				w.all = append(w.all, Decision{Address: d.Address, Edges: d.Edges, Min: d.Min, Max: d.Max})
				w.options = append(w.options, map[string]int{})
			}
			for _, o := range d.Options {
				if _, ok := w.options[i][o]; !ok {
					w.options[i][o] = len(w.all[i].Options)
					w.all[i].Options = append(w.all[i].Options, o)
				}
			}
		}
	}
	for i := range w.all {
		none := slices.Repeat([]float64{math.NaN()}, len(w.all[i].Options))
		for range all {
			w.all[i].Weights = append(w.all[i].Weights, slices.Clone(none))
		}
	}
	return w
}

func (w *weights) add(stage int, s *store.Stage) {
	for k, d := range s.Weighed {
		i := w.at[d.Address]
		for j, o := range d.Options {
			w.all[i].Weights[stage][w.options[i][o]] = s.Mixture[k][j]
		}
	}
}

// collector makes curves of numbers by name.
type collector struct {
	kind  Kind
	units map[string]string
	n     int
	by    map[string][]float64
}

func newCollector(kind Kind, units map[string]string, n int) *collector {
	return &collector{kind, units, n, map[string][]float64{}}
}

func (c *collector) add(stage int, values map[string]float64) {
	for name, v := range values {
		if c.by[name] == nil {
			c.by[name] = slices.Repeat([]float64{math.NaN()}, c.n)
		}
		c.by[name][stage] = v
	}
}

// curves are in the order of their names.
func (c *collector) curves() (out []Curve) {
	for _, name := range slices.Sorted(maps.Keys(c.by)) {
		out = append(out, Curve{c.kind, name, c.units[name], c.by[name]})
	}
	return out
}
