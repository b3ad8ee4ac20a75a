package syntax

import (
	"fmt"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// A declaration that does not parse as a whole is taken apart: its head, then
// every statement of its body, are parsed on their own, so that each mistake is
// found and what is right is kept. Pieces with a token in error are skipped:
// that error has been reported.

func (p *parser) report(d *diag.Diagnostic) {
	*p.errs = append(*p.errs, d)
	p.found++
}

func (p *parser) addDecl(d Decl) {
	Walk(d, p.checkBody)
	p.file.Decls = append(p.file.Decls, d)
}

// The largest number of parameters of a template, and of dimensions of a shape.
const (
	MaxParams = 1000
	MaxRank   = 16
)

// checkBody reports lists that are too long, and composites without a body: only
// an op, which a plugin implements, may consist of its head.
func (p *parser) checkBody(n Node) bool {
	t, ok := n.(*Template)
	if ok && t.Kind != Op && t.Expr == nil && !t.Braces {
		e := &diag.Diagnostic{Code: "E0115", Span: t.Name.span, Message: fmt.Sprintf("%s `%s` has no body", t.Kind, t.Name.Name)}
		e.Help = "write `= …` or `{ … }` behind its head"
		p.report(e)
	}
	if ok && len(t.Params) > MaxParams {
		p.report(&diag.Diagnostic{Code: "E0118", Span: t.Name.span,
			Message: fmt.Sprintf("%d parameters are more than the %d that nasc reads", len(t.Params), MaxParams)})
	}
	if t, ok := n.(*Type); ok && len(t.Dims) > MaxRank {
		p.report(&diag.Diagnostic{Code: "E0118", Span: t.span,
			Message: fmt.Sprintf("%d dimensions are more than the %d that nasc reads", len(t.Dims), MaxRank)})
	}
	_, expr := n.(Expr)
	return !expr
}

func (p *parser) importDecl(from, to int) {
	if !p.clean(from, to) {
		return
	}
	r, err := parseTokens(importParser, p.toks[from:to], p.behind(to))
	if err != nil {
		p.report(p.explain(err))
		return
	}
	i, err := r.node()
	if err != nil {
		p.report(p.explain(err))
		return
	}
	if len(p.file.Decls) > 0 {
		d := p.file.Decls[0]
		e := &diag.Diagnostic{Code: "E0113", Span: i.span, Message: "imports come before all declarations", Help: "move it to the top of the file"}
		e.Notes = []diag.Note{{Span: d.DeclName().Span(), Text: "the first declaration"}}
		p.report(e)
	}
	p.file.Imports = append(p.file.Imports, i)
}

// recoverDecl reads what can be read of a declaration that has errors; whole is
// what parsing it in one go said, if that was tried. It is reported when the
// pieces have no errors of their own.
func (p *parser) recoverDecl(from, to int, whole error) Decl {
	before := p.found
	open := p.bodyOf(from, to)
	if open < 0 {
		if whole != nil {
			p.report(p.explain(whole))
		}
		return nil
	}
	r, err := p.head(from, open)
	body := p.recoverBody(open, to)
	if r == nil {
		if err != nil {
			p.report(p.explain(err))
		}
		return nil
	}
	if whole != nil && p.found == before {
		p.report(p.explain(whole))
	}
	end := endPos(&p.toks[min(p.close[open], to-1)])
	d := r.node()
	switch d := d.(type) {
	case *Template:
		d.Body, d.span.End = body, end
	case *Search:
		d.Body, d.span.End = body, end
	}
	return d
}

// bodyOf is the index of the brace that opens the body, or -1.
func (p *parser) bodyOf(from, to int) int {
	for i := from; i < to; i++ {
		if p.depth[i] == p.depth[from] && isWord(&p.toks[i], "{") {
			return i
		}
	}
	return -1
}

// head parses [from, open) with an empty body.
func (p *parser) head(from, open int) (*declRule, error) {
	if !p.clean(from, open) {
		return nil, nil
	}
	end := p.toks[open]
	end.Value = "}"
	toks := append(append([]lexer.Token{}, p.toks[from:open+1]...), end)
	r, err := parseTokens(declParser, toks, end.Pos)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// recoverBody reads the statements behind the brace at open one by one, and
// reports what follows the closing brace before to.
func (p *parser) recoverBody(open, to int) []Stmt {
	end := p.close[open]
	rest := end
	if !p.bad[open] {
		rest = end + 1
	}
	var stmts []Stmt
	for from := open + 1; from < end && !p.full(); {
		next := p.nextStmt(from, end, p.depth[open]+1)
		if s := p.stmt(from, next); s != nil {
			stmts = append(stmts, s)
		}
		from = next
	}
	if rest < to && p.clean(rest, to) {
		p.report(p.leftover(&p.toks[rest]).d)
	}
	return stmts
}

// nextStmt finds where the statement that starts at from ends.
func (p *parser) nextStmt(from, end, depth int) int {
	i := from
	for i < end && p.toks[i].Type == tokDoc {
		i++
	}
	unknown := i+1 < end && p.toks[i].Type == tokIdent && p.toks[i+1].Type == tokIdent
	second := i + 1
	for i++; i < end; i++ {
		t, prev := &p.toks[i], &p.toks[i-1]
		if p.depth[i] != depth {
			continue
		}
		switch {
		case t.Type == tokDoc:
			return i
		case t.Type == tokKeyword:
			if (startsStmt[t.Value] || startsDecl[t.Value]) && introduces(p.toks, i) &&
				!(prev.Type == tokPunct && (prev.Value == ":" || prev.Value == "->")) {
				return i
			}
		case t.Type == tokIdent:
			if p.beginsOther(i) {
				return i
			}
			defines := i+1 < end && isWord(&p.toks[i+1], "=")
			named := prev.Type == tokKeyword && (startsStmt[prev.Value] || startsDecl[prev.Value]) && !isVerb(prev.Value)
			typed := prev.Type == tokPunct && (prev.Value == ":" || prev.Value == "->")
			if defines && !named && !typed && !(unknown && i == second) {
				return i
			}
		}
	}
	return end
}

func isVerb(word string) bool {
	return word == "return" || word == "require" || word == "maximize" || word == "minimize"
}

// stmt parses [from, to) as one statement.
func (p *parser) stmt(from, to int) Stmt {
	word := from
	for word < to && p.toks[word].Type == tokDoc {
		word++
	}
	if word == to {
		p.report(p.leftover(&p.toks[from]).d)
		return nil
	}
	t := &p.toks[word]
	if t.Type == tokKeyword && (t.Value == "op" || t.Value == "block" || t.Value == "cell" || t.Value == "space") {
		// Its body is taken apart at once: trying the whole at every level would
		// read the innermost statements once per level.
		var d Decl
		if p.bodyOf(from, to) >= 0 {
			d = p.recoverDecl(from, to, nil)
		} else {
			d = p.whole(from, to)
		}
		s, _ := d.(Stmt)
		return s
	}
	if p.bad[word] || !p.clean(from, to) {
		return nil
	}
	if d := p.notStmt(word, to); d != nil {
		p.report(d)
		return nil
	}
	r, err := parseTokens(stmtParser, p.toks[from:to], p.behind(to))
	if err != nil {
		p.report(p.explain(err))
		return nil
	}
	return r.node()
}

var declWords = []string{"import", "op", "block", "cell", "space", "let", "search"}
var stmtWords = []string{"node", "return", "require", "maximize", "minimize", "op", "block", "cell", "space"}

// elsewhere says how to write what other languages begin with a word.
var elsewhere = map[string]string{
	"def":      "write `block name(x) = …`",
	"function": "write `block name(x) = …`",
	"class":    "write `cell name(x) { … }` or `space name(image: [3, 32, 32]) { … }`",
	"from":     "write `import { name } from \"std/vision\"`",
	"for":      "`op * 3` repeats, `node n[3] = …` makes several nodes, `sum(f(p) for p in prev)` goes over a set",
	"if":       "`if … then … else …` is an expression: `x = if … then … else …`",
	"var":      "write `let name = …`",
	"const":    "write `let name = …`",
	"model":    "write `space name(image: [3, 32, 32]) { … }`",
	"network":  "write `space name(image: [3, 32, 32]) { … }`",
}

// notDecl explains a top-level piece that starts with no declaring word.
func (p *parser) notDecl(i int) *diag.Diagnostic {
	t := &p.toks[i]
	if t.Type == tokKeyword && startsStmt[t.Value] {
		return fail(t, "E0113", "move it into the braces of a `cell` or `space`", "`%s` stands in the body of a declaration, not at the top level", t.Value).d
	}
	if t.Type == tokIdent {
		if i+1 < len(p.toks) && isWord(&p.toks[i+1], "=") {
			return fail(t, "E0113", "write `let "+t.Value+" = …`", "a definition at the top level starts with `let`").d
		}
		e := fail(t, "E0108", "", "unknown declaration `%s`", t.Value)
		if w, ok := diag.Suggest(t.Value, declWords); ok {
			e.d.Help = "did you mean `" + w + "`?"
		} else if help, ok := elsewhere[t.Value]; ok {
			e.d.Help = help
		} else {
			e.d.Help = "declarations start with `op`, `block`, `cell`, `space`, `let` or `search`"
		}
		return e.d
	}
	return fail(t, "E0101", "declarations start with `op`, `block`, `cell`, `space`, `let` or `search`", "expected a declaration, found %s", describe(t)).d
}

// notStmt explains a piece that cannot be a statement from its first tokens.
func (p *parser) notStmt(i, to int) *diag.Diagnostic {
	t := &p.toks[i]
	if t.Type == tokKeyword && startsDecl[t.Value] && !startsStmt[t.Value] {
		help := "move it to the top level"
		if t.Value == "let" {
			help = "inside a body leave out `let`: `name = …` decides once"
		}
		return fail(t, "E0113", help, "`%s` stands at the top level, not in a body", t.Value).d
	}
	if t.Type != tokIdent {
		if t.Type == tokKeyword && startsStmt[t.Value] {
			return nil
		}
		help := ""
		if t.Value == "for" || t.Value == "if" {
			help = elsewhere[t.Value]
		}
		return fail(t, "E0101", help, "expected a statement, found %s", describe(t)).d
	}
	if i+1 < to && isWord(&p.toks[i+1], "=") {
		return nil
	}
	if i+1 < to && p.toks[i+1].Type == tokIdent {
		e := fail(t, "E0108", "", "unknown statement `%s`", t.Value)
		if w, ok := diag.Suggest(t.Value, stmtWords); ok {
			e.d.Help = "did you mean `" + w + "`?"
		} else {
			e.d.Help = "statements start with `node`, `return`, `require`, `maximize`, `minimize`, or are `name = …`"
		}
		return e.d
	}
	e := fail(t, "E0111", "write `return …`, `node name = …` or `name = …`", "an expression alone is no statement")
	if w, ok := diag.Suggest(t.Value, stmtWords); ok {
		e.d.Code, e.d.Message = "E0108", fmt.Sprintf("unknown statement `%s`", t.Value)
		e.d.Help = "did you mean `" + w + "`?"
	}
	return e.d
}
