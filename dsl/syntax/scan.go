package syntax

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// MaxFileSize is the largest source that Parse reads, in bytes.
const MaxFileSize = 1 << 20

// MaxName is the largest number of letters of a name: addresses are made of
// names, one behind the other.
const MaxName = 128

// scanner turns a file into tokens, with comments kept aside.
type scanner struct {
	file        string
	src         string
	off         int
	line        int
	lineOff     int // offset of the line's first byte
	extra       int // bytes minus runes so far on this line
	toks        []lexer.Token
	comments    []lexer.Token
	docs        []lexer.Token // doc comments not yet known to document anything
	lastComment int           // line of the last comment
	gap         bool          // an empty line since the last of docs
	errs        *diag.List
	depth       []byte // open brackets, to tell a documented statement from an argument
}

// checkText reports what makes src no text at all.
func checkText(path string, src []byte, errs *diag.List) bool {
	at := func(off int) diag.Span {
		before := src[:off]
		line := 1 + bytes.Count(before, []byte{'\n'})
		col := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
		p := diag.Pos{File: path, Offset: off, Line: line, Col: col}
		return diag.Span{Start: p, End: p}
	}
	if len(src) > MaxFileSize {
		errs.Add("E0112", at(0), "the file has more than the %d bytes that are read", MaxFileSize).
			Help = "split it into modules with `import`"
		return false
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		d := errs.Add("E0105", at(i), "this is not a text file: it holds a NUL byte")
		d.Help = "`.nas` files are UTF-8 text"
		return false
	}
	if !utf8.Valid(src) {
		i := 0
		for i < len(src) {
			r, n := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		d := errs.Add("E0105", at(i), "this is not UTF-8 text: byte 0x%02x", src[i])
		d.Help = "save the file as UTF-8"
		return false
	}
	return true
}

// report adds an error, unless there are more than anybody reads already.
func (s *scanner) report(d *diag.Diagnostic) {
	if len(*s.errs) <= diag.MaxErrors {
		*s.errs = append(*s.errs, d)
	}
}

// scan reads the whole file.
func scan(path string, src []byte, errs *diag.List) *scanner {
	s := &scanner{file: path, src: string(src), line: 1, errs: errs}
	s.toks = make([]lexer.Token, 0, len(src)/4+16)
	if strings.HasPrefix(s.src, "\uFEFF") {
		s.off, s.lineOff = 3, 3
	}
	for s.next() {
	}
	s.settleDocs(nil)
	return s
}

func (s *scanner) pos() lexer.Position {
	return lexer.Position{Filename: s.file, Offset: s.off, Line: s.line, Column: s.off - s.lineOff - s.extra + 1}
}

// next reads one token and reports whether there was one.
func (s *scanner) next() bool {
	for s.off < len(s.src) {
		switch s.src[s.off] {
		case '\n':
			s.off++
			s.line++
			s.lineOff, s.extra = s.off, 0
			continue
		case ' ', '\t', '\r':
			s.off++
			continue
		}
		break
	}
	if s.off == len(s.src) {
		return false
	}
	rest := s.src[s.off:]
	c := rest[0]
	switch {
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n])) {
			n++
		}
		if r, _ := utf8.DecodeRuneInString(rest[n:]); n < len(rest) && r >= 0x80 && unicode.IsLetter(r) {
			s.illegal(rest)
			return true
		}
		typ := tokIdent
		if keywords[rest[:n]] {
			typ = tokKeyword
		}
		if t := s.emit(typ, n); n > MaxName {
			s.report(fail(t, "E0118", "", "a name of %d letters is longer than the %d that nasc reads", n, MaxName).d)
		}
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		s.emit(tokNumber, numberLen(rest))
	case c == '"':
		s.str(rest)
	case strings.HasPrefix(rest, "//"):
		s.comment(rest)
	default:
		if n := punctLen(rest); n > 0 {
			s.emit(tokPunct, n)
		} else {
			s.illegal(rest)
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// punctLen is the length of the punctuation that s starts with, or 0.
func punctLen(s string) int {
	if len(s) > 1 {
		switch s[:2] {
		case "->", "..", "==", "!=", "<=", ">=":
			return 2
		}
	}
	if strings.IndexByte("()[]{},:.=|+-*/%^<>", s[0]) >= 0 {
		return 1
	}
	return 0
}

// emit appends the next n bytes as one token and moves on.
func (s *scanner) emit(typ lexer.TokenType, n int) *lexer.Token {
	s.toks = append(s.toks, lexer.Token{Type: typ, Value: s.src[s.off : s.off+n], Pos: s.pos()})
	s.advance(n)
	t := &s.toks[len(s.toks)-1]
	if typ == tokPunct && n == 1 {
		switch t.Value[0] {
		case '(', '[', '{':
			s.depth = append(s.depth, t.Value[0])
		case ')', ']', '}':
			if len(s.depth) > 0 {
				s.depth = s.depth[:len(s.depth)-1]
			}
		}
	}
	if len(s.docs) > 0 && typ != tokBad {
		s.settleDocs(t)
	}
	return t
}

func (s *scanner) advance(n int) {
	for i := s.off; i < s.off+n; i++ {
		if s.src[i]&0xC0 == 0x80 {
			s.extra++
		}
	}
	s.off += n
}

// str reads a string; it ends on its line.
func (s *scanner) str(rest string) {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			if i+1 < len(rest) && rest[i+1] != '\n' {
				i++
			}
		case '"':
			s.emit(tokString, i+1)
			return
		case '\n':
			s.unterminated(i)
			return
		}
	}
	s.unterminated(len(rest))
}

