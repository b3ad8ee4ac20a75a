// Package sym holds numbers, texts and truth values that may depend on
// decisions: the width of a layer that is being searched, the shape behind a
// choice, the cost of an op whose kernel is undecided.
//
// A [Scalar] is a constant, a value per alternative of one decision, an unknown
// that is settled when an architecture is built, or a function of other scalars.
// Whatever depends on a single decision is folded into a value per alternative at
// once, so most scalars are small tables.
package sym

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/space"
)

// Scalar is an immutable value: an int64, float64, bool or string that may
// depend on decisions.
type Scalar struct {
	value any             // set when constant
	on    *space.Decision // set when a table over one decision
	cases []*Scalar       // one per alternative; nil where it cannot be computed
	fn    string          // set when a function of args
	args  []*Scalar
	deps  []*space.Decision // every decision the value depends on
	open  bool              // the value depends on a measure or an unknown
	size  int               // scalars in it, each counted as often as it is used; 0 is 1
}

// Const is a value that depends on nothing: int64, float64, bool or string.
func Const(v any) *Scalar {
	switch v := v.(type) {
	case int64:
		return Int(v)
	case bool:
		if v {
			return yes
		}
		return no
	}
	return &Scalar{value: v}
}

// Int is an integer constant.
func Int(n int64) *Scalar {
	if 0 <= n && n < int64(len(small)) {
		return &small[n]
	}
	return &Scalar{value: n}
}

// The constants that almost everything is made of.
var (
	yes, no = &Scalar{value: true}, &Scalar{value: false}
	small   = func() (s [1025]Scalar) {
		for i := range s {
			s[i].value = int64(i)
		}
		return s
	}()
)

// Switch is cases[i] where d takes alternative i. It collapses to a single case
// when all are the same.
func Switch(d *space.Decision, cases []*Scalar) *Scalar {
	same := true
	for _, c := range cases[1:] {
		if !Same(c, cases[0]) {
			same = false
			break
		}
	}
	if same {
		return cases[0]
	}
	s := &Scalar{on: d, cases: cases, deps: []*space.Decision{d}}
	for _, c := range cases {
		s.deps = union(s.deps, c.deps)
		s.open = s.open || c.open
	}
	s.size = sizeOf(cases)
	return s
}

// Measure is a whole number that only a finished architecture has, such as its
// params. EvalWith is told what it is.
func Measure(name string) *Scalar {
	return &Scalar{fn: "measure", args: []*Scalar{Const(name)}, open: true}
}

// Measures lists the measures that the scalar depends on, in order of appearance.
func (s *Scalar) Measures() []string {
	var out []string
	var walk func(*Scalar)
	walk = func(x *Scalar) {
		switch {
		case !x.open:
			return
		case x.fn == "measure":
			if name := x.args[0].value.(string); !slices.Contains(out, name) {
				out = append(out, name)
			}
			return
		}
		for _, a := range x.args {
			walk(a)
		}
		for _, c := range x.cases {
			walk(c)
		}
	}
	walk(s)
	return out
}

// AtMost is the largest value of a measure for which a condition may hold, where
// its form shows one: m <= 3, m < 3, 3 >= m, and `and` of such.
func (s *Scalar) AtMost(measure string) (most int64, ok bool) {
	is := func(x *Scalar) bool { return x.fn == "measure" && x.args[0].value == measure }
	switch s.fn {
	case "and":
		a, ok1 := s.args[0].AtMost(measure)
		b, ok2 := s.args[1].AtMost(measure)
		if ok1 && ok2 {
			return min(a, b), true
		}
		return max(a, b), ok1 || ok2
	case "<", "<=", ">", ">=":
		m, c := s.args[0], s.args[1]
		if s.fn[0] == '>' {
			m, c = c, m
		}
		limit, known := float(c.value)
		if !is(m) || !known || limit < 0 || limit > 1<<53 {
			return 0, false
		}
		return int64(limit), true
	}
	return 0, false
}

// Has is true where item of a subset decision is taken.
func Has(d *space.Decision, item int) *Scalar {
	return &Scalar{fn: "has", on: d, args: []*Scalar{Int(int64(item))}, deps: []*space.Decision{d}}
}

// Took is true where alternative i of d is taken: the table of it in short, for a
// decision with many alternatives.
func Took(d *space.Decision, i int) *Scalar {
	return &Scalar{fn: "took", on: d, args: []*Scalar{Int(int64(i))}, deps: []*space.Decision{d}}
}

// Alternative returns the decision and its alternative when the scalar was made by
// Took.
func (s *Scalar) Alternative() (d *space.Decision, i int, ok bool) {
	if s.fn != "took" {
		return nil, 0, false
	}
	return s.on, s.item(), true
}

// Unknown is a whole number that no decision settles, but something that looks at
// a whole architecture. The decision stands for it by name only: it is in no
// space, and Eval asks for the number as it asks what is taken. Of two unknowns
// nothing is known but that each is the same as itself.
func Unknown(d *space.Decision) *Scalar { return &Scalar{fn: "open", on: d, open: true} }

