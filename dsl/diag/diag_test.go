package diag_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

// at is the span of n bytes at an offset of src.
func at(file, src string, offset, n int) diag.Span {
	pos := func(o int) diag.Pos {
		before := src[:o]
		return diag.Pos{File: file, Offset: o, Line: 1 + strings.Count(before, "\n"),
			Col: 1 + len([]rune(before[strings.LastIndex(before, "\n")+1:]))}
	}
	return diag.Span{Start: pos(offset), End: pos(offset + n)}
}

func find(file, src, part string) diag.Span {
	return at(file, src, strings.Index(src, part), len(part))
}

func TestRender(t *testing.T) {
	darts := strings.Repeat("\n", 15) + "    node n[4] = sum(edge(3 of prev))\n"
	ofa := strings.Repeat("\n", 15) + "    require params <= 12M\n"
	two := "cell c {\n\tx = (1\n}\n"
	wide := "let x = f(\"日本語\", |)\r\n"
	long := "let x = [" + strings.Repeat("1, ", 100) + "|" + strings.Repeat(", 1", 100) + "]"
	sources := map[string]string{"darts.nas": darts, "ofa.nas": ofa, "two.nas": two, "wide.nas": wide, "long.nas": long}
	for _, c := range []struct {
		name string
		d    diag.Diagnostic
		want string
	}{
		{"label and help", diag.Diagnostic{Code: "E0311", Span: find("darts.nas", darts, "3 of prev"), Message: "cannot choose 3 of 2 tensors",
			Label: "at n[0], prev = {a, b}", Help: "write `1..2 of prev`"},
			`darts.nas:16:26: error E0311: cannot choose 3 of 2 tensors
   16 |     node n[4] = sum(edge(3 of prev))
      |                          ^^^^^^^^^ at n[0], prev = {a, b}
      = help: write ` + "`1..2 of prev`\n"},
		{"note on the line", diag.Diagnostic{Code: "E0431", Span: find("ofa.nas", ofa, "require params <= 12M"), Message: "this architecture is outside the space",
			Notes: []diag.Note{{Span: find("ofa.nas", ofa, "params"), Text: "is 13 402 112"}}},
			`ofa.nas:16:5: error E0431: this architecture is outside the space
   16 |     require params <= 12M
      |             ------ is 13 402 112
`},
		{"from a plugin, no source to show", diag.Diagnostic{Code: "E0520", Source: "nasc/evolution 1.0.2", Message: "sample must not exceed population",
			Span: diag.Span{Start: diag.Pos{File: "gone.nas", Line: 31, Col: 50}}, Notes: []diag.Note{{Text: "a plain note"}}},
			`gone.nas:31:50: error E0520 [nasc/evolution 1.0.2]: sample must not exceed population
      = note: a plain note
`},
		{"note elsewhere in the file, tab", diag.Diagnostic{Code: "E0103", Span: find("two.nas", two, "("), Message: "this `(` is never closed", Label: "opened here",
			Notes: []diag.Note{{Span: find("two.nas", two, "}"), Text: "`)` was expected before this"}, {Span: find("ofa.nas", ofa, "12M"), Text: "and there"}}},
			"two.nas:2:6: error E0103: this `(` is never closed\n" +
				"    2 |     x = (1\n" +
				"      |         ^ opened here\n" +
				"    3 | }\n" +
				"      | - `)` was expected before this\n" +
				"     --> ofa.nas:16:23\n" +
				"   16 |     require params <= 12M\n" +
				"      |                       --- and there\n"},
		{"wide runes, no label, end of span on a later line", diag.Diagnostic{Severity: diag.Warning, Code: "E0101", Message: "odd",
			Span: diag.Span{Start: find("wide.nas", wide, "|").Start, End: diag.Pos{File: "wide.nas", Line: 2, Col: 3}}},
			"wide.nas:1:18: warning E0101: odd\n" +
				"    1 | let x = f(\"日本語\", |)\n" +
				"      |                     ^^\n"},
		{"a long line is clipped", diag.Diagnostic{Code: "E0101", Message: "long", Span: find("long.nas", long, "|")},
			"long.nas:1:310: error E0101: long\n" +
				"    1 | ..." + long[271:385] + "...\n" +
				"      |    " + strings.Repeat(" ", 38) + "^\n"},
		{"nowhere", diag.Diagnostic{Code: "E0501", Message: "no plugin `x`\nsaid\x1b[31m so", Help: "one\ntwo"},
			"error E0501: no plugin `x` said\uFFFD[31m so\n      = help: one\n              two\n"},
	} {
		var b bytes.Buffer
		err := diag.Render(&b, diag.List{&c.d}, func(f string) []byte {
			if s, ok := sources[f]; ok {
				return []byte(s)
			}
			return nil
		}, diag.RenderOptions{})
		if err != nil || b.String() != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, b.String(), c.want)
		}
	}
}

