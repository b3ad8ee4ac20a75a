package wire

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/nasc-project/nasc/compiler/space"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// Limits of a description, far above what a real plugin needs.
const (
	maxComponents = 1000
	maxParameters = 1000
)

// FromDescription makes a message of d.
func FromDescription(d Description) (*pb.DescribeResponse, error) {
	m := &pb.DescribeResponse{Name: d.Name, Version: d.Version, Doc: d.Doc, Signatures: d.Signatures}
	for _, c := range d.Components {
		mc := &pb.Component{Name: c.Name, Doc: c.Doc, Deterministic: c.Deterministic, Shared: c.Shared, Ends: c.Ends, Varies: c.Varies,
			OneShot: c.OneShot, Supernets: c.Supernets, Operations: c.Operations,
			Metrics: fromMetrics(c.Metrics), TestMetrics: fromMetrics(c.TestMetrics)}
		switch c.Kind {
		case OptimizerKind:
			mc.Kind = pb.Component_KIND_OPTIMIZER
		case EvaluatorKind:
			mc.Kind = pb.Component_KIND_EVALUATOR
		}
		for _, k := range c.DecisionKinds {
			mc.DecisionKinds = append(mc.DecisionKinds, string(k))
		}
		for _, p := range c.Parameters {
			mp := &pb.Parameter{Name: p.Name, Doc: p.Doc, Type: string(p.Type), Min: p.Min, Max: p.Max, Choices: p.Choices}
			if p.Default != nil {
				v, err := FromValue(p.Default)
				if err != nil {
					return nil, fmt.Errorf("parameter %s of %s: %w", p.Name, c.Name, err)
				}
				mp.Default = v
			}
			mc.Parameters = append(mc.Parameters, mp)
		}
		m.Components = append(m.Components, mc)
	}
	return m, nil
}

func fromMetrics(ms []Metric) []*pb.Metric {
	var out []*pb.Metric
	for _, m := range ms {
		out = append(out, &pb.Metric{Name: m.Name, Doc: m.Doc, Unit: m.Unit, HigherIsBetter: m.HigherIsBetter})
	}
	return out
}

// ToDescription reads and checks a description.
func ToDescription(m *pb.DescribeResponse) (Description, error) {
	d := Description{Name: m.GetName(), Version: m.GetVersion(), Doc: m.GetDoc(), Signatures: m.GetSignatures()}
	if len(m.GetComponents()) > maxComponents {
		return Description{}, fmt.Errorf("%d components", len(m.GetComponents()))
	}
	for _, mc := range m.GetComponents() {
		c := Component{Name: mc.GetName(), Doc: mc.GetDoc(), Deterministic: mc.GetDeterministic(), Shared: mc.GetShared(), Ends: mc.GetEnds(),
			Varies:  mc.GetVaries(),
			OneShot: mc.GetOneShot(), Supernets: mc.GetSupernets(), Operations: mc.GetOperations(),
			Metrics: toMetrics(mc.GetMetrics()), TestMetrics: toMetrics(mc.GetTestMetrics())}
		switch mc.GetKind() {
		case pb.Component_KIND_OPTIMIZER:
			c.Kind = OptimizerKind
		case pb.Component_KIND_EVALUATOR:
			c.Kind = EvaluatorKind
		default: // of a later protocol: not for us
			continue
		}
		for _, k := range mc.GetDecisionKinds() {
			c.DecisionKinds = append(c.DecisionKinds, space.Kind(k))
		}
		for _, mp := range mc.GetParameters() {
			p := Parameter{Name: mp.GetName(), Doc: mp.GetDoc(), Type: Type(mp.GetType()), Choices: mp.GetChoices()}
			if mp != nil {
				p.Min, p.Max = mp.Min, mp.Max
			}
			if mp.GetDefault() != nil {
				v, err := ToValue(mp.GetDefault())
				if err != nil {
					return Description{}, fmt.Errorf("parameter %s of %s: %w", p.Name, c.Name, err)
				}
				p.Default = v
			}
			c.Parameters = append(c.Parameters, p)
		}
		d.Components = append(d.Components, c)
	}
	return d, d.Check()
}

func toMetrics(ms []*pb.Metric) []Metric {
	var out []Metric
	for _, m := range ms {
		out = append(out, Metric{Name: m.GetName(), Doc: m.GetDoc(), Unit: m.GetUnit(), HigherIsBetter: m.GetHigherIsBetter()})
	}
	return out
}

// Check tells what is wrong with a description: names missing or used twice,
// a default that its own parameter would refuse, an evaluator without metrics.
func (d Description) Check() error {
	if d.Name == "" || d.Version == "" {
		return fmt.Errorf("the plugin does not tell its name and version")
	}
	type id struct {
		kind ComponentKind
		name string
	}
	seen := map[id]bool{}
	for _, c := range d.Components {
		if seen[id{c.Kind, c.Name}] {
			return fmt.Errorf("two %ss are called %q", c.Kind, c.Name)
		}
		seen[id{c.Kind, c.Name}] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("%s %q: %w", c.Kind, c.Name, err)
		}
	}
	return nil
}