// Open reports whether the scalar depends on a measure or an unknown.
func (s *Scalar) Open() bool { return s.open }

// Value returns the constant, or false when the scalar depends on a decision.
func (s *Scalar) Value() (any, bool) { return s.value, s.value != nil }

// Is reports whether the scalar is the constant v.
func (s *Scalar) Is(v any) bool { return s.value == v }

// Decisions lists what the scalar depends on.
func (s *Scalar) Decisions() []*space.Decision { return s.deps }

// Table returns the decision and its cases when the scalar depends on exactly
// one decision with one value per alternative.
func (s *Scalar) Table() (*space.Decision, []*Scalar, bool) {
	if s.fn != "" || s.on == nil || len(s.deps) != 1 {
		return nil, nil, false
	}
	return s.on, s.cases, true
}

// Taken tells which alternative an architecture takes of a decision: its index,
// or the bit set of items of a subset.
type Taken func(*space.Decision) int64

// Measured tells what a measure of an architecture is.
type Measured func(name string) (int64, error)

// Eval computes the scalar for one architecture. Of a measure nothing is known.
func (s *Scalar) Eval(taken Taken) (any, error) { return s.EvalWith(taken, nil) }

// EvalWith computes the scalar for an architecture whose measures are known.
func (s *Scalar) EvalWith(taken Taken, measured Measured) (any, error) {
	switch {
	case s.value != nil:
		return s.value, nil
	case s.fn == "measure":
		name := s.args[0].value.(string)
		if measured == nil {
			return nil, fmt.Errorf("`%s` is not known here", name)
		}
		return measured(name)
	case s.fn == "open":
		return taken(s.on), nil
	case s.fn == "took":
		return taken(s.on) == int64(s.item()), nil
	case s.fn == "has":
		v := taken(s.on)
		return v >= 0 && v>>uint(s.item())&1 == 1, nil
	case s.on != nil:
		i := taken(s.on)
		if i < 0 || int(i) >= len(s.cases) {
			return nil, fmt.Errorf("decision %s is not taken", s.on.Address)
		}
		return s.cases[i].EvalWith(taken, measured)
	}
	switch s.fn { // what follows a condition may have no value where that does not hold
	case "if":
		c, err := s.args[0].EvalWith(taken, measured)
		if err != nil {
			return nil, err
		}
		if c == true {
			return s.args[1].EvalWith(taken, measured)
		}
		return s.args[2].EvalWith(taken, measured)
	case "and", "or":
		c, err := s.args[0].EvalWith(taken, measured)
		if err != nil || c == (s.fn == "or") {
			return c, err
		}
	}
	vals := make([]any, len(s.args))
	for i, a := range s.args {
		v, err := a.EvalWith(taken, measured)
		if err != nil {
			return nil, err
		}
		vals[i] = v
	}
	return compute(s.fn, vals)
}

// Apply computes a function of scalars: now when all are constant, per
// alternative when they depend on one decision, later otherwise. An error for
// any alternative is an error.
func Apply(fn string, args ...*Scalar) (*Scalar, error) {
	var deps []*space.Decision
	tables, open := true, false
	for _, a := range args {
		deps = union(deps, a.deps)
		open = open || a.open
		if a.fn != "" {
			tables = false
		}
	}
	switch {
	case open:
		return unknown(fn, args, deps)
	case len(deps) == 0:
		return constant(fn, args)
	case len(deps) == 1 && tables && deps[0].Kind != space.Subset:
		cases := make([]*Scalar, len(deps[0].Alts))
		for i := range cases {
			at := make([]*Scalar, len(args))
			for j, a := range args {
				at[j] = a
				if a.on != nil {
					at[j] = a.cases[i]
				}
			}
			c, err := constant(fn, at)
			if err != nil {
				return nil, err
			}
			cases[i] = c
		}
		return Switch(deps[0], cases), nil
	}
	if known := settle(fn, args); known != nil {
		return known, nil
	}
	return bounded(&Scalar{fn: fn, args: args, deps: deps, open: open})
}

// unknown is a function of scalars some of which are open: what can be told of it
// without knowing them is told now.
func unknown(fn string, args []*Scalar, deps []*space.Decision) (*Scalar, error) {
	switch {
	case fn == "if" && args[0].value != nil:
		return constant(fn, args)
	case fn == "==" && Same(args[0], args[1]):
		return Const(true), nil
	case fn == "!=" && Same(args[0], args[1]):
		return Const(false), nil
	}
	return bounded(&Scalar{fn: fn, args: args, deps: deps, open: true})
}

// settle is the argument that a conditional or connective comes to when its first
// or one of its arguments is known, and nil when it is open.
func settle(fn string, args []*Scalar) *Scalar {
	switch fn {
	case "if":
		switch args[0].value {
		case true:
			return args[1]
		case false:
			return args[2]
		}
	case "and", "or":
		for i, a := range args {
			switch a.value {
			case fn == "or":
				return a
			case fn == "and":
				return args[1-i]
			}
		}
	case "not":
		if args[0].fn == "not" {
			return args[0].args[0]
		}
	}
	return nil
}

