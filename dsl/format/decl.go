package format

import (
	"github.com/nasc-project/nasc/dsl/syntax"
)

// imports prints an import; a long list of names goes on under its first name.
func (p *printer) imports(i *syntax.Import) *doc {
	parts := []*doc{str("import ")}
	switch {
	case i.Plugin:
		parts = append(parts, str("plugin "))
	case len(i.Names) > 0:
		var names []*doc
		for k, n := range i.Names {
			switch {
			case k > 0 && p.newLine(i.Names[k-1], n):
				names = append(names, hardDoc)
			case k > 0:
				names = append(names, lineDoc)
			}
			names = append(names, p.item(n, str(n.Name), k+1 < len(i.Names), false))
		}
		parts = append(parts, str("{ "), aligned(filled(names...)), str(" } from "))
	}
	parts = append(parts, p.expr(i.Path, lvExpr))
	if i.Version != nil {
		parts = append(parts, str(" version "), p.expr(i.Version, lvExpr))
	}
	if i.Alias != nil {
		parts = append(parts, str(" as "), p.ident(i.Alias))
	}
	return cat(parts...)
}

// template prints an op, block, cell or space:
//
//	kind name[count](params) -> type = expr
//
// where `->` and `=` start lines of their own when they do not fit.
func (p *printer) template(t *syntax.Template) *doc {
	head := []*doc{str(string(t.Kind) + " "), p.ident(t.Name)}
	last := syntax.Node(t.Name)
	if t.Count != nil {
		head = append(head, str("["), nested(p.expr(t.Count, lvExpr)), str("]"))
		last = t.Count
	}
	if len(t.Params) > 0 {
		head = append(head, p.params(t.Params, p.newLine(last, t.Params[0])))
	}
	if t.Result != nil {
		head = append(head, grouped(nested(lineDoc, p.before(t.Result), str("-> "), p.typeBody(t.Result), p.suffix(t.Result))))
	}
	switch {
	case t.Expr != nil:
		return cat(cat(head...), p.definition(t.Expr, t.HeadEnd.Line < t.Expr.Span().Start.Line))
	case t.Braces || len(t.Body) > 0:
		return cat(cat(head...), str(" {"), p.braces(t, t.HeadEnd.Line, t.Body))
	}
	return cat(head...)
}

// definition prints `= expr` behind a head. Choices and flows that take several
// lines start a line of their own, so that all their operators stand in one column.
func (p *printer) definition(x syntax.Expr, byAuthor bool) *doc {
	var content *doc
	chained := false
	switch x := x.(type) {
	case *syntax.Choice:
		content, chained = p.choice(x, cat), true
	case *syntax.Flow:
		content, chained = p.flow(x, cat), true
	default:
		content = p.body(x, lvExpr)
	}
	before := p.before(x)
	content = cat(content, p.suffix(x))
	if byAuthor || before.hard {
		return nested(hardDoc, before, str("= "), content)
	}
	if !chained && (content.hard || p.holdsList(x)) {
		return cat(str(" = "), content)
	}
	return grouped(nested(lineDoc, str("= "), content))
}

func (p *printer) params(params []*syntax.Param, byAuthor bool) *doc {
	items := make([]*doc, len(params))
	for i, q := range params {
		parts := []*doc{p.ident(q.Name)}
		if q.Type != nil {
			parts = append(parts, str(": "), p.typ(q.Type))
		}
		if q.Default != nil {
			parts = append(parts, str(" = "), p.expr(q.Default, lvExpr))
		}
		items[i] = p.item(q, cat(parts...), i+1 < len(params), true)
	}
	return p.bracketed("(", items, ")", &syntax.List{}, byAuthor, false)
}

func (p *printer) typ(t *syntax.Type) *doc { return p.node(t, p.typeBody(t)) }

func (p *printer) typeBody(t *syntax.Type) *doc {
	if !t.Shape {
		return str(t.Name)
	}
	items := make([]*doc, len(t.Dims))
	for i, d := range t.Dims {
		items[i] = p.item(d, p.body(d, lvExpr), i+1 < len(t.Dims), false)
	}
	return p.bracketed("[", items, "]", &syntax.List{}, false, false)
}

