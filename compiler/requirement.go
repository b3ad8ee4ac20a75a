package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Requirement is a condition that the winner of a search must satisfy, over the
// metrics of a trial: `latency <= 25ms`.
//
// Names of a `let` and swept values have been replaced by what they stand for,
// so that Text alone says the condition. A metric with arguments is the metric
// called after it and them: `latency(device: "pixel1")` is `latency_pixel1`.
// Times are compared in seconds and percentages as fractions, whatever unit the
// evaluator reports, see [Requirement.Measure].
type Requirement struct {
	Text string
	Span diag.Span

	cond  *term
	units map[string]string
}

// term is a node of a condition.
type term struct {
	op    string // an operator or function, "value", "metric" or "if"
	name  string // of a metric
	value any
	unit  string // of a literal
	args  []*term
	span  diag.Span
}

// Metrics lists the metrics that the condition needs, each once, with the place
// of its first use.
func (q *Requirement) Metrics() (names []string, at []diag.Span) {
	q.cond.walk(func(t *term) {
		if t.op == "metric" && !slices.Contains(names, t.name) {
			names, at = append(names, t.name), append(at, t.span)
		}
	})
	return names, at
}

func (t *term) walk(visit func(*term)) {
	visit(t)
	for _, a := range t.args {
		a.walk(visit)
	}
}

// ParseRequirement reads what Text says.
func ParseRequirement(text string) (*Requirement, error) {
	const file = "requirement"
	f, diags := syntax.Parse(file, []byte("search s over s { require "+text+"\n}\n"))
	if err := diags.Err(); err != nil {
		return nil, err
	}
	if len(f.Decls) == 1 {
		if d, ok := f.Decls[0].(*syntax.Search); ok && len(d.Body) == 1 {
			if v, ok := d.Body[0].(*syntax.Verb); ok {
				nothing := &resolve.Module{} // every name is a metric
				r := &searchReader{m: &Module{prog: &resolve.Program{Root: nothing, Core: nothing}}}
				q := r.requirement(place{v.Value, nothing})
				return q, r.diags.Err()
			}
		}
	}
	return nil, fmt.Errorf("%q is not a condition", text)
}

func (r *searchReader) requirement(p place) *Requirement {
	before := len(r.diags)
	cond, text := r.term(p)
	if cond == nil || len(r.diags) > before {
		return nil
	}
	q := &Requirement{Text: format.Expr(text), Span: p.e.Span(), cond: cond}
	kind, ok := r.kind(cond)
	if ok && kind != truth {
		r.diags.Add("E0555", p.e.Span(), "a requirement is a condition, such as `latency <= 25ms`; this is a %s", kind)
		return nil
	}
	if names, _ := q.Metrics(); ok && len(names) == 0 {
		r.diags.Add("E0555", p.e.Span(), "this requirement names no metric")
		return nil
	}
	if !ok {
		return nil
	}
	return q
}

