package format

import (
	"strings"

	"github.com/nasc-project/nasc/dsl/syntax"
)

// The binding strength of every kind of expression, loosest first: the levels
// of the grammar.
const (
	lvExpr = iota
	lvChoice
	lvFlow
	lvPick
	lvOr
	lvAnd
	lvNot
	lvCmp
	lvRange
	lvSum
	lvProd
	lvUnary
	lvPower
	lvPostfix
)

var binaryLevel = map[string]int{
	"or": lvOr, "and": lvAnd, "==": lvCmp, "!=": lvCmp, "<": lvCmp, "<=": lvCmp, ">": lvCmp, ">=": lvCmp, "in": lvCmp,
	"+": lvSum, "-": lvSum, "*": lvProd, "/": lvProd, "%": lvProd, "^": lvPower,
}

func level(x syntax.Expr) int {
	switch x := x.(type) {
	case *syntax.If:
		return lvExpr
	case *syntax.Choice:
		return lvChoice
	case *syntax.Flow:
		return lvFlow
	case *syntax.Of:
		return lvPick
	case *syntax.Binary:
		return binaryLevel[x.Op]
	case *syntax.Unary:
		if x.Op == "not" {
			return lvNot
		}
		return lvUnary
	case *syntax.Range:
		return lvRange
	case *syntax.Number:
		if strings.HasPrefix(x.Text, "-") || x.Text == "" && x.Value < 0 {
			return lvUnary
		}
	}
	return lvPostfix
}

// printer turns a tree into docs.
type printer struct {
	bare bool // drop comments, the author's line breaks and brackets that are not needed
}

// Expr prints x on one line, without comments and with only those brackets that
// it needs, as labels and addresses do: `relu_conv_bn(kernel: 3)`.
func Expr(x syntax.Expr) string {
	if x == nil {
		return ""
	}
	p := &printer{bare: true}
	r := &renderer{stack: []command{{p.expr(x, lvExpr), 0, true}}}
	r.run()
	return string(r.out)
}

// expr prints x, with its comments, where at least level min is needed.
func (p *printer) expr(x syntax.Expr, min int) *doc {
	if paren, ok := x.(*syntax.Paren); ok && p.bare {
		return p.expr(paren.X, min)
	}
	return p.node(x, p.body(x, min))
}

// body prints x without the comments before it.
func (p *printer) body(x syntax.Expr, min int) *doc {
	if level(x) < min {
		return cat(str("("), p.content(x), str(")"))
	}
	return p.content(x)
}

func (p *printer) content(x syntax.Expr) *doc {
	switch x := x.(type) {
	case *syntax.Name:
		return str(x.Name)
	case *syntax.Number:
		return str(numberText(x))
	case *syntax.String:
		if x.Text != "" {
			return str(x.Text)
		}
		return str(syntax.Quote(x.Value))
	case *syntax.Bool:
		if x.Value {
			return str("true")
		}
		return str("false")
	case *syntax.List:
		return p.list(x)
	case *syntax.Paren:
		return p.paren(x)
	case *syntax.If:
		return p.conditional(x)
	case *syntax.Choice:
		return p.choice(x, nested)
	case *syntax.Flow:
		return p.flow(x, nested)
	case *syntax.Of:
		if x.Count == nil {
			return cat(str(x.Quant+" of "), p.expr(x.Set, lvPick))
		}
		return cat(p.expr(x.Count, lvOr), str(" of "), p.expr(x.Set, lvPick))
	case *syntax.Binary:
		return p.binary(x)
	case *syntax.Unary:
		if x.Op == "not" {
			return cat(str("not "), p.expr(x.X, lvCmp))
		}
		return cat(str("-"), p.expr(x.X, lvPower))
	case *syntax.Range:
		parts := []*doc{p.expr(x.Lo, lvSum), str("..")}
		if x.Hi != nil {
			parts = append(parts, p.expr(x.Hi, lvSum))
		}
		if x.By != nil {
			parts = append(parts, str(" by "), p.expr(x.By, lvSum))
		}
		return cat(parts...)
	case *syntax.Call:
		return p.call(x)
	case *syntax.Index:
		return cat(p.base(x.X), str("["), nested(p.expr(x.I, lvExpr)), str("]"))
	case *syntax.Select:
		return cat(p.base(x.X), str("."), p.ident(x.Name))
	}
	return str("")
}

// paren prints brackets. Of alternatives in brackets that take several lines the
// bars stand under the bracket, of steps the arrows behind it.
func (p *printer) paren(x *syntax.Paren) *doc {
	if p.hasComments(x.X) {
		return cat(str("("), nested(p.expr(x.X, lvExpr)), str(")"))
	}
	switch in := x.X.(type) {
	case *syntax.Choice:
		return aligned(str("("), p.choice(in, cat), str(")"))
	case *syntax.Flow:
		return cat(str("("), aligned(p.flow(in, cat)), str(")"))
	}
	return cat(str("("), nested(p.expr(x.X, lvExpr)), str(")"))
}

