package syntax

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Parse reads one module. It never fails altogether: the tree holds what could
// be read, and the list, sorted by place, says what could not. A tree that
// comes with errors is for tools that want names and places from a file being
// written; it is not complete.
func Parse(path string, src []byte) (*File, diag.List) {
	var errs diag.List
	f := &File{Path: path}
	if checkText(path, src, &errs) {
		p := &parser{file: f, errs: &errs}
		p.parse(src)
	}
	errs.Limit()
	return f, errs
}

type parser struct {
	*outline
	file  *File
	errs  *diag.List
	found int // errors of the grammar so far
}

// full reports that more errors than anybody reads have been found, so that
// looking for others is waste.
func (p *parser) full() bool { return p.found > diag.MaxErrors }

func (p *parser) parse(src []byte) {
	s := scan(p.file.Path, src, p.errs)
	badStrings := map[int]bool{}
	for i := range s.toks {
		if t := &s.toks[i]; t.Type == tokBad && t.Value[0] == '"' {
			badStrings[t.Pos.Line] = true
		}
	}
	if p.outline = matchBrackets(s.toks, badStrings, p.errs); p.outline == nil {
		return
	}
	for i := range s.toks {
		if s.toks[i].Type == tokBad {
			p.bad[i] = true
		}
	}
	for from := 0; from < len(p.toks) && !p.full(); {
		to := p.nextDecl(from)
		p.decl(from, to)
		from = to
	}
	attach(p.file, s.toks, s.comments)
}

// behind is the place where the tokens before index i end.
func (p *parser) behind(i int) lexer.Position {
	e := endPos(&p.toks[i-1])
	return lexer.Position{Filename: e.File, Offset: e.Offset, Line: e.Line, Column: e.Col}
}

// clean reports whether no token of [from, to) is in error already.
func (p *parser) clean(from, to int) bool {
	for i := from; i < to; i++ {
		if p.bad[i] {
			return false
		}
	}
	return true
}

// nextDecl finds where the declaration that starts at from ends: at the next
// declaring word outside all brackets, with the doc comments before it.
func (p *parser) nextDecl(from int) int {
	i := from
	for i < len(p.toks) && p.toks[i].Type == tokDoc {
		i++
	}
	first := i
	foreign := i < len(p.toks) && p.toks[i].Type == tokIdent && elsewhere[p.toks[i].Value] != ""
	for i++; i < len(p.toks); i++ {
		if p.depth[i] > 0 {
			continue
		}
		t := &p.toks[i]
		if foreign && !(t.Type == tokKeyword && startsDecl[t.Value] && firstOnLine(p.toks, i)) {
			continue // what follows a word of another language is as foreign
		}
		if t.Type == tokDoc || t.Type == tokKeyword && p.beginsDecl(i) || p.beginsOther(i) && !p.contextual(first, i) {
			return i
		}
	}
	return len(p.toks)
}

func (p *parser) beginsDecl(i int) bool {
	word := p.toks[i].Value
	if !startsDecl[word] && !(startsStmt[word] && firstOnLine(p.toks, i)) {
		return false
	}
	prev := &p.toks[i-1]
	switch {
	case prev.Type == tokKeyword && (startsDecl[prev.Value] || prev.Value == "node"):
		return firstOnLine(p.toks, i) // else used as a name
	case prev.Type == tokPunct && (prev.Value == "->" || prev.Value == ":"):
		return word != "op" // the type
	case prev.Type == tokIdent && (prev.Value == "as" || prev.Value == "over"):
		return firstOnLine(p.toks, i)
	}
	// Within a line, what cannot end a declaration goes on: `a + cell`.
	return firstOnLine(p.toks, i) || endsOperand(prev) || isWord(prev, "}")
}

// beginsOther reports whether a line starts with a name that cannot go on with
// the line before: two operands never stand side by side.
func (p *parser) beginsOther(i int) bool {
	if p.toks[i].Type != tokIdent || i == 0 || !firstOnLine(p.toks, i) {
		return false
	}
	prev := &p.toks[i-1]
	return endsOperand(prev) && !isWord(prev, "op") || isWord(prev, "}")
}

// contextual reports whether the name at i, or the one before it, has a meaning
// of its own in the import or search that starts at first.
func (p *parser) contextual(first, i int) bool {
	for _, t := range p.toks[i-1 : i+1] {
		switch t.Value {
		case "from", "version", "as":
			if isWord(&p.toks[first], "import") {
				return true
			}
		case "over":
			if isWord(&p.toks[first], "search") {
				return true
			}
		}
	}
	return false
}

// decl parses the tokens [from, to) as one import or declaration.
func (p *parser) decl(from, to int) {
	word := from
	for word < to && p.toks[word].Type == tokDoc {
		word++
	}
	if word == to {
		p.report(p.leftover(&p.toks[from]).d)
		return
	}
	t := &p.toks[word]
	switch {
	case isWord(t, "import"):
		p.importDecl(from, to)
	case t.Type != tokKeyword || !startsDecl[t.Value]:
		if p.clean(word, word+1) {
			p.report(p.notDecl(word))
		}
	default:
		if d := p.whole(from, to); d != nil {
			p.addDecl(d)
		}
	}
}

// whole parses a declaration in one go, and piece by piece when that fails.
func (p *parser) whole(from, to int) Decl {
	var err error
	if p.clean(from, to) {
		var r *declRule
		if r, err = parseTokens(declParser, p.toks[from:to], p.behind(to)); err == nil {
			return r.node()
		}
	}
	return p.recoverDecl(from, to, err)
}