func (s *scanner) unterminated(n int) {
	n = len(strings.TrimRight(s.src[s.off:s.off+n], " \t\r"))
	t := s.emit(tokBad, n)
	d := fail(t, "E0102", "close it with `\"` on the same line", "this string never ends").d
	d.Label = "starts here"
	s.report(d)
}

// comment keeps a line comment aside, or for later decision when it may be a doc.
// Of several blocks of docs, only the one behind the last empty line documents
// what follows.
func (s *scanner) comment(rest string) {
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	t := lexer.Token{Type: tokComment, Value: strings.TrimRightFunc(rest[:n], unicode.IsSpace), Pos: s.pos()}
	isDoc := strings.HasPrefix(t.Value, "///") && !strings.HasPrefix(t.Value, "////") &&
		strings.TrimLeft(s.src[s.lineOff:s.off], " \t") == "" &&
		(len(s.depth) == 0 || s.depth[len(s.depth)-1] == '{')
	if isDoc && len(s.toks) > 0 {
		// Inside a statement there is nothing to document.
		last := &s.toks[len(s.toks)-1]
		isDoc = endsOperand(last) || last.Value == "{" || last.Value == "}" || last.Type == tokBad
	}
	s.gap = len(s.docs) > 0 && (s.gap || t.Pos.Line > s.lastComment+1)
	s.lastComment = t.Pos.Line
	if isDoc {
		if s.gap { // a block of its own, such as the words on top of a module
			s.comments = append(s.comments, s.docs...)
			s.docs, s.gap = nil, false
		}
		s.docs = append(s.docs, t)
	} else {
		s.comments = append(s.comments, t)
	}
	s.advance(n)
}

// settleDocs decides about pending doc comments when the token behind them is
// known: before a statement they are tokens of the grammar, else comments.
func (s *scanner) settleDocs(next *lexer.Token) {
	documents := next != nil && (next.Type == tokIdent || startsDecl[next.Value] || startsStmt[next.Value])
	if !documents {
		s.comments = append(s.comments, s.docs...)
		s.docs = nil
		return
	}
	last := *next
	s.toks = s.toks[:len(s.toks)-1]
	for _, d := range s.docs {
		d.Type = tokDoc
		s.toks = append(s.toks, d)
	}
	s.toks = append(s.toks, last)
	s.docs = nil
}

// lookalikes says what people mean by characters the language does not have.
var lookalikes = []struct{ wrong, help string }{
	{"&&", "write `and`"}, {"||", "write `or`, or `|` for a choice"}, {"&", "write `and`"},
	{"!", "write `not`"}, {";", "statements need no separator: remove it"},
	{"#", "comments start with `//`"}, {"'", "strings take double quotes: `\"`"},
	{"`", "strings take double quotes: `\"`"}, {"“", "strings take straight quotes: `\"`"}, {"”", "strings take straight quotes: `\"`"},
	{"→", "write `->`"}, {"⇒", "write `->`"}, {"…", "write `..`"}, {"×", "write `*`"}, {"·", "write `*`"},
	{"−", "write `-`"}, {"–", "write `-`, or `..` for a range"}, {"≤", "write `<=`"}, {"≥", "write `>=`"}, {"≠", "write `!=`"},
	{"∈", "write `in`"}, {"∧", "write `and`"}, {"∨", "write `or`"}, {"¬", "write `not`"},
	{"@", "nothing in the language is written with `@`"}, {"?", "write `if … then … else …`"},
}

// illegal reports a character, or a run of the same kind, that no token starts with.
func (s *scanner) illegal(rest string) {
	help, n := "", 0
	for _, l := range lookalikes {
		if strings.HasPrefix(rest, l.wrong) {
			help, n = l.help, len(l.wrong)
			break
		}
	}
	first, size := utf8.DecodeRuneInString(rest)
	what := fmt.Sprintf("`%c` does not belong to the language", first)
	switch {
	case n > 0:
		what = fmt.Sprintf("`%s` does not belong to the language", rest[:n])
	case unicode.IsLetter(first):
		for n < len(rest) {
			r, w := utf8.DecodeRuneInString(rest[n:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
				break
			}
			n += w
		}
		what = fmt.Sprintf("`%s` is no name: names are made of the letters a to z, digits and `_`", rest[:n])
	case unicode.IsSpace(first):
		n = size
		what, help = fmt.Sprintf("a space of an unusual kind, U+%04X", first), "replace it by a plain space"
	default:
		for n < len(rest) {
			r, w := utf8.DecodeRuneInString(rest[n:])
			if r < 0x80 && (unicode.IsPrint(r) || r == '\n' || r == '\r' || r == '\t') && n > 0 || unicode.IsLetter(r) {
				break
			}
			n += w
		}
		if !unicode.IsPrint(first) {
			what = fmt.Sprintf("the character U+%04X does not belong to the language", first)
		}
	}
	t := s.emit(tokBad, n)
	s.report(fail(t, "E0110", help, "%s", what).d)
}