// term reads a condition or part of one, and gives it again with names replaced.
func (r *searchReader) term(p place) (*term, syntax.Expr) {
	at := p.e.Span()
	if name, ok := r.metric(p); ok {
		return &term{op: "metric", name: name, span: at}, &syntax.Name{Name: name}
	}
	switch e := p.e.(type) {
	case *syntax.Paren:
		return r.term(place{e.X, p.m})
	case *syntax.Number:
		var v any = e.Value
		if e.IsInt {
			v = e.Int
		}
		return &term{op: "value", value: v, unit: e.Unit, span: at}, e
	case *syntax.Bool:
		return &term{op: "value", value: e.Value, span: at}, e
	case *syntax.Choice:
		if i, ok := r.taken[e]; ok {
			return r.term(place{e.Alts[i].Value, p.m})
		}
	case *syntax.Name, *syntax.Range:
		if l, home := let(nameOf(e), p.m); l != nil {
			if q := r.meaning(place{l.Value, home}); isLiteral(q.e) {
				return r.term(q)
			}
		}
		v, ok := r.constant(p)
		if !ok {
			return nil, nil
		}
		switch v := v.(type) {
		case int64, float64:
			return &term{op: "value", value: v, span: at}, number(v)
		case bool:
			return &term{op: "value", value: v, span: at}, &syntax.Bool{Value: v}
		}
	case *syntax.Unary:
		x, text := r.term(place{e.X, p.m})
		if x == nil {
			return nil, nil
		}
		op := "neg"
		if e.Op == "not" {
			op = "not"
		}
		return &term{op: op, args: []*term{x}, span: at}, &syntax.Unary{Op: e.Op, X: text}
	case *syntax.Binary:
		if e.Op == "in" {
			break
		}
		x, left := r.term(place{e.X, p.m})
		y, right := r.term(place{e.Y, p.m})
		if x == nil || y == nil {
			return nil, nil
		}
		return &term{op: e.Op, args: []*term{x, y}, span: at}, &syntax.Binary{Op: e.Op, X: left, Y: right}
	case *syntax.If:
		t, text := &term{op: "if", span: at}, &syntax.If{}
		for i, x := range []syntax.Expr{e.Cond, e.Then, e.Else} {
			a, made := r.term(place{x, p.m})
			if a == nil {
				return nil, nil
			}
			t.args = append(t.args, a)
			*[]*syntax.Expr{&text.Cond, &text.Then, &text.Else}[i] = made
		}
		return t, text
	case *syntax.Call:
		if !isFunction(e) || nameOf(e.Fun) == "len" {
			break
		}
		t, text := &term{op: nameOf(e.Fun), span: at}, &syntax.Call{Fun: &syntax.Name{Name: nameOf(e.Fun)}}
		for _, arg := range e.Args {
			if arg.Name != nil || arg.Var != nil {
				r.diags.Add("E0555", arg.Span(), "a function takes its numbers by position")
				return nil, nil
			}
			a, made := r.term(place{arg.Value, p.m})
			if a == nil {
				return nil, nil
			}
			t.args, text.Args = append(t.args, a), append(text.Args, &syntax.Arg{Value: made})
		}
		return t, text
	}
	d := r.diags.Add("E0555", at, "this has no meaning in a requirement of a search")
	d.Help = "a requirement compares metrics and numbers, as in `latency(device: \"pixel1\") <= 25ms`"
	return nil, nil
}

func nameOf(e syntax.Expr) string {
	if n, ok := e.(*syntax.Name); ok {
		return n.Name
	}
	return ""
}

func isLiteral(e syntax.Expr) bool {
	switch e.(type) {
	case *syntax.Number, *syntax.Bool:
		return true
	}
	return false
}

// number is a literal of a value, below zero with its sign.
func number(v any) syntax.Expr {
	text := graph.FormatValue(v)
	digits, negative := strings.CutPrefix(text, "-")
	n := &syntax.Number{Text: digits}
	switch v := v.(type) {
	case int64:
		n.Int, n.IsInt, n.Value = v, true, float64(v)
	case float64:
		n.Value = v
	}
	if negative {
		return &syntax.Unary{Op: "-", X: n}
	}
	return n
}

// metric reads the name of a metric: a name that nothing else has, or a call of
// one with named arguments.
func (r *searchReader) metric(p place) (string, bool) {
	switch e := p.e.(type) {
	case *syntax.Name:
		_, declared := p.m.Names[e.Name]
		return e.Name, !declared && !resolve.Function(e.Name)
	case *syntax.Call:
		if isFunction(e) || nameOf(e.Fun) == "" || len(e.Args) == 0 || p.m.Names[nameOf(e.Fun)] != nil {
			return "", false
		}
		name := nameOf(e.Fun)
		for _, a := range e.Args {
			if a.Name == nil {
				return "", false
			}
			v, ok := r.constant(place{a.Value, p.m})
			if !ok {
				return "", false
			}
			name += "_" + word(fmt.Sprint(v))
		}
		return name, true
	}
	return "", false
}

// word makes a part of a name of any text.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, text)
}

// The kinds of term.
const (
	truth  = "truth value"
	figure = "number"
)