func constant(fn string, args []*Scalar) (*Scalar, error) {
	if fn == "if" {
		c, ok := args[0].value.(bool)
		if !ok {
			return nil, fmt.Errorf("a condition must be true or false, not %s", args[0])
		}
		if c {
			return args[1], nil
		}
		return args[2], nil
	}
	vals := make([]any, len(args))
	for i, a := range args {
		vals[i] = a.value
	}
	v, err := compute(fn, vals)
	if err != nil {
		return nil, err
	}
	return Const(v), nil
}

// Same reports whether two scalars are the same by construction.
func Same(a, b *Scalar) bool {
	if a == b {
		return true
	}
	if a.value != nil || b.value != nil {
		return a.value == b.value
	}
	if a.fn != b.fn || a.on != b.on || len(a.cases) != len(b.cases) || len(a.args) != len(b.args) {
		return false
	}
	for i := range a.cases {
		if !Same(a.cases[i], b.cases[i]) {
			return false
		}
	}
	for i := range a.args {
		if !Same(a.args[i], b.args[i]) {
			return false
		}
	}
	return true
}

// String prints the values that the scalar can have: 32, or 16|32.
func (s *Scalar) String() string {
	if s.value != nil {
		return fmt.Sprint(s.value)
	}
	seen := map[string]bool{}
	var out []string
	var walk func(*Scalar)
	walk = func(x *Scalar) {
		if x.fn == "open" {
			out = append(out, "open")
			return
		}
		if x.fn != "" {
			out = append(out, "…")
			return
		}
		if x.value != nil {
			if t := fmt.Sprint(x.value); !seen[t] {
				seen[t] = true
				out = append(out, t)
			}
			return
		}
		for _, c := range x.cases {
			walk(c)
		}
	}
	walk(s)
	return strings.Join(out, "|")
}

// union merges two lists of decisions, in the order in which they were declared.
func union(a, b []*space.Decision) []*space.Decision {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	out := a[:len(a):len(a)]
	for _, d := range b {
		if !slices.Contains(a, d) {
			out = append(out, d)
		}
	}
	if len(out) > len(a) {
		slices.SortStableFunc(out, func(x, y *space.Decision) int { return x.ID - y.ID })
	}
	return out
}

// At is the scalar where d takes value v: an alternative, or the bit set of items
// of a subset.
func (s *Scalar) At(d *space.Decision, v int64) *Scalar {
	return s.where(d, func(x *Scalar) *Scalar {
		if x.fn == "has" {
			return Const(v>>uint(x.item())&1 == 1)
		}
		if x.fn == "took" {
			return Const(v == int64(x.item()))
		}
		return x.cases[v]
	})
}

// AtItem is the scalar where item of the subset d is taken, or is not.
func (s *Scalar) AtItem(d *space.Decision, item int, taken bool) *Scalar {
	return s.where(d, func(x *Scalar) *Scalar {
		if x.item() != item {
			return x
		}
		return Const(taken)
	})
}

// where replaces what depends on d directly.
func (s *Scalar) where(d *space.Decision, at func(*Scalar) *Scalar) *Scalar {
	switch {
	case !slices.Contains(s.deps, d):
		return s
	case s.on == d:
		x := at(s)
		if x == s {
			return s
		}
		return x.where(d, at)
	case s.on != nil:
		cases := make([]*Scalar, len(s.cases))
		for j, c := range s.cases {
			cases[j] = c.where(d, at)
		}
		return Switch(s.on, cases)
	}
	args := make([]*Scalar, len(s.args))
	for j, a := range s.args {
		args[j] = a.where(d, at)
	}
	out, err := Apply(s.fn, args...)
	if err != nil {
		// It could not be computed for this alternative; evaluation will say so.
		return &Scalar{fn: s.fn, args: args, deps: s.deps, open: s.open, size: s.size}
	}
	return out
}

// Item returns the subset and its item when the scalar says whether that is taken.
func (s *Scalar) Item() (d *space.Decision, item int, ok bool) {
	if s.fn != "has" {
		return nil, 0, false
	}
	return s.on, s.item(), true
}

func (s *Scalar) item() int { return int(s.args[0].value.(int64)) }

// FirstItem is the first item of the subset d that the scalar asks about, or -1.
func (s *Scalar) FirstItem(d *space.Decision) int {
	if s.fn == "has" && s.on == d {
		return s.item()
	}
	if !slices.Contains(s.deps, d) {
		return -1
	}
	first := -1
	for _, x := range [][]*Scalar{s.cases, s.args} {
		for _, a := range x {
			if i := a.FirstItem(d); i >= 0 && (first < 0 || i < first) {
				first = i
			}
		}
	}
	return first
}
