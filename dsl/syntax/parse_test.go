package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/diag/diagtest"
)

func parseLet(t *testing.T, src string) Expr {
	t.Helper()
	f, errs := Parse("x.nas", []byte("let x = "+src))
	if len(errs) > 0 {
		t.Fatalf("%s: %v", src, errs)
	}
	return f.Decls[0].(*Let).Value
}

func TestPrecedence(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"a | b | c", "(| a, b, c)"},
		{"a -> b | c -> d", "(| (-> a b), (-> c d))"},
		{"a if x > 0", "(| a if (x > 0))"},
		{"a | b -> c if x or y", "(| a, (-> b c) if (x or y))"},
		{"a | (b | c)", "(| a, (| b, c))"},
		{"2 of prev -> f", "(-> (2 of prev) f)"},
		{"a | 1 of any of s", "(| a, (1 of (any of s)))"},
		{"all of 1.. of s", "(all of ((.. 1 _ _) of s))"},
		{"1..2 of s", "((.. 1 2 _) of s)"},
		{"0..8 by 2 + 2", "(.. 0 8 (2 + 2))"},
		{"a or b and c or d", "((a or (b and c)) or d)"},
		{"not a == b and c", "((not (a == b)) and c)"},
		{"a and not b", "(a and (not b))"},
		{"a + 1 < b * 2", "((a + 1) < (b * 2))"},
		{"p in inputs", "(p in inputs)"},
		{"x in 1..3", "(x in (.. 1 3 _))"},
		{"1 - 2 - 3 + 4", "(((1 - 2) - 3) + 4)"},
		{"a / b * c % d", "(((a / b) * c) % d)"},
		{"-a ^ 2", "(- (a ^ 2))"},
		{"a ^ -b ^ c", "(a ^ (- (b ^ c)))"},
		{"2 * -3", "(2 * (- 3))"},
		{"f(x)(y)[0].z", "f(x)(y)[0].z"},
		{"layer(out: 3) * (1..3)", "(layer(out: 3) * (.. 1 3 _))"},
		{"sum(e(p, s: if p in i then 2 else 1) for p in 2 of prev)", "sum(e(p, s: (if (p in i) 2 1)) for p in (2 of prev))"},
		{"if a then b else if c then d else e | f", "(if a b (if c d (| e, f)))"},
		{"f(a | b, c -> d,)", "f((| a, b), (-> c d))"},
		{"[1, [], [a -> b]]", "[1 [] [(-> a b)]]"},
		{"plugin + from + version + as + over", "((((plugin + from) + version) + as) + over)"},
		{"10%3", "(10 % 3)"},
		{"10% * 3", "(10% * 3)"},
		{"7 %3", "(7 % 3)"},
	} {
		if got := dump(parseLet(t, c.src)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		src   string
		value float64
		isInt bool
		n     int64
	}{
		{"0", 0, true, 0}, {"12M", 12e6, true, 12_000_000}, {"1.5K", 1500, true, 1500}, {"64Ki", 65536, true, 65536},
		{"1Gi", 1 << 30, true, 1 << 30}, {"20_000", 20000, true, 20000}, {"1.0", 1, false, 0}, {"1e3", 1000, false, 0},
		{"2.5e-3", 0.0025, false, 0}, {"25ms", 0.025, false, 0}, {"10us", 1e-5, false, 0}, {"3s", 3, false, 0},
		{"2m", 120, false, 0}, {"24h", 86400, false, 0}, {"10%", 0.1, false, 0}, {"0.0001K", 0.1, false, 0},
		{"9223372036854775807", 9223372036854775807, true, 9223372036854775807}, {"1e3ms", 1, false, 0},
	} {
		n := parseLet(t, c.src).(*Number)
		if n.Value != c.value || n.IsInt != c.isInt || n.Int != c.n || n.Text != c.src {
			t.Errorf("%s: %+v", c.src, n)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c", "line\nfeed\ttab\r", "é 界 😀", "\x00\x7f\u202e"} {
		if got := parseLet(t, Quote(s)).(*String).Value; got != s {
			t.Errorf("%q came back as %q", s, got)
		}
	}
}

func TestErrors(t *testing.T) {
	diagtest.Run(t, "testdata/errors*.nas", func(file string, src []byte) diag.List {
		_, errs := Parse(file, src)
		return errs
	})
}

func TestSamplesParse(t *testing.T) {
	for file, src := range samples(t) {
		f, errs := Parse(file, src)
		if len(errs) > 0 {
			t.Errorf("%s: %v", file, errs)
		}
		checkSpans(t, f, src)
	}
}

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/ok/*.nas")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	m := map[string][]byte{}
	for _, f := range files {
		if m[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// checkSpans checks that every node covers its text and lies within its parent.
func checkSpans(t *testing.T, f *File, src []byte) {
	t.Helper()
	check := func(n Node) bool {
		s := n.Span()
		if s.Start.File != f.Path || s.Start.Line < 1 || s.Start.Col < 1 || s.Start.Offset >= s.End.Offset || s.End.Offset > len(src) {
			t.Errorf("%T has the span %+v", n, s)
			return false
		}
		for _, p := range []diag.Pos{s.Start, s.End} {
			before := strings.TrimPrefix(string(src[:p.Offset]), "\uFEFF")
			line := 1 + strings.Count(before, "\n")
			col := 1 + len([]rune(before[strings.LastIndex(before, "\n")+1:]))
			if p.Line != line || p.Col != col {
				t.Errorf("%T: %v should be %d:%d", n, p, line, col)
			}
		}
		text := string(src[s.Start.Offset:s.End.Offset])
		switch n := n.(type) {
		case *Name:
			if text != n.Name {
				t.Errorf("name %s covers %q", n.Name, text)
			}
		case *Call:
			if !strings.HasSuffix(text, ")") {
				t.Errorf("call covers %q", text)
			}
		case *Template:
			if !strings.HasPrefix(text, string(n.Kind)) {
				t.Errorf("%s covers %q", n.Kind, text)
			}
		}
		Walk(n, func(m Node) bool {
			if c := m.Span(); c.Start.Offset < s.Start.Offset || c.End.Offset > s.End.Offset {
				t.Errorf("%T %v sticks out of %T %v", m, c, n, s)
			}
			return m == n
		})
		return true
	}
	for _, i := range f.Imports {
		Walk(i, check)
	}
	for _, d := range f.Decls {
		Walk(d, check)
	}
}

// A range without an end ends where the next statement starts.
func TestOpenRange(t *testing.T) {
	f, errs := Parse("x.nas", []byte("cell c {\n  n = 1..\n  m = 3..\n  k = 2..m\n  return 1..\n}\n"))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, s := range f.Decls[0].(*Template).Body {
		var v Expr
		switch s := s.(type) {
		case *Assign:
			v = s.Value
		case *Verb:
			v = s.Value
		}
		got = append(got, fmt.Sprintf("%d:%t", s.Span().Start.Line, v.(*Range).Hi != nil))
	}
	if want := "2:false 3:false 4:true 5:false"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A body that is read although its declaration was not in one go lies within it.
func TestRecoveredSpan(t *testing.T) {
	const src = "cell c {\n  n = 1\n  m = = 2\n  return n\n}\nlet x = 1\n"
	f, errs := Parse("x.nas", []byte(src))
	if len(errs) != 1 || len(f.Decls) != 2 {
		t.Fatal(errs, f.Decls)
	}
	checkSpans(t, f, []byte(src))
	if end := f.Decls[0].Span().End; end.Line != 5 || end.Col != 2 {
		t.Errorf("the cell ends at %v", end)
	}
}

func TestBinaryOpPos(t *testing.T) {
	b := parseLet(t, "aé"[:1]+" == b").(*Binary)
	if got := b.OpPos.Start.String(); got != "x.nas:1:11" {
		t.Error(got)
	}
}

func TestEncodings(t *testing.T) {
	const src = "/// Doc é\r\nlet x = \"é\" // c\r\nlet y = 2\r\n"
	for _, s := range []string{src, "\uFEFF" + src, strings.ReplaceAll(src, "\r", "")} {
		f, errs := Parse("x.nas", []byte(s))
		if len(errs) > 0 || len(f.Decls) != 2 {
			t.Fatal(errs)
		}
		if d := f.Decls[0].(*Let); len(d.Doc) != 1 || d.Doc[0] != "Doc é" {
			t.Errorf("doc %q", d.Doc)
		} else if c := d.Comments().Suffix; len(c) != 1 || c[0].Text != "// c" || c[0].Span.Start.Col != 13 {
			t.Errorf("comments %+v", c)
		}
		checkSpans(t, f, []byte(s))
	}
	for _, s := range []string{"", "\n\n", "// only\n", "\uFEFF"} {
		if f, errs := Parse("x.nas", []byte(s)); len(errs) > 0 || len(f.Decls) > 0 {
			t.Errorf("%q: %v", s, errs)
		}
	}
}

func TestNoText(t *testing.T) {
	for _, c := range []struct{ src, code, at string }{
		{"let x = 1\x00", "E0105", "1:10"},
		{"let x =\n \"\xff\"", "E0105", "2:3"},
		{"\x7fELF\x02\x01\x01\x00\x00", "E0105", "1:8"},
		{strings.Repeat(" ", MaxFileSize+1), "E0112", "1:1"},
	} {
		_, errs := Parse("x.nas", []byte(c.src))
		if len(errs) != 1 || errs[0].Code != c.code || errs[0].Span.Start.String() != "x.nas:"+c.at {
			t.Errorf("%.20q: %v", c.src, errs)
		}
	}
}

// TestNesting feeds what would overflow the stack of a parser without limits.
func TestNesting(t *testing.T) {
	const n = 20_000
	r := strings.Repeat
	for name, src := range map[string]string{
		"parens": r("(", 10*n) + "1" + r(")", 10*n), "open parens": r("(", n), "brackets": r("[", n) + r("]", n),
		"calls": r("f(", n) + r(")", n), "indexes": r("f[", n) + "0" + r("]", n),
		"minus": r("- ", n) + "1", "not": r("not ", n) + "a", "power": "a" + r(" ^ a", n), "minus power": "a" + r(" ^ -a", n),
		"if": r("if ", n) + "a", "then": r("if a then ", n) + "a", "else": r("if a then b else ", n) + "a",
		"any of": r("any of ", n) + "a", "of": r("1 of ", n) + "a", "flow": "x" + r(" -> (x", n) + r(")", n),
		"sum": "a" + r(" + a", n), "select": "a" + r(".a", n), "call chain": "a" + r("()", n), "index chain": "a" + r("[0]", n),
		"or": "a" + r(" or a", n), "guards": "a" + r(" if (a", n) + r(")", n),
	} {
		_, errs := Parse("x.nas", []byte("let x = "+src))
		if len(errs) == 0 || len(errs) > 3 {
			t.Errorf("%s: %d errors: %v", name, len(errs), errs)
		}
	}
	_, errs := Parse("x.nas", []byte(r("block b { ", n)+r("}", n)))
	if len(errs) != 1 || errs[0].Code != "E0104" {
		t.Errorf("bodies: %v", errs)
	}
	for name, src := range map[string]string{
		"parens":  r("(", MaxNesting-1) + "1" + r(")", MaxNesting-1),
		"choice":  "a" + r(" | a", n),
		"flow":    "a" + r(" -> a", n),
		"list":    "[a" + r(", a", n) + "]",
		"sum":     "a" + r(" + a", maxChain),
		"of":      r("1 of ", MaxNesting-1) + "a",
		"strings": `["` + r("x", 3*n) + `"]`,
	} {
		if _, errs := Parse("x.nas", []byte("let x = "+src)); len(errs) > 0 {
			t.Errorf("%s within the limits: %v", name, errs)
		}
	}
}

func TestTooManyErrors(t *testing.T) {
	_, errs := Parse("x.nas", []byte(strings.Repeat("let = 1\n", 1000)))
	if len(errs) != diag.MaxErrors+1 || errs[diag.MaxErrors].Code != "E0117" {
		t.Errorf("%d errors, last %v", len(errs), errs[len(errs)-1])
	}
}

func TestPartialTree(t *testing.T) {
	f, errs := Parse("x.nas", []byte("block a = b\ncell c(x) {\n  y = (\n  node n = x\n  return n\n}\nlet d = |\nblock e = f\n"))
	var names []string
	for _, d := range f.Decls {
		names = append(names, d.DeclName().Name)
	}
	if got := fmt.Sprint(names); got != "[a c e]" || len(errs) != 2 {
		t.Errorf("%s %v", got, errs)
	}
	if body := f.Decls[1].(*Template).Body; len(body) != 2 {
		t.Errorf("body %v", body)
	}
}

func TestComments(t *testing.T) {
	const src = `// top
/// doc
// mid
block a = b // end of b
    // before c
    | c

cell d(x, // the x
    y) { // into
    // last
}
let e = f(
    g: 1, // one
    // after
)
// trailing
`
	f, errs := Parse("x.nas", []byte(src))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, d := range f.Decls {
		Walk(d, func(n Node) bool {
			c := n.(commented).Comments()
			for where, list := range [][]Comment{c.Before, c.Suffix, c.After} {
				for _, cm := range list {
					got = append(got, fmt.Sprintf("%s %T %s", []string{"before", "suffix", "after"}[where], n, cm.Text))
				}
			}
			return true
		})
	}
	for _, c := range f.Trailing {
		got = append(got, "trailing "+c.Text)
	}
	want := []string{
		"before *syntax.Template // top", "before *syntax.Template // mid", "suffix *syntax.Name // end of b", "before *syntax.Name // before c",
		"after *syntax.Template // into", "after *syntax.Template // last", "suffix *syntax.Param // the x",
		"after *syntax.Call // after", "suffix *syntax.Arg // one", "trailing // trailing",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// TestDocBlocks gives a declaration the last of several blocks of docs; those
// above it are comments.
func TestDocBlocks(t *testing.T) {
	for src, want := range map[string]int{
		"/// a\n/// b\nlet x = 1\n":            2,
		"/// a\n\n/// b\nlet x = 1\n":          1,
		"/// a\n\n\n/// b\n/// c\nlet x = 1\n": 2,
		"/// a\n// plain\n/// b\nlet x = 1\n":  2,
		"/// a\n\n// plain\n/// b\nlet x = 1":  1,
		"/// a\n\nlet x = 1\n":                 1,
	} {
		f, errs := Parse("x.nas", []byte(src))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		l := f.Decls[0].(*Let)
		if len(l.Doc) != want || len(l.Doc)+len(l.Comments().Before) != strings.Count(src, "// ") {
			t.Errorf("%q: docs %q, comments %v", src, l.Doc, l.Comments().Before)
		}
	}
}
