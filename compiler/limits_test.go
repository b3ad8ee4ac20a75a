package compiler

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

// maxAlloc bounds everything that reading a hostile file may allocate, also what
// is free again: it stands for memory and for time.
const maxAlloc = 2 << 30

// TestLimits feeds what would take ages or all memory. Each ends in a
// diagnostic, and soon; what has none is only large.
func TestLimits(t *testing.T) {
	const vision = `import { relu, skip, zero, conv_bn } from "std/vision"` + "\n"
	space := func(body string) string { return vision + "space s(image: [8, 8, 8]) = " + body + "\n" }
	cell := func(body string) string {
		return vision + "cell c(x) { " + body + " }\nspace s(image: [8, 8, 8]) = image -> c\n"
	}
	r := strings.Repeat
	each := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	doubling := func(first, next string, n int) string {
		s := "let a0 = " + first + "\n"
		for i := range n {
			s += fmt.Sprintf("let a%d = "+next+"\n", i+1, i, i)
		}
		return s
	}
	twenty := func(term, last string) string {
		s := vision + "space s(image: [8, 8, 8]) {\n" + each(20, "  d%d = 1 | 2 | 3\n") + "  k = 0"
		for i := range 20 {
			s += " + " + fmt.Sprintf(term, i)
		}
		return s + "\n  return " + last + "\n}\n"
	}
	noise := make([]byte, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(32 + rng.IntN(95))
	}
	for _, c := range []struct{ name, src, code string }{
		{"a repetition of 10^12", space("image -> relu * 1_000_000_000_000"), "E0411"},
		{"a depth of 10^12", space("image -> relu * (1..1_000_000_000_000)"), "E0411"},
		{"repetitions of repetitions", space("image -> ((relu * 10000) * 10000) * 10000"), "E0410"},
		{"a depth of up to 10000", space("image -> (relu | skip) * (1..10000)"), "E0410"},
		{"fuel of 10^9", vision + "block m(fuel = 1_000_000_000) = relu | m(fuel: fuel - 1) -> m(fuel: fuel - 1) if fuel > 0\nspace s(image: [8, 8, 8]) = image -> m", "E0410"},
		{"k of a million", cell("return sum(1_000_000 of prev)"), "E0411"},
		{"k of many", cell("node n[10000] = relu(x)  return sum(3 of n)"), "E0412"},
		{"one of many", space("image -> (1 of [" + r("relu, ", 150_000) + "relu])"), ""},
		{"an alternative of many", space("image -> (" + r("relu | ", 30_000) + "relu) * 1000"), "E0410"},
		{"an array of 10^9", cell("node n[1_000_000_000] = relu(x)  return sum(n)"), "E0411"},
		{"an array that reads itself", cell("node n[10000] = sum(prev)  return sum(n)"), "E0410"},
		{"cells of 10^9", vision + "cell m[1_000_000_000](x) = relu(x)\nspace s(image: [8, 8, 8]) = image -> (1 of m)", "E0411"},
		{"arrays of arrays", vision + "cell m[10000](x) { node n[10000] = relu(x)  return n[0] }\nspace s(image: [8, 8, 8]) = image -> (1 of m)", "E0410"},
		{"as many cells as they are", vision + "cell m[len(m)](x) = relu(x)\nspace s(image: [8, 8, 8]) = image -> m[0]", "E0410"},
		{"as many cells as a let says they are", vision + "let a = len(m)\ncell m[a](x) = relu(x)\nspace s(image: [8, 8, 8]) = image -> m[0]", "E0211"},
		{"a range to 10^18", space("image -> conv_bn(out: 2..1_000_000_000_000_000_000)"), "E0411"},
		{"ranges behind one another", space("image" + r(" -> conv_bn(out: 8..100000)", 20)), "E0410"},
		{"towers of powers", space("image -> conv_bn(out: 9 ^ 9 ^ 9)"), "E0310"},
		{"powers of real numbers", space("image -> conv_bn(out: 2.5 ^ 2 ^ 20)"), "E0310"},
		{"doubled texts", doubling(`"xxxxxxxx"`, "a%d + a%d", 60) + "space s(image: [8, 8, a60]) = image", "E0310"},
		{"doubled lists", doubling("[1, 2]", "[a%d, a%d]", 60) + "space s(image: [8, 8, a60]) = image", "E0304"},
		{"doubled sums over decisions", vision + "space s(image: [8, 8, 8]) {\n  a = 1 | 2\n  b = 1 | 2\n  c0 = a + b\n" +
			func() (s string) {
				for i := range 60 {
					s += fmt.Sprintf("  c%d = c%d + c%d\n", i+1, i, i)
				}
				return s
			}() + "  return image -> conv_bn(out: c60)\n}", "E0310"},
		{"a condition on twenty decisions", twenty("d%d", "image -> conv_bn(out: if k > 30 then 8 else 16)"), "E0410"},
		{"an index of twenty decisions", twenty("d%[1]d * 3 ^ %[1]d", "image -> conv_bn(out: [8, 16][k])"), "E0410"},
		{"an equality over twenty decisions", twenty("d%[1]d * 3 ^ %[1]d", "sum([conv_bn(image, out: k), conv_bn(image, out: k + 1)])"), "E0308"},
		{"a million decisions", vision + "block b = relu | skip\nspace s(image: [8, 8, 8]) = image -> (b * 1000) * 1000", "E0410"},
		{"labels of many letters", space("image -> (relu | conv_bn(out: " + r("8 + ", 900) + "8)) * 10000"), "E0410"},
		{"addresses of many letters", vision + "block " + r("b", 128) + "(fuel = 900) = (relu | skip) * 60 -> " + r("b", 128) + "(fuel: fuel - 1) if fuel > 0 | relu\nspace s(image: [8, 8, 8]) = image -> " + r("b", 128), "E0410"},
		{"comprehensions in comprehensions", cell("node n[60] = relu(x)  return sum(sum(sum(sum(relu(p) for p in n) for q in n) for r in n) for s in n)"), "E0410"},
		{"mutual recursion", vision + "block a = b -> relu\nblock b = a -> relu\nspace s(image: [8, 8, 8]) = image -> a", "E0410"},
		{"mutual recursion twice", vision + "block a = b -> b\nblock b = a -> a\nspace s(image: [8, 8, 8]) = image -> a", "E0410"},
		{"mutual recursion of cells", vision + "cell a(x) = b(relu(x))\ncell b(x) = a(relu(x))\nspace s(image: [8, 8, 8]) = image -> a", "E0410"},
		{"recursion of alternatives", vision + "block a = relu | b | b -> b\nblock b = skip | a | a -> a\nspace s(image: [8, 8, 8]) = image -> a", "E0410"},
		{"a let that needs itself", "let a = a + 1\nspace s(image: [8, 8, a]) = image", "E0211"},
		{"lets that need one another", "let a = b\nlet b = c * 2\nlet c = a\nspace s(image: [8, 8, 8]) = image", "E0211"},
		{"a long circle of lets", "let a0 = a29999\n" + func() string {
			var b strings.Builder
			for i := range 29_999 {
				fmt.Fprintf(&b, "let a%d = a%d + 1\n", i+1, i)
			}
			return b.String()
		}(), "E0211"},
		{"a long chain of lets", "let a0 = 1\n" + func() string {
			var b strings.Builder
			for i := range 29_999 {
				fmt.Fprintf(&b, "let a%d = a%d + 1\n", i+1, i)
			}
			return b.String()
		}() + "space s(image: [8, 8, a29999]) = image", "E0410"},
		{"200 000 brackets", "let a = " + r("(", 200_000) + "1" + r(")", 200_000), "E0104"},
		{"blocks in blocks", r("block b { ", 10_000) + r("} ", 10_000), "E0104"},
		{"10 MB", r("garbage! ", 1_200_000), "E0112"},
		{"a text of 5 MB", `let a = "` + r("x", 5_000_000) + `"`, "E0112"},
		{"a text of 1 MB", `let a = "` + r("x", 1_000_000) + `"` + "\nspace s(image: [8, 8, a]) = image", "E0309"},
		{"a name of 1 MB", "let " + r("x", 1_000_000) + " = 1", "E0118"},
		{"50 000 parameters", "op o(x: [c], " + each(50_000, "a%d: int, ") + ") -> [c]", "E0118"},
		{"50 000 dimensions", "space s(image: [" + r("8,", 50_000) + "8]) = image", "E0118"},
		{"an attribute given many times", space("image -> conv_bn(" + r("out: 1, ", 20_000) + ")"), "E0203"},
		{"many unknown attributes", space("image -> conv_bn(" + each(20_000, "a%d: 1, ") + ")"), "E0117"},
		{"many unknown names", each(10_000, "let a%[1]d = b%[1]d\n"), "E0117"},
		{"many names declared twice", r("let a = 1 ", 20_000), "E0117"},
		{"a space of spaces", vision + each(300, "space s%d(image: [8, 8, 8]) = image -> relu * 10000\n"), "E0410"},
		{"noise", string(noise), "E0117"},
		{"brackets at random", r("(((}{])[{", 30_000), "E0117"},
		{"bodies of noise", "space s { " + r("cell c { # } ", 20_000) + "}", "E0117"},
		{"declarations without end", r("block a = b | \n", 60_000), "E0117"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			diags := checkText(c.src)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > maxAlloc {
				t.Errorf("%d MB were allocated", used>>20)
			}
			found := c.code == "" && len(diags) == 0
			for _, d := range diags {
				found = found || d.Code == c.code
			}
			if !found || len(diags) > diag.MaxErrors+1 {
				t.Errorf("%d diagnostics, none %s: %v", len(diags), c.code, diags)
			}
		})
	}
}

