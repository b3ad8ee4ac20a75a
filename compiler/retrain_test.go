package compiler

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// TestCarry: every architecture of a small DARTS has its decisions in the large
// one, and only there are its parameters more.
func TestCarry(t *testing.T) {
	m, diags := Load("../spaces/darts/darts.nas", os.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	arguments := func(c, n int64) []Argument { return []Argument{{Name: "c", Value: c}, {Name: "n", Value: n}} }
	small, diags := m.Space("darts", arguments(4, 1))
	large, more := m.Space("darts", arguments(8, 2))
	if diags = append(diags, more...); len(diags) > 0 {
		t.Fatal(diags)
	}
	if d := small.Lacks(large); d != "" {
		t.Fatal(d)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		g := small.Sample(rng)
		h, err := small.Carry(g, large)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := small.Bind(g)
		b, err2 := large.Bind(h)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if small.Format(g) != large.Format(h) || a.Params() >= b.Params() {
			t.Errorf("%s with %d params became %s with %d", small.Format(g), a.Params(), large.Format(h), b.Params())
		}
	}
}

// TestLacks: alternatives are matched by their text, not their place, and
// decisions where they exist.
func TestLacks(t *testing.T) {
	const src = `import { relu, skip, batch_norm } from "std/vision"
block edge = relu | skip
space a(image: [8, 8, 8]) = image -> edge -> edge
space b(image: [8, 8, 8]) { block edge = batch_norm | skip | relu return image -> edge -> edge }
space c(image: [8, 8, 8]) = image -> edge
space d(image: [8, 8, 8]) = image -> edge * (1..2)
space e(image: [8, 8, 8]) = image -> edge * (1..3)
`
	m, diags := Load("s.nas", func(name string) ([]byte, error) {
		if name == "s.nas" {
			return []byte(src), nil
		}
		return nil, fs.ErrNotExist
	})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	spaces := map[string]*Space{}
	for _, name := range m.Spaces() {
		s, diags := m.Space(name, nil)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		spaces[name] = s
	}
	for _, c := range []struct{ from, to, want string }{
		{"a", "a", ""}, {"a", "b", ""}, {"b", "a", "edge[0] has no alternative `batch_norm` there"},
		{"d", "e", ""}, {"e", "d", "depth has no alternative `3` there"}, {"a", "d", "a decides no depth"},
	} {
		from, to := spaces[c.from], spaces[c.to]
		if got := from.Lacks(to); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.from, c.to, got, c.want)
		}
		for g := range from.All() {
			h, err := from.Carry(g, to)
			if c.want == "" && err != nil {
				t.Errorf("%s to %s: %v", c.from, c.to, err)
			}
			if err == nil {
				for i, l := range to.Labels(h) {
					if was := from.Labels(g)[i]; was != l {
						t.Errorf("%s to %s: %v became %v", c.from, c.to, was, l)
					}
				}
			}
		}
	}
}

// TestPluginOps: the operations of a plugin are a module that the reader is asked
// for, and only where a file uses them.
func TestPluginOps(t *testing.T) {
	const ops = `import { relu } from "std/vision"
/// A convolution of the laboratory.
op conv(x: [c, h, w], out: int = c) -> [out, h, w] { params = out * c }
op _hidden(x) -> x
`
	load := func(body string) (*Module, []string, string) {
		var asked []string
		m, diags := Load("s.nas", func(name string) ([]byte, error) {
			asked = append(asked, name)
			switch name {
			case "s.nas":
				return []byte("import plugin \"lab/ops\" as lab\nimport plugin \"nasc/evolution\"\n" + body), nil
			case "plugin:lab/ops":
				return []byte(ops), nil
			case "plugin:nasc/evolution":
				return nil, nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		diags = append(diags, m.Check()...)
		diags.Sort()
		var text []string
		for _, d := range diags {
			text = append(text, d.Code+" "+d.Message+" "+d.Help)
		}
		return m, asked, strings.Join(text, "\n")
	}
	m, asked, said := load("space s(image: [8, 8, 8]) = image -> lab.conv(out: 2 | 4) -> lab.conv\n")
	if said != "" || len(asked) != 2 {
		t.Fatalf("asked for %v: %s", asked, said)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 || s.Size().Int64() != 2 {
		t.Fatalf("%v, %v", s, diags)
	}
	for g := range s.All() {
		a, err := s.Bind(g)
		if want := a.Nodes[0].Params + a.Nodes[1].Params; err != nil || a.Params() != want || a.Nodes[0].Module != "lab/ops" {
			t.Errorf("%v: %d params of %s", err, a.Params(), a.Nodes[0].Module)
		}
	}
	for body, want := range map[string]string{
		"space s(image: [8, 8, 8]) = image -> lab.cnov":                            "E0512 the plugin `lab/ops` offers no operation `cnov` did you mean `conv`?",
		"space s(image: [8, 8, 8]) = image -> lab._hidden":                         "E0512 the plugin `lab/ops` offers no operation `_hidden` it offers conv",
		"space s(image: [8, 8, 8]) = image -> evolution.conv":                      "E0512 the plugin `nasc/evolution` offers no operation `conv` ",
		"let m = evolution.regularized\nspace s(image: [8, 8, 8]) = image":         "",
		"space s(image: [8, 8, 8]) = image\nsearch a over s { optimizer = lab.x }": "",
	} {
		_, asked, got := load(body)
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
		if strings.Contains(body, "search") && len(asked) != 1 {
			t.Errorf("%s: asked for %v", body, asked)
		}
	}
}
