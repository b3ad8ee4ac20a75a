package format

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/syntax"
)

func inputs(t testing.TB) []string {
	t.Helper()
	return texts(t, "../syntax/testdata/ok/*.nas", "testdata/*.in")
}

func texts(t testing.TB, patterns ...string) []string {
	t.Helper()
	var files []string
	for _, pattern := range patterns {
		m, err := filepath.Glob(pattern)
		if err != nil || len(m) == 0 {
			t.Fatal("no samples match", pattern, err)
		}
		files = append(files, m...)
	}
	var out []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

// check formats src and checks everything that formatting promises.
func check(t *testing.T, src string) {
	t.Helper()
	before, errs := syntax.Parse("x.nas", []byte(src))
	if errs.HasErrors() {
		return
	}
	comments := countComments(before)
	once := File(before)
	after, errs := syntax.Parse("x.nas", once)
	if errs.HasErrors() {
		t.Fatalf("the result does not parse: %v\n%s\nfrom\n%s", errs, once, src)
	}
	if d := difference(reflect.ValueOf(before), reflect.ValueOf(after), "file"); d != "" {
		t.Fatalf("the tree changed at %s:\n%s\nfrom\n%s", d, once, src)
	}
	if n := countComments(after); n != comments {
		t.Fatalf("%d of %d comments left:\n%s\nfrom\n%s", n, comments, once, src)
	}
	if twice := File(after); !bytes.Equal(once, twice) {
		t.Fatalf("not idempotent: %s\nfrom\n%s", firstDiff(string(once), string(twice)), src)
	}
	for _, l := range strings.Split(string(once), "\n") {
		if strings.TrimRight(l, " \t") != l && !strings.Contains(l, "//") {
			t.Fatalf("blanks at the end of %q", l)
		}
	}
}

// firstDiff shows where two texts begin to differ.
func firstDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	part := func(l []string) string { return strings.Join(l[max(0, min(i-3, len(l))):min(i+4, len(l))], "\n") }
	return fmt.Sprintf("line %d, first\n%s\nthen\n%s", i+1, part(x), part(y))
}

// difference compares two trees without places and comments.
func difference(a, b reflect.Value, path string) string {
	if a.Kind() != b.Kind() {
		return path
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return path
			}
			return ""
		}
		if a.Elem().Type() != b.Elem().Type() {
			return path
		}
		return difference(a.Elem(), b.Elem(), path)
	case reflect.Slice:
		if a.Len() != b.Len() {
			return path
		}
		for i := range a.Len() {
			if d := difference(a.Index(i), b.Index(i), path); d != "" {
				return d
			}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if f.Name == "node" || f.Name == "OpPos" || f.Name == "HeadEnd" || f.Name == "Trailing" {
				continue
			}
			if d := difference(a.Field(i), b.Field(i), path+"."+f.Name); d != "" {
				return d
			}
		}
	default:
		if !a.Equal(b) {
			return path
		}
	}
	return ""
}

func countComments(f *syntax.File) int {
	n := len(f.Trailing)
	count := func(x syntax.Node) bool {
		c := x.(commentable).Comments()
		n += len(c.Before) + len(c.Suffix) + len(c.After)
		return true
	}
	for _, i := range f.Imports {
		syntax.Walk(i, count)
	}
	for _, d := range f.Decls {
		syntax.Walk(d, count)
	}
	return n
}

func TestPromises(t *testing.T) {
	for _, src := range inputs(t) {
		check(t, src)
		// The same with every line break gone wild.
		f, _ := syntax.Parse("x.nas", []byte(src))
		if countComments(f) == 0 && !strings.Contains(src, "///") {
			check(t, strings.ReplaceAll(src, "\n", " "))
			check(t, strings.ReplaceAll(src, " ", "\n"))
		}
	}
}

// TestLarge formats what would take for ever if layout were not linear.
func TestLarge(t *testing.T) {
	r := strings.Repeat
	for _, x := range []string{
		"[1" + r(", 1", 4_000) + "]", "[f(x)" + r(", f(x)", 4_000) + "]", "a" + r(" | a", 4_000), "a" + r("\n-> a", 4_000),
		"f(a: 1" + r(", a: 1", 4_000) + ")", "a" + r(" + a", 1000), r("(", 190) + "a" + r(")", 190), r("f(a: ", 190) + "1" + r(")", 190),
		r("[a, ", 190) + "1" + r("]", 190), r("if a then b else ", 190) + "c", r("f(x)(y)[0].z", 80), r("(a | ", 190) + "b" + r(")", 190),
	} {
		check(t, "let x = "+x)
	}
}

// TestGolden compares testdata/NAME.in, formatted, with testdata/NAME.out.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.in")
	for _, in := range files {
		src, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(in, ".in") + ".out")
		if err != nil {
			t.Fatal(err)
		}
		got, errs := Source(in, src)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", in, got, want)
		}
	}
}

func TestSourceWithErrors(t *testing.T) {
	if out, errs := Source("x.nas", []byte("block = 3")); out != nil || !errs.HasErrors() {
		t.Errorf("%q %v", out, errs)
	}
}