// conditional prints a chain of conditions, each with what it leads to on a line
// when all do not fit on one.
func (p *printer) conditional(x *syntax.If) *doc {
	parts := []*doc{p.condition("if ", x)}
	for {
		next, ok := x.Else.(*syntax.If)
		if !ok || p.hasComments(next) {
			break
		}
		parts = append(parts, nested(lineDoc, p.condition("else if ", next)))
		x = next
	}
	return grouped(append(parts, nested(lineDoc, str("else "), p.expr(x.Else, lvExpr)))...)
}

func (p *printer) condition(word string, x *syntax.If) *doc {
	return grouped(str(word), p.expr(x.Cond, lvExpr), nested(lineDoc, str("then "), p.expr(x.Then, lvExpr)))
}

// base prints what a call, index or selection applies to. A percentage keeps a
// space, since `10%(` would be a remainder.
func (p *printer) base(x syntax.Expr) *doc {
	d := p.expr(x, lvPostfix)
	if n, ok := x.(*syntax.Number); ok && strings.HasSuffix(numberText(n), "%") {
		return cat(d, str(" "))
	}
	return d
}

// binary prints a run of operators of one strength, which may continue on
// further lines.
func (p *printer) binary(x *syntax.Binary) *doc {
	lv := binaryLevel[x.Op]
	if lv == lvPower {
		return cat(p.expr(x.X, lvPostfix), str(" ^ "), p.expr(x.Y, lvUnary))
	}
	if lv == lvCmp {
		return filled(p.expr(x.X, lvRange), lineDoc, nested(str(x.Op+" "), p.expr(x.Y, lvRange)))
	}
	var run []*syntax.Binary // outermost first
	left := syntax.Expr(x)
	for {
		if paren, ok := left.(*syntax.Paren); ok && p.bare {
			left = paren.X
			continue
		}
		b, ok := left.(*syntax.Binary)
		if !ok || binaryLevel[b.Op] != lv || b != x && p.hasComments(b) {
			break
		}
		run = append(run, b)
		left = b.X
	}
	parts := []*doc{p.expr(left, lv)}
	for i := len(run) - 1; i >= 0; i-- {
		parts = append(parts, lineDoc, nested(str(run[i].Op+" "), p.expr(run[i].Y, lv+1)))
	}
	return filled(parts...)
}

// choice prints alternatives: on one line, in the author's lines, or one a line.
func (p *printer) choice(x *syntax.Choice, indent func(...*doc) *doc) *doc {
	parts := make([]part, len(x.Alts))
	for i, a := range x.Alts {
		content := p.body(a.Value, lvFlow)
		if paren, ok := a.Value.(*syntax.Paren); ok && p.bare {
			content = p.expr(paren.X, lvFlow)
		}
		tail := p.suffix(a.Value)
		if a.Guard != nil {
			tail = cat(tail, str(" if "), p.expr(a.Guard, lvOr))
		}
		end := syntax.Node(a.Value)
		if a.Guard != nil {
			end = a.Guard
		}
		parts[i] = part{start: a.Value, end: end, doc: cat(content, tail)}
	}
	return p.chain("| ", parts, indent)
}

// flow prints steps as choice prints alternatives.
func (p *printer) flow(x *syntax.Flow, indent func(...*doc) *doc) *doc {
	parts := make([]part, len(x.Steps))
	for i, s := range x.Steps {
		content := p.body(s, lvPick)
		if paren, ok := s.(*syntax.Paren); ok && p.bare {
			content = p.expr(paren.X, lvPick)
		}
		parts[i] = part{start: s, end: s, doc: cat(content, p.suffix(s))}
	}
	return p.chain("-> ", parts, indent)
}

// part is one alternative or step, printed without the comments before it.
type part struct {
	start, end syntax.Node
	doc        *doc
}

// chain joins parts by an operator; indent says how further lines are indented.
func (p *printer) chain(op string, parts []part, indent func(...*doc) *doc) *doc {
	byAuthor := false
	for i := 1; i < len(parts); i++ {
		byAuthor = byAuthor || p.newLine(parts[i-1].end, parts[i].start)
	}
	docs := []*doc{cat(p.before(parts[0].start), parts[0].doc)}
	for i := 1; i < len(parts); i++ {
		sep := lineDoc
		if byAuthor && p.newLine(parts[i-1].end, parts[i].start) {
			sep = hardDoc
		}
		docs = append(docs, sep, indent(p.before(parts[i].start), str(op), parts[i].doc))
	}
	if byAuthor {
		return filled(docs...)
	}
	return grouped(docs...)
}

