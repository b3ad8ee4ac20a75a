package check

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// candidate is one alternative of a choice before it is decided.
type candidate struct {
	label string
	expr  syntax.Expr
	value value // set when spliced from `1 of S`
	at    diag.Span
}

// choice is a | b | c. A guard that depends on a decision makes a choice for each
// value of that decision.
func (k *checker) choice(e *syntax.Choice, c context) value {
	guards := make([]*sym.Scalar, 0, len(e.Alts))
	for _, a := range e.Alts {
		if a.Guard == nil {
			continue
		}
		s, ok := k.scalar(k.eval(a.Guard, c.named("")), a.Guard.Span())
		if !ok {
			return bad{}
		}
		guards = append(guards, s)
	}
	return k.cases(guards, c, e.Span(), func(keep []any, c context) value {
		var alts []syntax.Expr
		for _, a := range e.Alts {
			if a.Guard != nil {
				v := keep[0]
				keep = keep[1:]
				if b, isBool := v.(bool); !isBool {
					k.diags.Add("E0303", a.Guard.Span(), "a guard must be true or false, not %v", v)
					return bad{}
				} else if !b {
					continue
				}
			}
			alts = append(alts, a.Value)
		}
		return k.choose(e, alts, c)
	})
}

// choose decides among alternatives: `1 of S` spliced, absent ops left out where
// the operand was picked. One survivor is no decision.
func (k *checker) choose(e *syntax.Choice, alts []syntax.Expr, c context) value {
	cands := make([]candidate, 0, len(alts))
	for _, a := range alts {
		var ok bool
		if cands, ok = k.splice(cands, a, c); !ok {
			return bad{}
		}
	}
	var absent []lower.AbsentCase
	if c.picked {
		kept := cands[:0]
		for i, x := range cands {
			if !k.absent(x, c) {
				kept = append(kept, x)
			} else {
				absent = append(absent, lower.AbsentCase{Label: x.label, At: i})
			}
		}
		cands = kept
	}
	switch len(cands) {
	case 0:
		d := k.diags.Add("E0403", e.Span(), "no alternative is left to choose")
		if c.picked {
			d.Notes = append(d.Notes, diag.Note{Text: "`k of` never keeps an absent operation such as `zero`"})
		}
		return bad{}
	case 1:
		return k.candidate(cands[0], c)
	}
	labels := make([]string, len(cands))
	for i, x := range cands {
		labels[i] = x.label
	}
	d := k.decide(c, "choice", space.OneOf, labels, e.Span())
	if d == nil {
		return bad{}
	}
	if absent != nil {
		k.leftOut[d] = absent
	}
	values := make([]value, len(cands))
	on := split{on: d}
	places := k.branches(on, c.under)
	failed := false
	for i, x := range cands {
		values[i] = k.candidate(x, c.in(places[i]).named(""))
		if _, ok := values[i].(bad); ok {
			failed = true
		}
	}
	if failed {
		return bad{}
	}
	return k.join(on, values, c, e.Span())
}

func (k *checker) candidate(x candidate, c context) value {
	if x.value != nil {
		return x.value
	}
	return k.eval(x.expr, c)
}

// splice appends an alternative to the candidates; `1 of S` becomes the members of S.
func (k *checker) splice(out []candidate, e syntax.Expr, c context) ([]candidate, bool) {
	of, ok := unparen(e).(*syntax.Of)
	if !ok {
		return append(out, candidate{label: k.text(e), expr: e, at: e.Span()}), true
	}
	l, ok := k.eval(of.Set, c.named("")).(*list)
	if n, isOne := of.Count.(*syntax.Number); !ok || l.when != nil || !isOne || !n.IsInt || n.Int != 1 {
		return append(out, candidate{label: k.text(e), expr: e, at: e.Span()}), true
	}
	for i, v := range l.elems {
		out = append(out, candidate{label: k.elementText(of.Set, i, v), value: v, at: e.Span()})
	}
	return out, true
}

func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.Paren)
		if !ok {
			return e
		}
		e = p.X
	}
}

