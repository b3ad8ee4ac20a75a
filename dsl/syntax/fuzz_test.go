package syntax

import (
	"os"
	"strings"
	"testing"
)

// FuzzParse checks that no input crashes the parser, that every error
// has a code, a sentence and a place in the file, and that trees without errors
// have sound places.
func FuzzParse(f *testing.F) {
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
	for _, s := range []string{"", "\uFEFF", "\x00", "\xff", "let x = \"\\u{", "op op op", "{{{(([", "}])", "cell c { node", "///", "/// d\n}", "a b c = d {"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			return
		}
		file, errs := Parse("x.nas", []byte(src))
		for _, e := range errs {
			p := e.Span.Start
			if e.Code == "" || e.Message == "" || !p.Valid() || p.Col < 1 || p.Offset > len(src) || p.File != "x.nas" || e.Span.End.Offset < p.Offset {
				t.Errorf("unsound diagnostic %+v", e)
			}
		}
		if !errs.HasErrors() {
			checkSpans(t, file, []byte(src))
		}
	})
}
