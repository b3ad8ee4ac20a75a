package compiler

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// searchOf reads the only search of a file that begins with spaces and plugins.
func searchOf(t *testing.T, block string) *Search {
	t.Helper()
	const head = `import { relu, skip, conv_bn, global_pool } from "std/vision"
import plugin "nasc/evolution" as evo
import plugin "nasc/oneshot" version "~> 1.0" as one
let wide = 32 | 64
let plain = one.shot(relax: one.softmax, lr: 1 / 4)
block edge = relu | skip
space s(image: [8, 8, 8], c = 16, n = 2) -> [c] = image -> conv_bn(out: c) -> edge * n -> global_pool
`
	src := head + block
	m, diags := Load("s.nas", func(name string) ([]byte, error) {
		if name == "s.nas" {
			return []byte(src), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	all, more := m.Searches()
	if diags = append(diags, more...); len(diags) > 0 || len(all) != 1 {
		t.Fatalf("%v", diags)
	}
	return all[0]
}

func labels(t *testing.T, s *Search, fixed Fixed) (out []string, searches []*Search) {
	t.Helper()
	g, diags := s.Grid(fixed)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for i := range g.Size() {
		p, diags := g.At(i)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		out, searches = append(out, p.Label), append(searches, p.Search)
	}
	return out, searches
}

// describe is what a point says, in short.
func describe(s *Search) string {
	var b strings.Builder
	part := func(c *Component) {
		fmt.Fprintf(&b, "%s.%s(", c.Plugin, c.Component)
		for _, a := range c.Args {
			fmt.Fprintf(&b, " %s=%v", a.Name, a.Value)
		}
		b.WriteString(" ) ")
	}
	fmt.Fprintf(&b, "%s", s.Space)
	for _, a := range s.Args {
		fmt.Fprintf(&b, " %s=%v", a.Name, a.Value)
	}
	b.WriteString("; ")
	if s.Optimizer != nil {
		part(s.Optimizer)
	}
	if s.Seed != nil {
		fmt.Fprintf(&b, "seed %d ", *s.Seed)
	}
	return strings.TrimSpace(b.String())
}

// TestNamed: a component knows the `let` that it was given by.
func TestNamed(t *testing.T) {
	_, searches := labels(t, searchOf(t, `let again = plain
search a over s { optimizer = plain | (again | one.shot) | evo(population: 2) }`), nil)
	var got []string
	for _, s := range searches {
		got = append(got, s.Optimizer.Name)
	}
	if want := []string{"plain", "again", "", ""}; !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
}

// TestGrid: axes in the order of the source, axes below alternatives, components
// and ranges as values, a `let` as one axis.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		block string
		want  []string // label: what the point says
	}{
		{`search a over s { optimizer = evo  seed = 3 }`, []string{": s; nasc/evolution.( ) seed 3"}},
		{`search a over s { optimizer = evo.regularized(population: 8 | 16)  seed = 0..2 by 2 }`, []string{
			"population=8 seed=0: s; nasc/evolution.regularized( population=8 ) seed 0",
			"population=8 seed=2: s; nasc/evolution.regularized( population=8 ) seed 2",
			"population=16 seed=0: s; nasc/evolution.regularized( population=16 ) seed 0",
			"population=16 seed=2: s; nasc/evolution.regularized( population=16 ) seed 2",
		}},
		{`search a over s { optimizer = one.shot(relax: one.softmax | one.gumbel(tau: 1 | 10)) | plain }`, []string{
			"optimizer=one.shot relax=one.softmax: s; nasc/oneshot.shot( relax=one.softmax )",
			"optimizer=one.shot relax=one.gumbel tau=1: s; nasc/oneshot.shot( relax=one.gumbel(tau: 1 | 10) )",
			"optimizer=one.shot relax=one.gumbel tau=10: s; nasc/oneshot.shot( relax=one.gumbel(tau: 1 | 10) )",
			"optimizer=plain: s; nasc/oneshot.shot( relax=one.softmax lr=0.25 )",
		}},
		{`search a over s(c: wide, n: 1) { optimizer = evo(population: wide / 2, sample: 1 | (2..3)) }`, []string{
			"wide=32 sample=1: s c=32 n=1; nasc/evolution.( population=16 sample=1 )",
			"wide=32 sample=2: s c=32 n=1; nasc/evolution.( population=16 sample=2 )",
			"wide=32 sample=3: s c=32 n=1; nasc/evolution.( population=16 sample=3 )",
			"wide=64 sample=1: s c=64 n=1; nasc/evolution.( population=32 sample=1 )",
			"wide=64 sample=2: s c=64 n=1; nasc/evolution.( population=32 sample=2 )",
			"wide=64 sample=3: s c=64 n=1; nasc/evolution.( population=32 sample=3 )",
		}},
		{`search a over s(n: 1 | 2) { optimizer = evo(n: 3 | 4 if 1 > 2) }`, []string{
			"space.n=1 optimizer.n=3: s n=1; nasc/evolution.( n=3 )",
			"space.n=2 optimizer.n=3: s n=2; nasc/evolution.( n=3 )",
		}},
	} {
		names, searches := labels(t, searchOf(t, c.block), nil)
		var got []string
		for i, s := range searches {
			got = append(got, names[i]+": "+describe(s))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nwant\n%s", c.block, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestFixed: what is given from outside is neither swept nor read.
func TestFixed(t *testing.T) {
	s := searchOf(t, `search a over s(c: 8 | 16) { optimizer = evo(population: 8 | 16, sample: 1 | 2)  seed = 0..3 }`)
	for _, c := range []struct {
		fixed []string
		want  int
	}{
		{nil, 32}, {[]string{"seed"}, 8}, {[]string{"optimizer"}, 8}, {[]string{"optimizer.sample"}, 16},
		{[]string{"space.c", "seed"}, 4}, {[]string{"space", "optimizer", "seed"}, 1},
	} {
		got, searches := labels(t, s, func(setting string) bool { return slices.Contains(c.fixed, setting) })
		if len(got) != c.want {
			t.Errorf("%v fixed: %d points, want %d", c.fixed, len(got), c.want)
		}
		if slices.Contains(c.fixed, "optimizer.sample") && len(searches[0].Optimizer.Args) != 1 {
			t.Errorf("a fixed argument is read: %s", describe(searches[0]))
		}
	}
}

// TestSlots: what fills a slot may be swept with its settings, each of which can be
// given from outside; so can another filling, which leaves the settings out.
func TestSlots(t *testing.T) {
	s := searchOf(t, `search a over s {
		optimizer = one.shot(relax: one.softmax | one.gumbel(tau: 1 | 10), order: one.first)
		report = evo(sample: 1 | 2) }`)
	for _, c := range []struct {
		fixed string
		want  []string
	}{
		{"optimizer", []string{"sample=1", "sample=2"}},
		{"report.sample", []string{"relax=one.softmax", "relax=one.gumbel tau=1", "relax=one.gumbel tau=10"}},
		{"optimizer.relax", []string{"sample=1", "sample=2"}},
		{"optimizer.relax.tau", []string{"relax=one.softmax sample=1", "relax=one.softmax sample=2", "relax=one.gumbel(tau: 1 | 10) sample=1", "relax=one.gumbel(tau: 1 | 10) sample=2"}},
	} {
		got, searches := labels(t, s, func(setting string) bool { return setting == c.fixed })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s fixed: %q, want %q", c.fixed, got, c.want)
		}
		last := searches[len(searches)-1]
		if last.Report == nil || last.Report.Plugin != "nasc/evolution" {
			t.Errorf("%s fixed: the report is %v", c.fixed, last.Report)
		}
		if c.fixed == "optimizer.relax.tau" && len(last.Optimizer.Args[0].Value.(*Component).Args) != 0 {
			t.Errorf("a fixed setting of what fills a slot is read: %v", last.Optimizer.Args[0].Value)
		}
	}
}

func TestRequirement(t *testing.T) {
	s := searchOf(t, `let bound = 20ms
search a over s { require latency(device: "pixel-1", batch: 2) <= 25ms and not (params > 2 * 1M)
	require accuracy >= 90%  require max(energy, 1) / 2 < (if depth > 3 then 4 else 5)  require latency <= (bound | 30ms)
	minimize latency(device: "x") maximize accuracy }`)
	var texts []string
	for _, q := range s.Requirements {
		texts = append(texts, q.Text)
	}
	want := []string{"latency_pixel_1_2 <= 25ms and not params > 2 * 1M", "accuracy >= 90%",
		"max(energy, 1) / 2 < (if depth > 3 then 4 else 5)", "latency <= 20ms"}
	if !slices.Equal(texts, want) {
		t.Errorf("requirements\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}
	if s.Objectives[0].Metric != "latency_x" || s.Objectives[0].Maximize || s.Objectives[1].Metric != "accuracy" {
		t.Errorf("objectives %v", s.Objectives)
	}
	for _, c := range []struct {
		text    string
		units   map[string]string
		metrics map[string]float64
		want    string // of the violation; "error …"
	}{
		{want[0], map[string]string{"latency_pixel_1_2": "ms"}, map[string]float64{"latency_pixel_1_2": 25, "params": 2e6}, ""},
		{want[0], map[string]string{"latency_pixel_1_2": "ms"}, map[string]float64{"latency_pixel_1_2": 25.5, "params": 2e6},
			"latency_pixel_1_2 is 25.5 ms, params is 2e+06; required is " + want[0]},
		{"latency <= 35ms", map[string]string{"latency": "ms"}, map[string]float64{"latency": 35}, ""},
		{"latency <= 35ms", map[string]string{"latency": "s"}, map[string]float64{"latency": 0.036}, "latency is 0.036 s; required is latency <= 35ms"},
		{want[1], map[string]string{"accuracy": "%"}, map[string]float64{"accuracy": 89.9}, "accuracy is 89.9 %; required is accuracy >= 90%"},
		{want[1], nil, map[string]float64{"accuracy": 0.91}, ""},
		{want[2], nil, map[string]float64{"energy": 9, "depth": 3}, ""},
		{want[2], nil, map[string]float64{"energy": 9, "depth": 4}, "energy is 9, depth is 4; required is " + want[2]},
		{"a == -1.5 or b % 2 != 1", nil, map[string]float64{"a": -1.5, "b": 1}, ""},
		{"1 / b > 2", nil, map[string]float64{"b": 0}, "error require 1 / b > 2: 1 / 0 is not a number"},
		{"a > 2", nil, nil, "error require a > 2: the evaluator reports no metric called a"},
	} {
		q, err := ParseRequirement(c.text)
		if err != nil || q.Text != c.text {
			t.Fatalf("%s: %v, %v", c.text, q, err)
		}
		if diags := q.Measure(c.units); len(diags) > 0 {
			t.Errorf("%s: %v", c.text, diags)
		}
		got, err := q.Violated(c.metrics)
		if err != nil {
			got = "error " + err.Error()
		}
		if got != c.want {
			t.Errorf("%s at %v: %q, want %q", c.text, c.metrics, got, c.want)
		}
	}
	q, err := ParseRequirement("accuracy >= 90")
	if err != nil {
		t.Fatal(err)
	}
	if diags := q.Measure(map[string]string{"accuracy": "%"}); len(diags) != 1 || diags[0].Code != "E0556" || diags[0].Help != "write `90%`" {
		t.Errorf("a percentage beside a number: %v", diags)
	}
	for _, text := range []string{"", "a", "1 < 2", "a <= ", "a <= 2 }", "a in [1]", "a(1) < 2", "a < 2 require b < 2", "(a < 2) + 1 > 2",
		"latency(device: x) < 2", "a < 1..2", "a < (2 | 3)", "x(y: 1..2) < 2"} {
		if q, err := ParseRequirement(text); err == nil {
			t.Errorf("%q is a requirement: %v", text, q.Text)
		}
	}
}