func TestExpr(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"relu_conv_bn( kernel :3,\n )", "relu_conv_bn(kernel: 3)"},
		{"((a | b))", "a | b"},
		{"a * (b + c) - (d * e)", "a * (b + c) - d * e"},
		{"a - (b - c)", "a - (b - c)"},
		{"(a - b) - c", "a - b - c"},
		{"-(-a)", "-(-a)"},
		{"(-a) ^ 2", "(-a) ^ 2"},
		{"a ^ (-b)", "a ^ -b"},
		{"(a ^ b) ^ c", "(a ^ b) ^ c"},
		{"(a -> b) -> c", "(a -> b) -> c"},
		{"(a | b) -> c | (d -> e)", "(a | b) -> c | d -> e"},
		{"layer * (1..3)", "layer * (1..3)"},
		{"(1..3)", "1..3"},
		{"1 .. of prev", "1.. of prev"},
		{"any of (any of s)", "any of any of s"},
		{"(if a then b else c) | d", "(if a then b else c) | d"},
		{"if a then (b) else (c | d)", "if a then b else c | d"},
		{"not (a and b)", "not (a and b)"},
		{"(not a) and b", "not a and b"},
		{"(a < b) == c", "(a < b) == c"},
		{"(f)(x)[(0)].y", "f(x)[0].y"},
		{"(a + b).c", "(a + b).c"},
		{"sum(edge(p) for p in (2 of prev))", "sum(edge(p) for p in 2 of prev)"},
		{"a // comment\n | b", "a | b"},
		{"[ 1,2 , 3 ]", "[1, 2, 3]"},
		{"a if (x or y) | b", "a if x or y | b"},
	} {
		f, errs := syntax.Parse("x.nas", []byte("let x = "+c.src))
		if len(errs) > 0 {
			t.Fatal(c.src, errs)
		}
		if got := Expr(f.Decls[0].(*syntax.Let).Value); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// TestMadeTree prints a tree that no source stands behind.
func TestMadeTree(t *testing.T) {
	name := func(s string) *syntax.Name { return &syntax.Name{Name: s} }
	call := &syntax.Call{Fun: name("conv"), Args: []*syntax.Arg{{Name: &syntax.Ident{Name: "kernel"}, Value: &syntax.Number{Int: 3, Value: 3, IsInt: true}}}}
	f := &syntax.File{
		Imports: []*syntax.Import{{Names: []*syntax.Ident{{Name: "conv"}}, Path: &syntax.String{Value: "std/vision"}}},
		Decls: []syntax.Decl{
			&syntax.Template{Doc: []string{"Chosen."}, Kind: syntax.Block, Name: &syntax.Ident{Name: "edge"}, Expr: &syntax.Flow{Steps: []syntax.Expr{
				call, &syntax.Choice{Alts: []syntax.Alt{{Value: name("a")}, {Value: name("b")}}}}}},
			&syntax.Template{Kind: syntax.Cell, Name: &syntax.Ident{Name: "c"}, Params: []*syntax.Param{{Name: &syntax.Ident{Name: "x"}}}, Braces: true,
				Body: []syntax.Stmt{&syntax.Verb{Verb: "return", Value: &syntax.Number{Value: 0.5}}}},
		},
	}
	const want = `import { conv } from "std/vision"

/// Chosen.
block edge = conv(kernel: 3) -> (a | b)

cell c(x) {
    return 0.5
}
`
	if got := string(File(f)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

var token = regexp.MustCompile("\"(?:[^\"\\\\\n]|\\\\.)*\"|//[^\n]*|[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9A-Za-z_]*(?:\\.[0-9]+)?(?:e-?[0-9]+)?%?|->|\\.\\.|[=!<>]=|[^\\s]")

// shake writes the tokens of src with other blanks, line breaks and comments
// between them, as noise says.
func shake(src string, noise []byte) string {
	var b strings.Builder
	for i, t := range token.FindAllString(src, -1) {
		b.WriteString(t)
		gap := byte(0)
		if len(noise) > 0 {
			gap = noise[i%len(noise)]
		}
		if strings.HasPrefix(t, "//") {
			b.WriteByte('\n')
		}
		switch gap % 12 {
		case 1:
			b.WriteString("\n")
		case 2:
			b.WriteString(" // end\n")
		case 3:
			b.WriteString("\n// own\n")
		case 4:
			b.WriteString("\n\n")
		case 5:
			b.WriteString("\n/// doc\n")
		case 6:
			b.WriteString(" /// end doc\n")
		case 7:
			b.WriteString("\n// one\n\n// two\n")
		case 8:
			b.WriteString("\r\n\t")
		default:
			b.WriteString(" ")
		}
	}
	return b.String()
}

func TestShaken(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, src := range inputs(t) {
		for range 30 {
			noise := make([]byte, 1+rnd.IntN(300))
			density := rnd.IntN(256)
			for i := range noise {
				if rnd.IntN(256) < density {
					noise[i] = byte(rnd.IntN(12))
				}
			}
			check(t, shake(src, noise))
		}
	}
}

// FuzzFormat formats files, also with other blanks and comments between their
// tokens: the tree stays the same, and formatting once more changes nothing.
func FuzzFormat(f *testing.F) {
	for _, s := range append(inputs(f), texts(f, "../../spaces/*/*.nas", "../../stdlib/*.nas")...) {
		f.Add(s, []byte{})
		for _, d := range strings.SplitAfter(s, "\n\n") {
			f.Add(d, []byte{0, 1, 0, 2, 0, 3, 4, 5, 6, 7})
			f.Add(d, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, src string, noise []byte) {
		check(t, src)
		check(t, shake(src, noise))
	})
}