func (c Component) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("it has no name")
	case len(c.Parameters) > maxParameters:
		return fmt.Errorf("it has %d parameters", len(c.Parameters))
	case c.Kind == EvaluatorKind && len(c.Metrics) == 0:
		return fmt.Errorf("it reports no metric")
	}
	known := []space.Kind{space.OneOf, space.Range, space.Depth, space.Subset}
	for _, k := range c.DecisionKinds {
		if !slices.Contains(known, k) {
			return fmt.Errorf("there is no kind of decision %q", k)
		}
	}
	if err := distinct(c.Metrics, c.TestMetrics); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, p := range c.Parameters {
		if p.Name == "" || seen[p.Name] {
			return fmt.Errorf("parameter %q has no name or is declared twice", p.Name)
		}
		seen[p.Name] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("parameter %q: %w", p.Name, err)
		}
	}
	return nil
}

// distinct tells of a metric without a name, or of two with the same.
func distinct(lists ...[]Metric) error {
	for _, ms := range lists {
		seen := map[string]bool{}
		for _, m := range ms {
			if m.Name == "" || seen[m.Name] {
				return fmt.Errorf("metric %q has no name or is declared twice", m.Name)
			}
			seen[m.Name] = true
		}
	}
	return nil
}

// With is the component with what it reports in the place of what it usually does.
func (c Component) With(r Reports) Component {
	c.Metrics, c.TestMetrics, c.Deterministic = r.Metrics, r.TestMetrics, r.Deterministic
	return c
}

// FromReports makes a message of r.
func FromReports(r Reports) *pb.Reports {
	return &pb.Reports{Metrics: fromMetrics(r.Metrics), TestMetrics: fromMetrics(r.TestMetrics), Deterministic: r.Deterministic}
}

// ToReports reads and checks what an evaluator reports.
func ToReports(m *pb.Reports) (Reports, error) {
	r := Reports{Metrics: toMetrics(m.GetMetrics()), TestMetrics: toMetrics(m.GetTestMetrics()), Deterministic: m.GetDeterministic()}
	return r, distinct(r.Metrics, r.TestMetrics)
}

func (p Parameter) check() error {
	switch p.Type {
	case Int, Real, Bool, String:
	default:
		return fmt.Errorf("there is no type %q", p.Type)
	}
	for _, b := range []*float64{p.Min, p.Max} {
		if b != nil && (math.IsNaN(*b) || p.Type != Int && p.Type != Real) {
			return fmt.Errorf("it has bounds that mean nothing")
		}
	}
	if len(p.Choices) > 0 && p.Type != String {
		return fmt.Errorf("only a string has choices")
	}
	if p.Default == nil {
		return nil
	}
	v, ok := p.Convert(p.Default)
	if !ok || v != p.Default {
		return fmt.Errorf("its default is not of type %s", p.Type)
	}
	if reason := p.Refuses(v); reason != "" {
		return fmt.Errorf("its default %s", reason)
	}
	return nil
}

// Convert gives v the Go type of the parameter: int64, float64, bool or string.
// An integer will do for a real and, as it is written, for a string; a real without
// fraction will do for an integer.
func (p Parameter) Convert(v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		switch p.Type {
		case Int:
			return v, true
		case Real:
			return float64(v), true
		case String:
			return strconv.FormatInt(v, 10), true
		}
	case float64:
		switch p.Type {
		case Real:
			return v, true
		case Int:
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				return int64(v), true
			}
		}
	case bool:
		return v, p.Type == Bool
	case string:
		return v, p.Type == String
	}
	return nil, false
}

// Refuses says why a value of the right type may not be taken, or nothing.
func (p Parameter) Refuses(v any) string {
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "must be a finite number"
		}
	case string:
		if len(p.Choices) > 0 && !slices.Contains(p.Choices, v) {
			return fmt.Sprintf("must be one of %s", quoted(p.Choices))
		}
		return ""
	default:
		return ""
	}
	switch {
	case p.Min != nil && x < *p.Min:
		return fmt.Sprintf("must be at least %s", bound(*p.Min))
	case p.Max != nil && x > *p.Max:
		return fmt.Sprintf("must be at most %s", bound(*p.Max))
	}
	return ""
}

// bound writes a whole number with its digits: 1000000, not 1e+06.
func bound(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func quoted(all []string) string {
	s := ""
	for i, c := range all {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%q", c)
	}
	return s
}

// Component returns the component of a kind and name; with an empty name, the
// only one of that kind.
func (d Description) Component(kind ComponentKind, name string) (Component, bool) {
	var found []Component
	for _, c := range d.Components {
		if c.Kind == kind && (name == "" || c.Name == name) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return Component{}, false
	}
	return found[0], true
}