// call prints a call; arguments stay on one line, or stand one a line when they
// do not fit or the author put the first on a line of its own.
func (p *printer) call(x *syntax.Call) *doc {
	if len(x.Args) == 0 {
		return cat(p.base(x.Fun), p.bracketed("(", nil, ")", x, false, false))
	}
	if p.holdsList(x) {
		return cat(p.base(x.Fun), str("("), p.expr(x.Args[0].Value, lvExpr), str(")"))
	}
	items := make([]*doc, len(x.Args))
	pads := p.argPadding(x.Args)
	for i, a := range x.Args {
		items[i] = p.item(a, p.arg(a, pads[i]), i+1 < len(x.Args), true)
	}
	return cat(p.base(x.Fun), p.bracketed("(", items, ")", x, p.newLine(x.Fun, x.Args[0]), false))
}

// holdsList reports whether the brackets of a call and of a list that is its one
// argument open and close together: sum([a, b]).
func (p *printer) holdsList(x syntax.Expr) bool {
	call, ok := x.(*syntax.Call)
	if !ok || len(call.Args) != 1 {
		return false
	}
	a := call.Args[0]
	l, ok := a.Value.(*syntax.List)
	return ok && a.Name == nil && a.Var == nil && !p.hasComments(a) && !p.hasComments(call) &&
		len(p.comments(l).Before) == 0 && len(p.comments(l).Suffix) == 0
}

// argPadding is how many spaces bring the values of neighbouring named
// arguments into one column.
func (p *printer) argPadding(args []*syntax.Arg) []int {
	pads := make([]int, len(args))
	for i := 0; i < len(args); {
		j, longest := i, 0
		for j < len(args) && args[j].Name != nil {
			longest = max(longest, len(args[j].Name.Name))
			j++
		}
		for ; i < j; i++ {
			pads[i] = longest - len(args[i].Name.Name)
		}
		if i == j {
			i++
		}
	}
	return pads
}

func (p *printer) arg(a *syntax.Arg, pad int) *doc {
	var parts []*doc
	if a.Name != nil {
		parts = append(parts, p.ident(a.Name), str(": "))
		if pad > 0 {
			parts = append(parts, padding(pad))
		}
	}
	parts = append(parts, p.expr(a.Value, lvExpr))
	if a.Var != nil {
		parts = append(parts, str(" for "), p.ident(a.Var), str(" in "), p.expr(a.In, lvExpr))
	}
	return cat(parts...)
}

func (p *printer) list(x *syntax.List) *doc {
	items := make([]*doc, len(x.Elems))
	atoms := true
	for i, e := range x.Elems {
		items[i] = p.item(e, p.listElem(e), i+1 < len(x.Elems), false)
		switch e.(type) {
		case *syntax.Number, *syntax.String, *syntax.Name, *syntax.Bool:
		default:
			atoms = false
		}
	}
	own := len(x.Elems) > 0 && !p.bare && x.Span().Start.Line < x.Elems[0].Span().Start.Line
	return p.bracketed("[", items, "]", x, own, atoms)
}

func (p *printer) listElem(e syntax.Expr) *doc {
	if paren, ok := e.(*syntax.Paren); ok && p.bare {
		return p.body(paren.X, lvExpr)
	}
	return p.body(e, lvExpr)
}

// item is one of a bracketed list: its comments, itself, the comma.
func (p *printer) item(n syntax.Node, content *doc, more, trailing bool) *doc {
	comma := str("")
	if more {
		comma = str(",")
	} else if trailing {
		comma = &doc{kind: ifBroken, text: ","}
	}
	return cat(p.before(n), content, comma, p.suffix(n))
}

// bracketed prints items between brackets; byAuthor forces one item a line.
func (p *printer) bracketed(open string, items []*doc, end string, owner syntax.Node, byAuthor, atoms bool) *doc {
	after := p.after(owner)
	if len(items) == 0 && !after.hard {
		return str(open + end)
	}
	first := softDoc
	if byAuthor || after.hard {
		first = hardDoc
	}
	var lines []*doc
	for i, item := range items {
		if i > 0 {
			lines = append(lines, lineDoc)
		}
		lines = append(lines, item)
	}
	inner := cat(lines...)
	if atoms {
		inner = filled(lines...)
	}
	if len(items) > 0 && after.hard {
		after = cat(freshDoc, after)
	}
	return grouped(str(open), nested(first, inner, after), softDoc, str(end))
}

func numberText(n *syntax.Number) string {
	if n.Text != "" {
		return n.Text
	}
	return formatNumber(n)
}
