package syntax

import (
	"fmt"
	"slices"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// outline is what is known of a file before it is parsed: which bracket closes
// which. Everything below relies on it, so it is made to come out whole even
// when brackets are missing.
type outline struct {
	toks  []lexer.Token
	close []int  // for an opening bracket, the index where it ends; else 0
	depth []int  // open brackets before the token
	bad   []bool // tokens in error, reported already
}

var closer = map[string]string{"(": ")", "[": "]", "{": "}"}

// bracketer matches brackets in one pass over the tokens.
type bracketer struct {
	*outline
	stack  []int // indexes of open brackets
	strays []int
	strict bool // trust only brackets, not line starts
	broken []brokenBracket
}

// brokenBracket is one that does not close, and the token where that shows.
type brokenBracket struct{ open, at int }

// matchBrackets makes the outline. It returns nil when nesting is too deep.
func matchBrackets(toks []lexer.Token, badStrings map[int]bool, errs *diag.List) *outline {
	b := newBracketer(toks, true)
	if t := b.run(); t != nil {
		*errs = append(*errs, tooDeep(t).d)
		return nil
	}
	if len(b.broken) > 0 || len(b.strays) > 0 {
		// A body that does not end swallows the rest of the file. A declaration
		// at the start of a line tells better where it should have ended.
		b = newBracketer(toks, false)
		b.run()
	}
	found := 0
	for _, i := range b.strays {
		b.bad[i] = true
		if !badStrings[toks[i].Pos.Line] && found <= diag.MaxErrors {
			found++
			*errs = append(*errs, fail(&toks[i], "E0103", "remove it, or add the opening bracket", "`%s` closes nothing", toks[i].Value).d)
		}
	}
	found = 0
	slices.SortFunc(b.broken, func(x, y brokenBracket) int { return x.open - y.open })
	for _, br := range b.broken {
		b.bad[br.open] = true
		if !badStrings[toks[br.open].Pos.Line] && found <= diag.MaxErrors {
			found++
			*errs = append(*errs, unclosed(toks, br))
		}
	}
	return b.outline
}

func newBracketer(toks []lexer.Token, strict bool) *bracketer {
	n := len(toks)
	return &bracketer{strict: strict, outline: &outline{
		toks: toks, close: make([]int, n), depth: make([]int, n+1), bad: make([]bool, n)}}
}

func unclosed(toks []lexer.Token, br brokenBracket) *diag.Diagnostic {
	open := &toks[br.open]
	want := closer[open.Value]
	d := fail(open, "E0103", "", "this `%s` is never closed", open.Value).d
	d.Label = "opened here"
	if br.at < len(toks) {
		at := &toks[br.at]
		d.Notes = []diag.Note{{Span: tokenSpan(at), Text: fmt.Sprintf("`%s` was expected before this", want)}}
	} else {
		end := endPos(&toks[len(toks)-1])
		d.Notes = []diag.Note{{Span: diag.Span{Start: end, End: end}, Text: fmt.Sprintf("the file ends without `%s`", want)}}
	}
	return d
}

// run fills the outline; it returns the token at which nesting gets too deep.
func (b *bracketer) run() *lexer.Token {
	for i := range b.toks {
		t := &b.toks[i]
		if t.Type == tokKeyword || t.Type == tokIdent {
			b.resync(i)
		}
		if t.Type != tokPunct {
			b.depth[i] = len(b.stack)
			continue
		}
		switch t.Value {
		case ")", "]", "}":
			b.closeWith(i)
			b.depth[i] = len(b.stack)
			continue
		}
		b.depth[i] = len(b.stack)
		if closer[t.Value] != "" {
			if b.stack = append(b.stack, i); len(b.stack) > MaxNesting {
				return t
			}
		}
	}
	for len(b.stack) > 0 {
		b.unclosed(len(b.toks))
	}
	return nil
}

// unclosed gives up the innermost open bracket at token i.
func (b *bracketer) unclosed(i int) {
	top := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	b.close[top] = i
	b.broken = append(b.broken, brokenBracket{top, i})
}

func (b *bracketer) closeWith(i int) {
	n := len(b.stack) - 1
	for n >= 0 && closer[b.toks[b.stack[n]].Value] != b.toks[i].Value {
		n--
	}
	if n < 0 {
		b.strays = append(b.strays, i)
		return
	}
	for len(b.stack)-1 > n {
		b.unclosed(i)
	}
	b.close[b.stack[n]] = i
	b.stack = b.stack[:n]
}

// resync uses words that cannot stand inside a bracket: a statement does not
// begin inside ( or [, and, unless strict, a declaration that begins a line
// does not begin inside anything.
func (b *bracketer) resync(i int) {
	t := &b.toks[i]
	if len(b.stack) == 0 {
		return
	}
	if t.Type == tokIdent {
		// import { a, b from "…"
		if top := b.stack[len(b.stack)-1]; t.Value == "from" && i+1 < len(b.toks) && b.toks[i+1].Type == tokString &&
			top > 0 && b.toks[top-1].Value == "import" {
			b.unclosed(i)
		}
		return
	}
	if !startsDecl[t.Value] && !startsStmt[t.Value] || !firstOnLine(b.toks, i) || !introduces(b.toks, i) {
		return
	}
	for len(b.stack) > 0 && b.toks[b.stack[len(b.stack)-1]].Value != "{" {
		b.unclosed(i)
	}
	if !b.strict && t.Pos.Column == 1 && startsDecl[t.Value] {
		for len(b.stack) > 0 {
			b.unclosed(i)
		}
	}
}

func firstOnLine(toks []lexer.Token, i int) bool {
	return i == 0 || toks[i-1].Pos.Line != toks[i].Pos.Line
}

// introduces reports whether the keyword at i is followed by what a statement
// goes on with, rather than used as a name.
func introduces(toks []lexer.Token, i int) bool {
	if i > 0 {
		switch prev := &toks[i-1]; {
		case prev.Type == tokPunct && (prev.Value == ":" || prev.Value == "->"):
			return toks[i].Value != "op"
		case prev.Type == tokKeyword && (startsDecl[prev.Value] || prev.Value == "node"):
			return false
		}
	}
	if i+1 == len(toks) {
		return true
	}
	next := &toks[i+1]
	if next.Type != tokPunct {
		return true
	}
	switch next.Value {
	case ":", ",", ")", "]", ".", "=", "}":
		return false
	}
	return true
}
