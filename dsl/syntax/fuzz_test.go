package syntax

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// FuzzParse checks that no input crashes the parser, that every error
// has a code, a sentence and a place in the file, and that the tree has sound
// places, with errors too.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src string) {
		file, errs := Parse("x.nas", []byte(src))
		for _, e := range errs {
			p := e.Span.Start
			if e.Code == "" || e.Message == "" || !p.Valid() || p.Col < 1 || p.Offset > len(src) || p.File != "x.nas" || e.Span.End.Offset < p.Offset {
				t.Errorf("unsound diagnostic %+v", e)
			}
		}
		checkSpans(t, file, []byte(src))
	})
}

// FuzzScan checks that tokens and comments are pieces of the file, one behind
// the other and where they say they are, with nothing but blanks between them.
func FuzzScan(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src string) {
		var errs diag.List
		if !checkText("x.nas", []byte(src), &errs) {
			if len(errs) != 1 {
				t.Fatalf("this is no text, for %d reasons", len(errs))
			}
			return
		}
		s := scan("x.nas", []byte(src), &errs)
		pieces := slices.Concat(s.toks, s.comments)
		slices.SortFunc(pieces, func(a, b lexer.Token) int { return a.Pos.Offset - b.Pos.Offset })
		at := lexer.Position{Filename: "x.nas", Line: 1, Column: 1}
		if strings.HasPrefix(src, "\uFEFF") {
			at.Offset = 3
		}
		pass := func(to int) { // moves over src[at.Offset:to]
			for _, r := range src[at.Offset:to] {
				if r != '\n' {
					at.Column++
					continue
				}
				at.Line, at.Column = at.Line+1, 1
			}
			at.Offset = to
		}
		for _, p := range pieces {
			if p.Pos.Offset < at.Offset || p.Value == "" || !strings.HasPrefix(src[p.Pos.Offset:], p.Value) {
				t.Fatalf("%q is not at %+v", p.Value, p.Pos)
			}
			if between := src[at.Offset:p.Pos.Offset]; strings.TrimSpace(between) != "" {
				t.Fatalf("%q is skipped before %q", between, p.Value)
			}
			pass(p.Pos.Offset)
			if p.Pos != at {
				t.Fatalf("%q is at %+v and says %+v", p.Value, at, p.Pos)
			}
			if p.Type == tokBad && !errs.HasErrors() {
				t.Fatalf("nothing is said about %q", p.Value)
			}
			pass(p.Pos.Offset + len(p.Value))
		}
		if rest := src[at.Offset:]; strings.TrimSpace(rest) != "" {
			t.Fatalf("%q is skipped at the end", rest)
		}
	})
}

// seed adds what parses, what does not, and parts of both.
func seed(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"../../spaces/*/*.nas", "../../stdlib/*.nas"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no files match", pattern, err)
		}
		for _, name := range files {
			s, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(s))
		}
	}
	for _, s := range samples(f) {
		f.Add(string(s))
		for _, d := range strings.SplitAfter(string(s), "\n\n") {
			f.Add(d)
		}
	}
	bad, err := os.ReadFile("testdata/errors.nas")
	if err != nil {
		f.Fatal(err)
	}
	for _, chunk := range strings.Split(string(bad), "\n---\n") {
		f.Add(chunk)
		for _, l := range strings.Split(chunk, "\n") {
			f.Add(l)
		}
	}
	for _, s := range []string{"", "\uFEFF", "\x00", "\xff", "let x = \"\\u{", "op op op", "{{{(([", "}])", "cell c { node", "///", "/// d\n}", "a b c = d {", "cell c {\n n = 1..\n m = 3\n}", "cell c {\n n = 1 +\n m = 3\n}"} {
		f.Add(s)
	}
}