func (p *printer) search(s *syntax.Search) *doc {
	return cat(str("search "), p.ident(s.Name), str(" over "), p.expr(s.Over, lvExpr), str(" {"), p.braces(s, s.Over.Span().End.Line, s.Body))
}

// braces prints a body behind its opening brace; the head ends in line headLine
// of the source.
func (p *printer) braces(owner syntax.Node, headLine int, body []syntax.Stmt) *doc {
	after := p.after(owner)
	if len(body) == 0 && !after.hard {
		return str("}")
	}
	// A body of one small statement may stay on the line of its head.
	if len(body) == 1 && !after.hard && owner.Span().Start.Valid() &&
		headLine == body[0].Span().Start.Line && owner.Span().End.Line == body[0].Span().End.Line {
		if d := p.stmt(body[0], 0); !d.hard {
			if _, ok := body[0].(*syntax.Template); !ok {
				return grouped(nested(lineDoc, d), lineDoc, str("}"))
			}
		}
	}
	pads := p.stmtPadding(body)
	var lines []*doc
	prev := 0
	for i, s := range body {
		lines = append(lines, hardDoc)
		if i > 0 && p.firstLine(s, stmtDoc(s)) > prev+1 {
			lines = append(lines, hardDoc)
		}
		prev = p.lastLine(s)
		lines = append(lines, p.stmt(s, pads[i]))
	}
	for _, c := range p.comments(owner).After {
		lines = append(lines, hardDoc)
		if len(body) > 0 && c.Span.Start.Line > prev+1 {
			lines = append(lines, hardDoc)
		}
		prev = c.Span.Start.Line
		lines = append(lines, commented(commentText(c)))
	}
	return cat(nested(lines...), hardDoc, str("}"))
}

func stmtDoc(s syntax.Stmt) []string {
	switch s := s.(type) {
	case *syntax.NodeStmt:
		return s.Doc
	case *syntax.Template:
		return s.Doc
	case *syntax.Verb:
		return s.Doc
	case *syntax.Assign:
		return s.Doc
	}
	return nil
}

// stmtPadding is how many spaces bring the `=` of neighbouring definitions
// into one column.
func (p *printer) stmtPadding(body []syntax.Stmt) []int {
	pads := make([]int, len(body))
	for i := 0; i < len(body); {
		j, longest := i, 0
		for ; j < len(body); j++ {
			a, ok := body[j].(*syntax.Assign)
			if !ok || j > i && (p.firstLine(a, a.Doc) > p.lastLine(body[j-1])+1 || p.firstLine(a, a.Doc) != a.Span().Start.Line) {
				break
			}
			longest = max(longest, len(a.Name.Name))
		}
		if j == i {
			i++
			continue
		}
		for ; i < j; i++ {
			pads[i] = longest - len(body[i].(*syntax.Assign).Name.Name)
		}
	}
	return pads
}

func (p *printer) stmt(s syntax.Stmt, pad int) *doc {
	var content *doc
	switch s := s.(type) {
	case *syntax.Template:
		content = p.template(s)
	case *syntax.NodeStmt:
		parts := []*doc{str("node "), p.ident(s.Name)}
		if s.Count != nil {
			parts = append(parts, str("["), nested(p.expr(s.Count, lvExpr)), str("]"))
		}
		if s.Type != nil {
			parts = append(parts, str(": "), p.typ(s.Type))
		}
		content = cat(append(parts, str(" = "), p.expr(s.Value, lvExpr))...)
	case *syntax.Verb:
		content = cat(str(s.Verb+" "), p.expr(s.Value, lvExpr))
	case *syntax.Assign:
		parts := []*doc{p.ident(s.Name)}
		if pad > 0 {
			parts = append(parts, str(spaces(pad)))
		}
		content = cat(append(parts, str(" = "), p.expr(s.Value, lvExpr))...)
	}
	return p.documented(s, stmtDoc(s), content)
}
