package syntax

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// syntaxError carries a finished diagnostic through participle.
type syntaxError struct{ d *diag.Diagnostic }

func (e *syntaxError) Error() string   { return e.d.Error() }
func (e *syntaxError) Message() string { return e.d.Message }
func (e *syntaxError) Position() lexer.Position {
	p := e.d.Span.Start
	return lexer.Position{Filename: p.File, Offset: p.Offset, Line: p.Line, Column: p.Col}
}

// fail makes the error of one token.
func fail(t *lexer.Token, code, help, format string, args ...any) *syntaxError {
	return &syntaxError{&diag.Diagnostic{Code: code, Span: tokenSpan(t), Message: fmt.Sprintf(format, args...), Help: help}}
}

// describe names a token in a sentence.
func describe(t *lexer.Token) string {
	switch {
	case t.EOF():
		return "the end of the declaration"
	case t.Type == tokKeyword:
		return "the reserved word `" + t.Value + "`"
	case t.Type == tokDoc:
		return "a doc comment"
	case len(t.Value) > 40:
		return "`" + string([]rune(t.Value[:40])[:30]) + "…`"
	}
	return "`" + t.Value + "`"
}

// joiners are the words that may stand between two expressions.
var joiners = []string{"of", "or", "and", "in", "by", "for", "if", "then", "else"}

// unexpected is the general error: what was expected, what is there. Words are
// the reserved words that would have fitted, for a suggestion.
func unexpected(t *lexer.Token, want string, words ...string) *syntaxError {
	e := fail(t, "E0101", "", "expected %s, found %s", want, describe(t))
	if t.Type == tokIdent {
		if w, ok := diag.Suggest(t.Value, words); ok {
			e.d.Code = "E0108"
			e.d.Message = fmt.Sprintf("unknown word `%s`", t.Value)
			e.d.Label = "expected " + want
			e.d.Help = "did you mean `" + w + "`?"
		}
	}
	return e
}

func expectedExpr(t, before *lexer.Token) error {
	e := unexpected(t, "an expression")
	switch {
	case t.Type == tokKeyword && (startsDecl[t.Value] || startsStmt[t.Value]) && before != nil && before.Pos.Line == t.Pos.Line:
		return reserved(t, "a name")
	case isWord(t, "|"):
		e.d.Help = "`|` stands between two alternatives"
	case isWord(t, "->"):
		e.d.Help = "`->` stands between two steps"
	case isWord(t, "]") && before != nil && isWord(before, ","):
		e.d.Help = "remove the comma before `]`"
	case isWord(t, "{"):
		e.d.Help = "a choice is written `3 | 5`, a list `[3, 5]`; braces hold the body of a declaration"
	case isWord(t, "+"):
		e.d.Help = "a number needs no sign `+`"
	case isWord(t, "-"):
		e.d.Help = "put the inner minus into brackets: `-(-x)`"
	case isWord(t, "not"):
		e.d.Help = "put it into brackets: `(not x)`"
	case isWord(t, "if"), isWord(t, "any"), isWord(t, "all"):
		e.d.Help = "put it into brackets: `(" + t.Value + " …)`"
	}
	return e
}

func expectedName(t *lexer.Token, where string) error {
	if t.Type == tokKeyword {
		return reserved(t, "a name")
	}
	if where != "" {
		where = " " + where
	}
	e := unexpected(t, "a name"+where)
	if t.Type == tokNumber {
		e.d.Help = "names start with a letter"
	}
	return e
}

func reserved(t *lexer.Token, what string) *syntaxError {
	return fail(t, "E0107", "choose another name, such as `"+t.Value+"_`", "`%s` is a reserved word and cannot be %s", t.Value, what)
}

func tooDeep(t *lexer.Token) *syntaxError {
	return fail(t, "E0104", "name inner parts with `=` or `let`", "nested more than %d deep", MaxNesting)
}

func tooLong(t *lexer.Token) *syntaxError {
	return fail(t, "E0104", "name parts of it with `=` or `let`, or put brackets around them", "more than %d operators in a row", maxChain)
}

// notChained is a second operator of a kind that takes only one.
func notChained(t *lexer.Token, x Expr) *syntaxError {
	help := "put brackets around the part that belongs together"
	what := "`" + t.Value + "` cannot follow here"
	switch x := x.(type) {
	case *Binary:
		what = fmt.Sprintf("comparisons do not chain: `%s` follows `%s`", t.Value, x.Op)
		help = "write `a < b and b < c`"
	case *Range:
		what = fmt.Sprintf("`%s` cannot follow a range", t.Value)
		if t.Value == ".." {
			help = "a range has a first value, a last one and a step: `128..224 by 4`"
		}
	}
	return fail(t, "E0114", help, "%s", what)
}