// kind infers what a term is and reports what does not fit together.
func (r *searchReader) kind(t *term) (string, bool) {
	var kinds []string
	for _, a := range t.args {
		k, ok := r.kind(a)
		if !ok {
			return "", false
		}
		kinds = append(kinds, k)
	}
	all := func(from int, want string) bool {
		for i, k := range kinds[from:] {
			if k != want {
				r.diags.Add("E0555", t.args[from+i].span, "a %s is needed here, not a %s", want, k)
				return false
			}
		}
		return true
	}
	switch t.op {
	case "metric":
		return figure, true
	case "value":
		if _, ok := t.value.(bool); ok {
			return truth, true
		}
		return figure, true
	case "not", "and", "or":
		return truth, all(0, truth)
	case "==", "!=":
		return truth, all(1, kinds[0])
	case "<", "<=", ">", ">=":
		return truth, all(0, figure)
	case "if":
		if kinds[0] != truth {
			r.diags.Add("E0555", t.args[0].span, "a condition is needed here, not a number")
			return "", false
		}
		return kinds[1], all(2, kinds[1])
	}
	return figure, all(0, figure)
}

// scales give the base unit of what a metric is measured in: value * num / den.
var scales = map[string]struct{ num, den float64 }{
	"us": {1, 1e6}, "ms": {1, 1e3}, "s": {1, 1}, "m": {60, 1}, "h": {3600, 1}, "%": {1, 100},
}

// Measure says in which units the evaluator reports metrics. A number without a
// unit beside a time or a percentage is reported: it could mean either.
func (q *Requirement) Measure(units map[string]string) diag.List {
	q.units = units
	var diags diag.List
	q.cond.walk(func(t *term) {
		if len(t.args) != 2 || !slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, t.op) {
			return
		}
		for i, side := range t.args {
			unit := units[side.name]
			if _, scaled := scales[unit]; side.op != "metric" || !scaled {
				continue
			}
			if other := t.args[1-i]; other.op == "value" && other.unit == "" && other.value != int64(0) {
				text := graph.FormatValue(other.value)
				d := diags.Add("E0556", other.span, "`%s` is measured in %s, and %s has no unit", side.name, unit, text)
				d.Help = "write `" + text + unit + "`"
			}
		}
	})
	return diags
}

// Violated says how metrics violate the requirement, "" when they do not. The
// error is about a metric that is missing, or a division by zero.
func (q *Requirement) Violated(metrics map[string]float64) (string, error) {
	v, err := q.cond.eval(func(name string) (float64, error) {
		v, ok := metrics[name]
		if !ok {
			return 0, fmt.Errorf("the evaluator reports no metric called %s", name)
		}
		if s, ok := scales[q.units[name]]; ok {
			v = v * s.num / s.den
		}
		return v, nil
	})
	if err != nil {
		return "", fmt.Errorf("require %s: %w", q.Text, err)
	}
	if v == true {
		return "", nil
	}
	names, _ := q.Metrics()
	var is []string
	for _, n := range names {
		text := strings.TrimSuffix(graph.FormatValue(metrics[n]), ".0")
		if unit := q.units[n]; unit != "" {
			text += " " + unit
		}
		is = append(is, n+" is "+text)
	}
	return strings.Join(is, ", ") + "; required is " + q.Text, nil
}

func (t *term) eval(metric func(string) (float64, error)) (any, error) {
	switch t.op {
	case "metric":
		return metric(t.name)
	case "value":
		return t.value, nil
	}
	args := make([]*sym.Scalar, len(t.args))
	for i, a := range t.args {
		v, err := a.eval(metric)
		if err != nil {
			return nil, err
		}
		args[i] = sym.Const(v)
	}
	if t.op == "if" {
		if v, _ := args[0].Value(); v == true {
			args = args[1:2]
		} else {
			args = args[2:3]
		}
		v, _ := args[0].Value()
		return v, nil
	}
	s, err := sym.Apply(t.op, args...)
	if err != nil {
		return nil, err
	}
	v, _ := s.Value()
	return v, nil
}
