package compiler

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
)

// relaxText relaxes a space that takes maps of 8 channels.
func relaxText(t *testing.T, body string, o lower.Relaxation) (*lower.Supernet, []string) {
	t.Helper()
	src := "import { zero, skip, relu_conv_bn, conv_bn, sep_conv, max_pool, global_pool, linear } from \"std/vision\"\n" + body
	m, diags := Load("s.nas", func(string) ([]byte, error) { return []byte(src), nil })
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("s", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(o)
	var out []string
	for _, d := range diags {
		out = append(out, d.Code+" "+d.Message)
	}
	return n, out
}

// show writes a net: its mixtures with their terms and weights, and what the terms
// are.
func show(n *lower.Supernet) string {
	var lines []string
	n.Net.Walk(func(path string, node *lower.MixedNode) {
		if node.Op != lower.Mixed {
			return
		}
		net := n.Net
		for _, part := range strings.Split(strings.TrimSuffix(path, "/"), "/") {
			for _, m := range net.Nodes {
				if m.Name == part {
					net = m.Net
				}
			}
		}
		var terms []string
		for _, t := range node.Terms {
			name := "input"
			if _, input := t.Value.IsInput(); !input {
				name = net.Nodes[t.Value].Label()
				if net.Nodes[t.Value].Op == lower.Mixed {
					name = net.Nodes[t.Value].Name
				}
			}
			for _, w := range t.Weights {
				d := n.Decisions[w.Decision]
				name += fmt.Sprintf(" * %s[%s]", d.Address, d.Options[w.Option].Label)
			}
			terms = append(terms, name)
		}
		lines = append(lines, path+node.Name+" = "+strings.Join(terms, " + "))
	})
	return strings.Join(lines, "\n")
}

func TestRelaxForms(t *testing.T) {
	const space = "\nspace s(x: [8, 6, 6]) -> [8, 6, 6] = "
	for _, c := range []struct{ name, body, want string }{
		{"an attribute", space + "x -> relu_conv_bn(kernel: 1 | 3)",
			"relu_conv_bn = relu_conv_bn(kernel: 1) * kernel[1] + relu_conv_bn(kernel: 3) * kernel[3]"},
		{"attributes of two decisions, in a choice", space + "x -> (skip | conv_bn(kernel: 3 | 5) | zero)",
			"choice = skip * choice[skip] + conv_bn(kernel: 3) * choice[conv_bn(kernel: 3 | 5)] * kernel[3] + conv_bn(kernel: 5) * choice[conv_bn(kernel: 3 | 5)] * kernel[5]"},
		{"a sum of choices is one mixture", "block e = skip | sep_conv | zero" + space + "sum([e(x), x, e(x)])",
			"sum = skip * e[0][skip] + sep_conv * e[0][sep_conv] + input + skip * e[1][skip] + sep_conv * e[1][sep_conv]"},
		{"a choice that is read twice is a tensor", "block two(x) { y = x -> (skip | sep_conv)\nreturn sum([y, relu_conv_bn(y)]) }" + space + "x -> two",
			"two.choice = skip * two[skip] + sep_conv * two[sep_conv]"},
		{"a choice among cells that choose", "cell a(x) = x -> (skip | sep_conv)\ncell b(x) = x -> (sep_conv | max_pool)" + space + "x -> (a | b)",
			"a/choice = skip * a[skip] + sep_conv * a[sep_conv]\nb/choice = sep_conv * b[sep_conv] + max_pool * b[max_pool]\nchoice = a * choice[a] + b * choice[b]"},
		{"what was picked is never absent, and is weighed", "block e = zero | skip | sep_conv\ncell c(x) { node n[2] = sum(e(1 of prev))\nreturn n[1] }" + space + "x -> c",
			"c/n[0] = skip * c.n[0].e[0][skip] + sep_conv * c.n[0].e[0][sep_conv]\n" +
				"c/n[1] = skip * c.n[1].prev[x] * c.n[1].e[0][skip] + sep_conv * c.n[1].prev[x] * c.n[1].e[0][sep_conv]" +
				" + skip * c.n[1].prev[n[0]] * c.n[1].e[1][skip] + sep_conv * c.n[1].prev[n[0]] * c.n[1].e[1][sep_conv]"},
		{"edges into an operation that is no sum", "import { merge } from \"std/vision\"\nblock e = skip | sep_conv\ncell c(x) { node n[2] = merge(e(1 of prev))\nreturn n[1] }" + space + "x -> c",
			"c/n[1].n[1].e[0] = skip * c.n[1].prev[x] * c.n[1].e[0][skip] + sep_conv * c.n[1].prev[x] * c.n[1].e[0][sep_conv]\n" +
				"c/n[0].e[0].choice = skip * c.n[0].e[0][skip] + sep_conv * c.n[0].e[0][sep_conv]\n" +
				"c/n[1].n[1].e[1] = skip * c.n[1].prev[n[0]] * c.n[1].e[1][skip] + sep_conv * c.n[1].prev[n[0]] * c.n[1].e[1][sep_conv]"},
	} {
		n, errors := relaxText(t, c.body, lower.Relaxation{})
		if errors != nil {
			t.Errorf("%s: %q", c.name, errors)
			continue
		}
		if got := show(n); got != c.want {
			t.Errorf("%s:\n%s", c.name, got)
		}
	}
}

func TestRelaxRefuses(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		o                lower.Relaxation
	}{
		{"shapes", "space s(x: [8, 6, 6]) = x -> (conv_bn | max_pool(stride: 2)) -> global_pool",
			"E0540 `choice` cannot be relaxed: it decides the shape of `choice`, and tensors of several shapes cannot be added up", lower.Relaxation{}},
		{"repetitions", "space s(x: [8, 6, 6]) = x -> conv_bn * (1..3)",
			"E0540 `depth` cannot be relaxed: it decides how often something is repeated, and a supernet has every repetition", lower.Relaxation{}},
		{"requirement on decisions", "space s(x: [8, 6, 6]) {\na = 1 | 3\nb = 1 | 3\nrequire a < 3 or b < 3\nreturn x -> conv_bn(kernel: a) -> conv_bn(kernel: b)\n}",
			"E0540 `a` cannot be relaxed: `a < 3 or b < 3` forbids some architectures, and a supernet holds them all", lower.Relaxation{}},
		{"a mean of what is picked", "cell c(x) { node n[2] = mean(conv_bn(1 of prev))\nreturn n[1] }\nspace s(x: [8, 6, 6]) = x -> c",
			"E0540 `c.n[1].prev` cannot be relaxed: it decides of how many tensors `n[1]` is the mean", lower.Relaxation{}},
		{"which edges there are", "cell c(x) { node n[2] = sum(conv_bn(prev))\nkept = 1 of [n[0], n[1]]\nreturn if n[0] in kept then n[0] else n[1] }\nspace s(x: [8, 6, 6]) = x -> c",
			"E0540 `c.kept` cannot be relaxed: `choice` depends on which edges there are, and every edge is there in a supernet", lower.Relaxation{}},
		{"channels that do not divide", "space s(x: [8, 6, 6]) = x -> (conv_bn | max_pool)",
			"E0540 `choice` cannot be relaxed: 1/3 of the channels cannot go through it, since there are 8", lower.Relaxation{Channels: 3}},
		{"channels that change", "space s(x: [8, 6, 6]) = x -> (conv_bn(out: 12) | sep_conv(out: 12))",
			"E0540 `choice` cannot be relaxed: 1/4 of the channels cannot go through it, since it makes 12 channels of 8", lower.Relaxation{Channels: 4}},
		{"choices of two tensors", "cell c(x, y) = sum([x, y]) | x\nspace s(x: [8, 6, 6]) = c(x, conv_bn(x))",
			"E0540 `c` cannot be relaxed: 1/4 of the channels cannot go through it, since its candidates have no one tensor that they are made of", lower.Relaxation{Channels: 4}},
		{"an operation that takes no such channels", "op grouped(x: [c, h, w]) -> [c, h, w] { require c % 4 == 0 }\nspace s(x: [8, 6, 6]) = x -> (skip | grouped)",
			"E0540 `grouped` cannot be relaxed with 1/4 of the channels: `grouped` does not accept its operands; it requires `c % 4 == 0`; `x` has shape [2, 6, 6]", lower.Relaxation{Channels: 4}},
	} {
		n, errors := relaxText(t, c.body, c.o)
		if got := strings.Join(errors, "\n"); n != nil || got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestPartialSignatures: where 1/4 of the channels comes in, shapes, costs and defaults
// are what the declarations say of those; what is given stays, but for the width.
func TestPartialSignatures(t *testing.T) {
	n, errors := relaxText(t, `op mid(x: [c, h, w], out: int = c, hidden: int = c * 2, times: int = 1) -> [out, h, w] { params = hidden * times }
op fold(xs: set) -> [sum(xs.c), xs.h, xs.w]
cell two(x) = mid(fold([x, mid(x)]), out: 8)
space s(x: [8, 6, 6]) = x -> (mid | mid(hidden: 12, times: 3) | mid(out: 16, times: 5) -> mid(out: 8) | two)`, lower.Relaxation{Channels: 4})
	if errors != nil {
		t.Fatal(errors)
	}
	var got []string
	n.Net.Walk(func(path string, m *lower.MixedNode) {
		if m.Op == "mid" || m.Op == "fold" || m.Op == "two" || m.Op == lower.Mixed {
			hidden, _ := m.Int("hidden")
			got = append(got, fmt.Sprintf("%s%s %v hidden %d params %d", path, m.Op, m.Shape, hidden, m.Params))
		}
	})
	want := []string{
		"mid [2, 6, 6] hidden 4 params 4",
		"mid [2, 6, 6] hidden 12 params 36",
		"mid [4, 6, 6] hidden 4 params 20",
		"mid [2, 6, 6] hidden 8 params 8",
		"two [2, 6, 6] hidden 0 params 0",
		"two/mid [2, 6, 6] hidden 4 params 4",
		"two/fold [4, 6, 6] hidden 0 params 0",
		"two/mid [2, 6, 6] hidden 8 params 8",
		"mixture [2, 6, 6] hidden 0 params 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}