// afterArg explains what is wrong at the token t behind an argument that neither
// `,` nor `)` follows; next is the one behind it.
func afterArg(a *Arg, t *lexer.Token, next string) error {
	name, isName := a.Value.(*Name)
	if isName && a.Name == nil && a.Var == nil {
		_, slip := diag.Suggest(t.Value, joiners)
		switch {
		case isWord(t, "="):
			return fail(t, "E0109", "write `"+name.Name+": "+next+"`", "an argument is named with `:`, not with `=`")
		case startsOperand(t) && !(t.Type == tokIdent && slip):
			e := fail(t, "E0109", "", "a named argument takes a colon")
			e.d.Span.Start = name.span.Start
			e.d.Help = "write `" + name.Name + ": " + t.Value + "`"
			if t.Type == tokPunct {
				e.d.Help = "write `" + name.Name + ": …`"
			}
			return e
		}
	}
	return unexpected(t, "`,` or `)` after this argument", joiners...)
}

// explain turns what participle reports into a diagnostic of ours.
func (p *parser) explain(err error) *diag.Diagnostic {
	if own := (*syntaxError)(nil); errors.As(err, &own) {
		return own.d
	}
	var ute *participle.UnexpectedTokenError
	if !errors.As(err, &ute) {
		d := &diag.Diagnostic{Code: "E0101", Message: err.Error()}
		var pe participle.Error
		if errors.As(err, &pe) {
			t := lexer.Token{Pos: pe.Position()}
			d.Span, d.Message = tokenSpan(&t), pe.Message()
		}
		return d
	}
	t := &ute.Unexpected
	want := expectation(ute)
	if want == "`)`" || want == "`}`" { // parameters, names of an import
		want = "`,` or " + want
		if last := p.before(t); last != nil && !endsOperand(last) {
			want = "a name"
		}
	}
	if want == "a name" {
		return expectedName(t, "").(*syntaxError).d
	}
	if want == "" {
		return p.leftover(t).d
	}
	return unexpected(t, want).d
}

// before is the token before t, or nil.
func (p *parser) before(t *lexer.Token) *lexer.Token {
	i, _ := slices.BinarySearchFunc(p.toks, t.Pos.Offset, func(t lexer.Token, off int) int { return t.Pos.Offset - off })
	if i == 0 {
		return nil
	}
	return &p.toks[i-1]
}

// quantities are the words that people write behind a number, and what the
// language has for them.
var quantities = map[string]string{
	"evaluation": "evaluations(%s)", "evaluations": "evaluations(%s)", "trials": "evaluations(%s)", "epochs": "epochs(%s)",
	"s": "%ss", "seconds": "%ss", "m": "%sm", "minutes": "%sm", "h": "%sh", "hours": "%sh", "ms": "%sms", "us": "%sus",
	"K": "%sK", "M": "%sM", "G": "%sG", "Ki": "%sKi", "Mi": "%sMi", "Gi": "%sGi", "million": "%sM", "percent": "%s%%",
}

// leftover is a token behind a complete declaration or statement.
func (p *parser) leftover(t *lexer.Token) *syntaxError {
	e := unexpected(t, "a new declaration or statement", joiners...)
	switch {
	case t.Type == tokIdent && quantities[t.Value] != "" && p.before(t) != nil && p.before(t).Type == tokNumber:
		e.d.Help = "write `" + fmt.Sprintf(quantities[t.Value], p.before(t).Value) + "`"
	case e.d.Code == "E0108":
		e.d.Label = "an expression ends before it"
	case startsOperand(t):
		e.d.Help = "is an operator missing before it, such as `|`, `->` or `*`?"
	case isWord(t, ","):
		e.d.Help = "alternatives are separated by `|`; a list stands in brackets: `[a, b]`"
	case isWord(t, "="):
		e.d.Help = "`==` compares; `name = …` defines a name"
	case t.Type == tokDoc:
		e.d.Help = "a doc comment stands before a declaration or statement"
	}
	return e
}

// expectation says what the grammar wanted, in words.
func expectation(ute *participle.UnexpectedTokenError) string {
	msg := ute.Message()
	_, rest, ok := cutLast(msg, " (expected ")
	if !ok {
		return ""
	}
	return humanNode(rest[:len(rest)-1])
}
