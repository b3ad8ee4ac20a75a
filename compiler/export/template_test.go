package export_test

import (
	"os"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
)

// spaceText draws a space of a source as text, after the imports that it needs.
func spaceText(t *testing.T, source string) string {
	t.Helper()
	text, err := drawSpace(t, source, export.Text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func drawSpace(t *testing.T, source string, f export.Format) ([]byte, error) {
	t.Helper()
	source = `import { zero, skip, relu, batch_norm, conv_bn, sep_conv } from "std/vision"` + "\n" + source
	m, diags := compiler.Load("a.nas", func(file string) ([]byte, error) {
		if file == "a.nas" {
			return []byte(source), nil
		}
		return os.ReadFile(file)
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s.Draw(export.Options{Format: f, Title: s.Name})
}

// TestSpaceTells draws one thing to decide at a time.
func TestSpaceTells(t *testing.T) {
	const head = "space s(image: [8, 16, 16]) = image -> "
	for _, c := range []struct {
		name, source string
		want         []string
		never        []string
	}{
		{"a short choice", head + "(relu | skip)", []string{"\nrelu | skip "}, []string{"1 of"}},
		{"a long choice", head + "(conv_bn(kernel: 3) | conv_bn(kernel: 5) | skip)",
			[]string{"\nchoice ", "\nchoice  1 of 3\n  conv_bn 3×3\n  conv_bn 5×5\n  skip\n"}, nil},
		{"an attribute", head + "conv_bn(kernel: 3 | 5 | 7)", []string{"conv_bn  8×16×16\n  kernel 3 | 5 | 7\n"}, nil},
		{"candidates that differ in what is a default", head + "(conv_bn(kernel: 3) | conv_bn(kernel: 3, out: 8) | skip)",
			[]string{"conv_bn(kernel 3, out 8)"}, nil},
		{"a depth", head + "relu * (1..3)", []string{"relu ×1..3 "}, nil},
		{"a depth that may be nothing", head + "conv_bn -> relu * (0..2)", []string{"relu ×0..2 "}, nil},
		{"a depth of several steps", head + "(conv_bn -> relu) * (1..3)",
			[]string{"conv_bn 3×3 → relu ×1..3\n  conv_bn 3×3 ", "\n  relu "}, nil},
		{"a depth of two uses", "space s(image: [8, 16, 16]) { d = 1..3 return image -> relu * d -> batch_norm -> relu * d }",
			[]string{"relu ×d ", "parameters  decided once\n  d  1 | 2 | 3\n"}, nil},
		{"a block", "block b = skip | conv_bn\n" + head + "b * 3", []string{"\nb ×3 ", "\nb  1 of 2\n  skip\n  conv_bn 3×3\n"}, nil},
		{"a cell", "cell b(x) = skip | conv_bn\n" + head + "b * 3", []string{"\nb ×3 ", "\nb  1 of 2, once\n"}, nil},
		{"a width", "space s(image: [8, 16, 16]) { w = 4 | 8 return image -> conv_bn(out: w) -> conv_bn(out: 2 * w, stride: 2) }",
			[]string{"w×16×16", "2w×8×8", "\n  w  4 | 8\n"}, nil},
		{"a resolution", "space s(image: [8, r, r], r = 20..40 by 10) = image -> conv_bn(stride: 2) -> conv_bn(stride: 2)",
			[]string{"8×r×r", "8×r/2×r/2", "8×r/4×r/4", "\n  r  20 | 30 | 40\n"}, nil},
		{"picked edges", "cell c(x) { node n[3] = sum(skip(1.. of prev)) return n[2] }\n" + head + "c",
			[]string{"╌╌ skip ╌╌> (2)  1..2 of 2", "(3)  1..3 of 3"}, nil},
		{"any edges", "cell c(x) { node n[2] = relu(sum(any of prev)) return n[1] }\n" + head + "c",
			[]string{"╌╌> n[1] [relu]  any of 2"}, nil},
		{"a cell with and without a stride", "block e(stride: int) = skip(stride: stride) | sep_conv(stride: stride)\n" +
			"cell c(x, stride = 1) { node n[2] = sum(e(p, stride: if p in [x] then stride else 1) for p in prev) return n[1] }\n" + head + "c -> c(stride: 2)",
			[]string{"\nc  decided once\n  (0) ── e ──> (1)\n"}, []string{"c 2", "/2"}},
		{"cells of an array", "cell m[3](x) { node n[2] = sum((zero | skip)(prev)) return n[1] }\n" + head + "(1 of m)",
			[]string{"m[0] … m[2]  3 cells, each decided once"}, []string{"\nm 1"}},
		{"a grammar", "block g(fuel: int) = relu | g(fuel: fuel - 1) -> g(fuel: fuel - 1) if fuel > 0\n" + head + "g(fuel: 6)",
			[]string{"\ng  1 of 2\n  relu\n  g → g\n"}, []string{"g 2"}},
		{"tensors to choose from", "space s(image: [8, 16, 16]) { a = relu(image) b = conv_bn(a) c = a | b return batch_norm(c) }",
			[]string{"╌╌> one of  1 of 2"}, nil},
	} {
		got := spaceText(t, c.source)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, got)
			}
		}
		for _, never := range c.never {
			if strings.Contains(got, never) {
				t.Errorf("%s: %q in\n%s", c.name, never, got)
			}
		}
		for _, f := range []export.Format{export.SVG, export.PNG, export.DOT} {
			if _, err := drawSpace(t, c.source, f); err != nil {
				t.Errorf("%s as %s: %v", c.name, f, err)
			}
		}
	}
}

// TestSpacesAreCut draws spaces that no page could hold.
func TestSpacesAreCut(t *testing.T) {
	widths := ""
	for i := range 100 {
		widths += " -> conv_bn(out: " + string(rune('1'+i%9)) + "0)"
	}
	for name, source := range map[string]string{
		"long":  "space s(image: [8, 16, 16]) = image" + widths + " -> (relu | skip)",
		"dense": "cell c(x) { node n[80] = sum((zero | skip)(prev)) return n[79] }\nspace s(image: [8, 16, 16]) = image -> c",
		"wide":  "space s(image: [8, 16, 16]) = image -> conv_bn(kernel: 1..200)",
	} {
		for _, f := range []export.Format{export.SVG, export.DOT, export.Text} {
			got, err := drawSpace(t, source, f)
			if err != nil {
				t.Errorf("%s as %s: %v", name, f, err)
				continue
			}
			if len(got) > 1<<20 {
				t.Errorf("%s as %s has %d bytes", name, f, len(got))
			}
			if name != "wide" && !strings.Contains(string(got), "…") {
				t.Errorf("%s as %s does not say that it was cut", name, f)
			}
		}
	}
}