func TestRenderColor(t *testing.T) {
	src := "let x = |"
	d := &diag.Diagnostic{Code: "E0101", Message: "m", Span: find("a.nas", src, "|")}
	var plain, color bytes.Buffer
	get := func(string) []byte { return []byte(src) }
	if err := diag.Render(&plain, diag.List{d}, get, diag.RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := diag.Render(&color, diag.List{d}, get, diag.RenderOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	s := color.String()
	for i := strings.Index(s, "\x1b["); i >= 0; i = strings.Index(s, "\x1b[") {
		s = s[:i] + s[i+strings.Index(s[i:], "m")+1:]
	}
	if s != plain.String() || s == color.String() {
		t.Errorf("colours change the text: %q", color.String())
	}
}

func TestJSON(t *testing.T) {
	src := "let x = |"
	d := &diag.Diagnostic{Code: "E0101", Message: "a <b>", Span: find("a.nas", src, "|"), Help: "h", Notes: []diag.Note{{Text: "n"}}}
	var b bytes.Buffer
	if err := diag.JSON(&b, diag.List{d, {Severity: diag.Warning, Code: "E0500", Message: "w"}}); err != nil {
		t.Fatal(err)
	}
	const want = `{"severity":"error","code":"E0101","message":"a <b>","span":{"file":"a.nas","start":{"line":1,"col":9,"offset":8},"end":{"line":1,"col":10,"offset":9}},"notes":[{"text":"n"}],"help":"h"}
{"severity":"warning","code":"E0500","message":"w"}
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"random", "evolution", "local", "skip", "zero", "of", "node", "return"}
	for _, c := range []struct{ name, want string }{
		{"evolutoin", "evolution"}, {"evolution", ""}, {"Local", "local"}, {"skpi", "skip"}, {"off", "of"}, {"fo", "of"},
		{"nod", "node"}, {"retrun", "return"}, {"x", ""}, {"is", ""}, {"", ""}, {"bayes", ""}, {"zeroes", "zero"}, {"randm", "random"},
	} {
		got, ok := diag.Suggest(c.name, names)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q: %q %v, want %q", c.name, got, ok, c.want)
		}
	}
}

func TestPages(t *testing.T) {
	for _, code := range diag.Codes() {
		text, ok := diag.Explain(strings.ToLower(code))
		if !ok || !strings.HasPrefix(text, "# "+code+": ") || diag.Title(code) == "" || !strings.HasSuffix(text, "\n") {
			t.Errorf("%s: the page starts %.30q", code, text)
		}
	}
	if _, ok := diag.Explain("E9999"); ok {
		t.Error("a page for a code that is none")
	}
	if _, ok := diag.Explain("../codes"); ok {
		t.Error("a page outside the folder")
	}
}

func TestSort(t *testing.T) {
	var l diag.List
	p := func(file string, off int) diag.Span {
		return diag.Span{Start: diag.Pos{File: file, Offset: off, Line: 1, Col: off + 1}}
	}
	l.Add("E0102", p("b", 0), "m")
	l.Add("E0102", p("a", 5), "m")
	l.Add("E0101", p("a", 5), "m")
	l.Add("E0101", p("a", 5), "m")
	l.Sort()
	if len(l) != 3 || l[0].Code != "E0101" || l[2].Span.Start.File != "b" {
		t.Error(l)
	}
}
