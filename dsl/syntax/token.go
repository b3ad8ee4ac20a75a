package syntax

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// The kinds of token. A reserved word is a keyword token, so that the grammar's
// Ident never matches one; contextual words are plain identifiers.
const (
	tokIdent lexer.TokenType = -2 - iota
	tokKeyword
	tokNumber
	tokString
	tokPunct
	tokDoc     // "/// …" before a declaration or statement
	tokComment // every other "// …"
	tokBad     // reported already
)

// symbols tells participle the names that grammar tags use.
var symbols = map[string]lexer.TokenType{
	"EOF":     lexer.EOF,
	"Ident":   tokIdent,
	"Keyword": tokKeyword,
	"Number":  tokNumber,
	"String":  tokString,
	"Punct":   tokPunct,
	"Doc":     tokDoc,
}

// keywords are the reserved words. `plugin`, `from`, `version`, `as` and `over`
// mean something in one place only and stay usable as names.
var keywords = map[string]bool{
	"import": true, "op": true, "block": true, "cell": true, "space": true, "let": true, "search": true,
	"node": true, "return": true, "require": true, "maximize": true, "minimize": true,
	"if": true, "then": true, "else": true, "any": true, "all": true, "of": true, "by": true, "for": true,
	"in": true, "or": true, "and": true, "not": true, "true": true, "false": true,
}

// IsKeyword reports whether word is reserved and so cannot be a name.
func IsKeyword(word string) bool { return keywords[word] }

// startsDecl holds the words that begin a declaration or import.
var startsDecl = map[string]bool{
	"import": true, "op": true, "block": true, "cell": true, "space": true, "let": true, "search": true,
}

// startsStmt holds the words that begin a statement.
var startsStmt = map[string]bool{
	"op": true, "block": true, "cell": true, "space": true,
	"node": true, "return": true, "require": true, "maximize": true, "minimize": true,
}

// isWord reports whether t is the reserved word or punctuation s.
func isWord(t *lexer.Token, s string) bool {
	return t.Value == s && (t.Type == tokPunct || t.Type == tokKeyword)
}

// endsOperand reports whether an expression can end with t.
func endsOperand(t *lexer.Token) bool {
	switch t.Type {
	case tokIdent, tokNumber, tokString:
		return true
	}
	switch t.Value {
	case ")", "]", "true", "false":
		return true
	case "op": // the type
		return true
	}
	return false
}

// startsOperand reports whether an expression can start with t.
func startsOperand(t *lexer.Token) bool {
	switch t.Type {
	case tokIdent, tokNumber, tokString:
		return true
	case tokPunct:
		return t.Value == "(" || t.Value == "[" || t.Value == "-"
	case tokKeyword:
		return t.Value == "true" || t.Value == "false"
	}
	return false
}

func startPos(t *lexer.Token) diag.Pos {
	return diag.Pos{File: t.Pos.Filename, Offset: t.Pos.Offset, Line: t.Pos.Line, Col: t.Pos.Column}
}

// endPos is the place just behind t; a token never spans lines.
func endPos(t *lexer.Token) diag.Pos {
	p := startPos(t)
	p.Offset += len(t.Value)
	if t.Type == tokString || t.Type == tokBad || t.Type == tokComment || t.Type == tokDoc {
		p.Col += utf8.RuneCountInString(t.Value)
	} else {
		p.Col += len(t.Value)
	}
	return p
}

func tokenSpan(t *lexer.Token) diag.Span {
	return diag.Span{Start: startPos(t), End: endPos(t)}
}

// definition is the lexer as participle wants to see it. Parse scans a file
// once and hands participle ready tokens, so only the symbols are ever used.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType { return symbols }

func (definition) Lex(string, io.Reader) (lexer.Lexer, error) {
	return nil, errors.New("syntax: use Parse")
}

// tokenLexer replays a slice of tokens.
type tokenLexer struct {
	toks []lexer.Token
	eof  lexer.Position
}

func (l *tokenLexer) Next() (lexer.Token, error) {
	if len(l.toks) == 0 {
		return lexer.EOFToken(l.eof), nil
	}
	t := l.toks[0]
	l.toks = l.toks[1:]
	return t, nil
}