// checkText is what is wrong with a file that has no neighbours.
func checkText(src string) diag.List {
	return checkFiles(map[string]string{"s.nas": src}, "s.nas")
}

func checkFiles(files map[string]string, root string) diag.List {
	m, diags := Load(root, func(name string) ([]byte, error) {
		if src, ok := files[name]; ok {
			return []byte(src), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	diags = append(diags, m.Check()...)
	diags.Limit()
	return diags
}

// TestImportBombs brings in modules without end, or the same one on many paths.
func TestImportBombs(t *testing.T) {
	code := func(files map[string]string, root string) string {
		var codes []string
		for _, d := range checkFiles(files, root) {
			codes = append(codes, d.Code)
		}
		return strings.Join(codes, " ")
	}
	twice := map[string]string{"f20.nas": "let x = 1\n"}
	for i := range 20 {
		twice[fmt.Sprintf("f%d.nas", i)] = fmt.Sprintf("import \"./f%d.nas\" as a\nimport \"./g/../f%d.nas\" as b\nlet x = 1\n", i+1, i+1)
	}
	if got := code(twice, "f0.nas"); got != "" {
		t.Errorf("2^20 paths to twenty files: %s", got)
	}
	for _, self := range []string{"./a.nas", "./././a.nas", "./x/../a.nas", ".//a.nas"} {
		if got := code(map[string]string{"a.nas": "import \"" + self + "\" as a\n"}, "a.nas"); got != "E0205" {
			t.Errorf("a file that imports itself as %s: %q", self, got)
		}
	}
	// A folder that holds itself, as a link makes it: every path is a new one.
	loop := func(name string) ([]byte, error) { return []byte("import \"./d/a.nas\" as a\n"), nil }
	if m, diags := Load("a.nas", loop); len(diags) != 1 || diags[0].Code != "E0210" {
		t.Errorf("a folder in itself: %v, %d modules", diags, len(m.prog.Modules))
	}
	large := func(name string) ([]byte, error) {
		return []byte("import \"./d/a.nas\" as a\n//" + strings.Repeat("x", 1_000_000)), nil
	}
	if _, diags := Load("a.nas", large); len(diags) != 1 || diags[0].Code != "E0210" {
		t.Errorf("large modules: %v", diags)
	}
}