// elementText labels element i of a list: a constant by its value, an
// operation by its text or its place.
func (k *checker) elementText(of syntax.Expr, i int, v value) string {
	if s, ok := v.(*scalar); ok {
		if c, known := s.Value(); known {
			return graph.FormatValue(c)
		}
	}
	if l, ok := unparen(of).(*syntax.List); ok {
		return k.text(l.Elems[i])
	}
	set := k.text(of)
	if len(set) > maxLabel {
		set = strings.ToValidUTF8(set[:maxLabel], "") + "…"
	}
	return set + "[" + strconv.Itoa(i) + "]"
}

// maxLabel is how much of the text of a set goes into the labels of its elements.
const maxLabel = 200

// absent reports whether a candidate is a call of an op declared absent.
func (k *checker) absent(x candidate, c context) bool {
	e := unparen(x.expr)
	if call, ok := e.(*syntax.Call); ok {
		e = call.Fun
	}
	n, ok := e.(*syntax.Name)
	if !ok || x.value != nil {
		return false
	}
	t, ok := k.name(n, c).(*template)
	return ok && t.decl.Kind == syntax.Op && declaresAbsent(t.decl)
}

func declaresAbsent(t *syntax.Template) bool {
	for _, st := range t.Body {
		if a, ok := st.(*syntax.Assign); ok && a.Name.Name == "absent" {
			b, ok := unparen(a.Value).(*syntax.Bool)
			return ok && b.Value
		}
	}
	return false
}

// join makes one value of the values in the cases of a split.
func (k *checker) join(on split, alts []value, c context, at diag.Span) value {
	if same(alts) {
		return alts[0]
	}
	var scalars []*sym.Scalar
	var tensors []*tensor
	var sets []*set
	var lists []*list
	ops := 0
	for _, v := range alts {
		switch v := v.(type) {
		case bad:
			return v
		case *scalar:
			scalars = append(scalars, v.Scalar)
		case *tensor:
			tensors = append(tensors, v)
		case *set:
			sets = append(sets, v)
		case *list:
			lists = append(lists, v)
		}
		if isOp(v) {
			ops++
		}
	}
	switch len(alts) {
	case len(scalars):
		return k.joinScalars(on, scalars, at)
	case len(tensors):
		return k.selection(on, tensors, c, at)
	case len(sets):
		return k.joinSets(on, sets, c)
	case len(lists):
		return k.joinLists(on, lists, c, at)
	case ops:
		return &chosen{on: on, alts: alts, at: at}
	}
	e := k.diags.Add("E0304", at, "the alternatives are not of one type")
	for i, v := range alts {
		e.Notes = append(e.Notes, diag.Note{Text: fmt.Sprintf("`%s` is %s", on.label(i), describe(v))})
	}
	return bad{}
}

// same reports whether all alternatives are the very same value.
func same(alts []value) bool {
	for _, v := range alts[1:] {
		if v != alts[0] {
			return false
		}
	}
	return true
}

func (k *checker) joinScalars(on split, cases []*sym.Scalar, at diag.Span) value {
	kind := ""
	for i, s := range cases {
		v, ok := s.Value()
		if !ok {
			continue
		}
		t := kindOf(v)
		if kind != "" && t != kind && !(kind != "string" && kind != "bool" && t != "string" && t != "bool") {
			k.diags.Add("E0304", at, "the alternatives are not of one type: `%s` is %s, `%s` is %s", on.label(i-1), kind, on.label(i), t)
			return bad{}
		}
		kind = t
	}
	return &scalar{on.scalar(cases)}
}

func kindOf(v any) string {
	switch v.(type) {
	case int64:
		return "int"
	case float64:
		return "real"
	case bool:
		return "bool"
	}
	return "string"
}

