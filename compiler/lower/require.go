package lower

import (
	"fmt"
	"math/bits"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// Requirement is a condition on the finished graph of one body, over decisions
// and the metrics edges, depth, params and macs of the live graph. A cell that is
// elaborated for several shapes has one for each.
//
// Like a decision, a requirement belongs to the scope that says it: it holds in
// every architecture in which that scope's decisions exist, whether its result is
// read or not.
type Requirement struct {
	Cond  *sym.Scalar
	Span  diag.Span     // the statement
	Text  string        // the condition as `.nas` text
	Parts []Part        // what `and` joins in it
	Where []*sym.Scalar // the conditions under which the scope exists, outermost first

	body *Body
}

// Part is one of several conditions that `and` joins.
type Part struct {
	Cond *sym.Scalar
	Text string
}

// Body is what the requirement is about.
func (r *Requirement) Body() *Body { return r.body }

// InForce reports whether the scope of the requirement exists.
func (r *Requirement) InForce(taken sym.Taken) bool {
	for _, c := range r.Where {
		if v, err := c.Eval(taken); err != nil || v != true {
			return false
		}
	}
	return true
}

// Violation is a requirement that an architecture does not meet.
type Violation struct {
	*Requirement
	Actual []Actual // what its metrics and decisions are
	Cause  error    // set when the condition cannot be computed
}

// Actual is the value of one name of a requirement.
type Actual struct {
	Name  string
	Value any // an int64 of a metric, the label of a decision's alternative
}

// Violated returns the first requirement that a genotype does not meet, or nil.
// It fails where Bind fails.
func (p *Plan) Violated(g space.Genotype) (*Violation, error) {
	if len(p.Requires) == 0 {
		return nil, nil
	}
	if err := p.Space.Check(g); err != nil {
		return nil, err
	}
	b := p.binder(g)
	defer b.done()
	known := map[*Body]*Metrics{}
	for _, r := range p.Requires {
		if !r.InForce(b.taken) {
			continue
		}
		var failed error // to build the body, which is no violation
		measured := func(name string) (int64, error) {
			m := known[r.body]
			if m == nil {
				built, err := b.body(r.body)
				if err != nil {
					failed = err
					return 0, err
				}
				m = &Metrics{bound: built}
				known[r.body] = m
			}
			return m.Of(name)
		}
		v, err := r.Cond.EvalWith(b.taken, measured)
		if failed != nil {
			return nil, failed
		}
		if err == nil && v == true {
			continue
		}
		out := &Violation{Requirement: r, Cause: err}
		for _, name := range r.Cond.Measures() {
			if n, err := measured(name); err == nil {
				out.Actual = append(out.Actual, Actual{name, n})
			}
		}
		for _, d := range r.Cond.Decisions() {
			out.Actual = append(out.Actual, Actual{d.Address, label(d, b.taken(d))})
		}
		return out, nil
	}
	return nil, nil
}

// Measure is a metric of the body that a requirement is about, in the architecture
// of a genotype.
func (p *Plan) Measure(g space.Genotype, r *Requirement, metric string) (int64, error) {
	built, err := p.binder(g).body(r.body)
	if err != nil {
		return 0, err
	}
	m := Metrics{bound: built}
	return m.Of(metric)
}

func label(d *space.Decision, v int64) string {
	switch {
	case v == space.Inactive:
		return "not decided"
	case d.Kind == space.Subset:
		return fmt.Sprintf("%d of %d", bits.OnesCount64(uint64(v)), len(d.Alts))
	}
	return d.Alts[v].Label
}

// Metrics are the analytic metrics of one bound graph, computed when asked for.
type Metrics struct {
	bound, live *graph.Graph
}

// Of is the metric of a name: edges, depth, params or macs. All but edges, which
// counts an identity like any operation, are those of the live graph.
func (m *Metrics) Of(name string) (int64, error) {
	if name == "edges" {
		return m.bound.Edges(), nil
	}
	if m.live == nil {
		m.live = m.bound.Live()
	}
	switch name {
	case "depth":
		return int64(m.live.Depth()), nil
	case "params":
		return m.live.Params(), nil
	case "macs":
		return m.live.MACs(), nil
	}
	return 0, fmt.Errorf("there is no metric `%s`", name)
}