// selection is the tensor of the case that occurs.
func (k *checker) selection(on split, cases []*tensor, c context, at diag.Span) value {
	n := &lower.Node{Kind: lower.Select, Name: "choice", On: on.on, Item: on.item, Span: at, Cases: make([]*lower.Node, len(cases))}
	rank := len(cases[0].node.Shape)
	for i, t := range cases {
		n.Cases[i] = c.frame.use(t)
		if len(t.node.Shape) != rank {
			e := k.diags.Add("E0301", at, "the alternatives have shapes of different rank")
			e.Notes = append(e.Notes,
				diag.Note{Span: cases[0].node.Span, Text: fmt.Sprintf("`%s` gives %s", on.label(0), shapeText(cases[0].node.Shape))},
				diag.Note{Span: t.node.Span, Text: fmt.Sprintf("`%s` gives %s", on.label(i), shapeText(t.node.Shape))})
			return bad{}
		}
	}
	n.Shape = make([]*sym.Scalar, rank)
	for j := range n.Shape {
		dim := make([]*sym.Scalar, len(cases))
		for i, t := range cases {
			dim[i] = t.node.Shape[j]
		}
		n.Shape[j] = on.scalar(dim)
	}
	return &tensor{node: n, frame: c.frame}
}

// maxValues bounds the values of a range.
const maxValues = 100_000

// rangeDecision is lo..hi by step, where one value is expected. Ends that depend
// on decisions make a range for each of their values.
func (k *checker) rangeDecision(e *syntax.Range, c context) value {
	ends, ok := k.rangeEnds(e, c)
	if !ok {
		return bad{}
	}
	return k.cases(ends, c, e.Span(), func(v []any, c context) value {
		values, ok := k.rangeValues(e, v)
		if !ok {
			return bad{}
		}
		if len(values) == 1 {
			return &scalar{values[0]}
		}
		d := k.decide(c, "range", space.Range, rangeLabels(values), e.Span())
		if d == nil {
			return bad{}
		}
		return &scalar{sym.Switch(d, values)}
	})
}

func rangeLabels(values []*sym.Scalar) []string {
	labels := make([]string, len(values))
	for i, v := range values {
		x, _ := v.Value()
		labels[i] = graph.FormatValue(x)
	}
	return labels
}

// rangeEnds evaluates the first value of a range, the last and the step.
func (k *checker) rangeEnds(e *syntax.Range, c context) ([]*sym.Scalar, bool) {
	c = c.named("")
	if e.Hi == nil {
		d := k.diags.Add("E0404", e.Span(), "a range without an end has no last value")
		d.Help = "write `2..4`, or `2.. of prev` to choose at least two"
		return nil, false
	}
	by := value(&scalar{sym.Int(1)})
	if e.By != nil {
		by = k.eval(e.By, c)
	}
	ends := make([]*sym.Scalar, 3)
	for i, x := range []value{k.eval(e.Lo, c), k.eval(e.Hi, c), by} {
		s, ok := k.scalar(x, e.Span())
		if !ok {
			return nil, false
		}
		if k.isOpen(s, e.Span(), "a range") {
			return nil, false
		}
		ends[i] = s
	}
	return ends, true
}

// knownRange lists the values of a range in a search, where nothing is decided.
func (k *checker) knownRange(e *syntax.Range, c context) ([]*sym.Scalar, bool) {
	ends, ok := k.rangeEnds(e, c)
	if !ok {
		return nil, false
	}
	v, known := constants(ends)
	if !known {
		k.diags.Add("E0404", e.Span(), "the ends of this range are not known")
		return nil, false
	}
	return k.rangeValues(e, v)
}

// rangeValues lists the values from num[0] to num[1] in steps of num[2].
func (k *checker) rangeValues(e *syntax.Range, num []any) ([]*sym.Scalar, bool) {
	lo, ok1 := num[0].(int64)
	hi, ok2 := num[1].(int64)
	step, ok3 := num[2].(int64)
	if !ok1 || !ok2 || !ok3 {
		k.diags.Add("E0303", e.Span(), "a range counts in whole numbers, not %v..%v by %v", num[0], num[1], num[2])
		return nil, false
	}
	if step < 1 || hi < lo {
		k.diags.Add("E0404", e.Span(), "the range %d..%d by %d holds no value", lo, hi, step)
		return nil, false
	}
	if (hi-lo)/step >= maxValues || hi-lo < 0 {
		k.diags.Add("E0411", e.Span(), "a range of more than %d values", maxValues)
		return nil, false
	}
	var out []*sym.Scalar
	for v := lo; ; v += step {
		out = append(out, sym.Int(v))
		if v > hi-step {
			return out, true
		}
	}
}
