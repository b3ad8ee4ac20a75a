package table

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph/graphtest"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// data finds the benchmark's file, or skips the test.
func data(t testing.TB) string {
	t.Helper()
	dirs := []string{os.Getenv("NASC_DATA")}
	for up := ".."; len(up) < 30; up = filepath.Join(up, "..") {
		dirs = append(dirs, filepath.Join(up, "shared", "data"))
	}
	for _, dir := range dirs {
		p := filepath.Join(dir, "nasbench201.csv.gz")
		if _, err := os.Stat(p); err == nil && dir != "" {
			return p
		}
	}
	t.Skip("nasbench201.csv.gz is neither in $NASC_DATA nor in ../shared/data")
	return ""
}

func open(t testing.TB, s Settings) *Evaluator {
	t.Helper()
	e, err := start(sdk.Env{}, s)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Evaluator)
}

func candidate(arch string, epochs int) sdk.Candidate {
	return sdk.Candidate{Graph: graphtest.NASBench201(arch, 5), Epochs: epochs}
}

// TestPublishedValues looks up architectures whose results are published.
func TestPublishedValues(t *testing.T) {
	path := data(t)
	const arch0 = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
	ctx := context.Background()
	for _, c := range []struct {
		dataset          string
		epochs           int
		valid, test, sec float64
	}{
		{"cifar10", 200, 81.98267, 85.86333, 200 * 7.22109},
		{"cifar10", 12, 63.364, 85.86333, 86.65308}, // 86.7 s in the official file
		{"cifar100", 200, 52.7, 52.91333, 200 * 14.44219},
		{"imagenet16-120", 200, 28.21111, 26.63333, 200 * 43.81759},
	} {
		e := open(t, Settings{Data: path, Dataset: c.dataset, Epochs: c.epochs})
		v, err := e.Evaluate(ctx, candidate(arch0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Values["accuracy"] != c.valid || math.Abs(v.SimulatedSeconds-c.sec) > 1e-9 || v.Epochs != float64(c.epochs) {
			t.Errorf("%s at %d epochs: %+v", c.dataset, c.epochs, v)
		}
		m, err := e.Test(ctx, candidate(arch0, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{"accuracy": c.test, "cifar10": 85.86333, "cifar100": 52.91333, "imagenet16-120": 26.63333}
		if fmt.Sprint(m.Values) != fmt.Sprint(want) {
			t.Errorf("%s: test %v", c.dataset, m.Values)
		}
	}
	e := open(t, Settings{Data: path, Dataset: "cifar10", Epochs: 12})
	if v, err := e.Evaluate(ctx, candidate(arch0, 200), nil); err != nil || v.Values["accuracy"] != 81.98267 {
		t.Errorf("200 epochs asked for: %+v, %v", v, err)
	}
	if _, err := e.Evaluate(ctx, candidate(arch0, 13), nil); err == nil || !strings.Contains(err.Error(), "not after 13") {
		t.Errorf("13 epochs: %v", err)
	}
	best := 0.0
	for n := range nasbench201.Architectures {
		best = max(best, e.table.Row(nasbench201.At(n))[testCIFAR10])
	}
	if best != 94.37333 {
		t.Errorf("best test accuracy on CIFAR-10 is %v, published 94.37333", best)
	}
}

// TestRecognisesTheSpace binds every architecture of the shipped space and
// finds it again from its graph, also by way of the wire.
func TestRecognisesTheSpace(t *testing.T) {
	s := shipped(t, "nasbench201")
	ops := []nasbench201.Op{nasbench201.None, nasbench201.Skip, nasbench201.Conv1x1, nasbench201.Conv3x3, nasbench201.AvgPool} // as the space lists them
	for g := range s.All() {
		var want nasbench201.Arch
		for i, v := range g {
			want[i] = ops[v]
		}
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nasbench201.Recognise(bound)
		if err != nil || got != want {
			t.Fatalf("%s is recognised as %s, %v", want, got, err)
		}
		if want.Number()%500 != 0 {
			continue
		}
		m, err := wire.FromGraph(bound)
		if err != nil {
			t.Fatal(err)
		}
		received, err := wire.ToGraph(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nasbench201.Recognise(received); err != nil || got != want {
			t.Fatalf("over the wire %s is recognised as %s, %v", want, got, err)
		}
	}
}

func shipped(t testing.TB, name string) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load(filepath.Join("..", "..", "..", "spaces", name, name+".nas"), os.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return s
}

func TestResolve(t *testing.T) {
	s := shipped(t, "nasbench201")
	var choices []sdk.Choice
	for _, d := range s.Decisions {
		c := sdk.Choice{Address: d.Address, Kind: d.Kind}
		for _, a := range d.Alts {
			c.Labels = append(c.Labels, a.Label)
		}
		choices = append(choices, c)
	}
	var e Evaluator
	for n := 0; n < nasbench201.Architectures; n += 77 {
		a := nasbench201.At(n)
		labels, recognised, err := e.Resolve(a.String(), choices)
		if err != nil || !recognised {
			t.Fatal(err)
		}
		g, err := s.FromLabels(labels)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := nasbench201.Recognise(bound); err != nil || got != a {
			t.Fatalf("%s resolves to %s, %v", a, got, err)
		}
	}
	if _, recognised, err := e.Resolve("0,1,2,3,4,0", choices); recognised || err != nil {
		t.Errorf("a genotype: %v, %v", recognised, err)
	}
	const all = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
	for want, c := range map[string][]sdk.Choice{
		"has no decision n[2].edge[2]": choices[:5],
		"which is no edge":             append([]sdk.Choice{{Address: "depth"}}, choices...),
		"cannot be none":               {{Address: "n[0].edge[0]", Labels: []string{"skip"}}},
	} {
		if _, _, err := e.Resolve(all, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestStartRejects(t *testing.T) {
	dir := t.TempDir()
	for want, s := range map[string]Settings{
		"epochs must be 12 or 200, not 13": {Data: "x", Dataset: "cifar10", Epochs: 13},
		"data must name":                   {Dataset: "cifar10", Epochs: 12},
		"no such file":                     {Data: filepath.Join(dir, "none.csv"), Dataset: "cifar10", Epochs: 12},
		"cannot be used":                   {Data: dir, Dataset: "cifar10", Epochs: 12},
	} {
		_, err := start(sdk.Env{}, s)
		var p *sdk.Problem
		if !errors.As(err, &p) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", s, err, want)
		}
	}
	if _, err := Plugin.Description(); err != nil {
		t.Error(err)
	}
}

// rows is a complete table of two columns.
func rows() []string {
	out := []string{"index,arch,acc,t_s"}
	for n := range nasbench201.Architectures {
		out = append(out, fmt.Sprintf("%d,%s,%d.5,%d", n, nasbench201.At(n), n%100, n+1))
	}
	return out
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func TestReader(t *testing.T) {
	want := []string{"t_s", "acc"}
	text := strings.Join(rows(), "\n")
	for name, file := range map[string]string{
		"plain": text, "gzip": zipped(text), "dos": strings.ReplaceAll(text, "\n", "\r\n") + "\r\n\r\n", "bom": "\ufeff" + text,
	} {
		table, err := Read(strings.NewReader(file), want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if row := table.Row(nasbench201.At(1234)); row[0] != 1235 || row[1] != 34.5 {
			t.Errorf("%s: row %v", name, row)
		}
	}
	change := func(line int, text string) string {
		r := rows()
		r[line] = text
		return strings.Join(r, "\n")
	}
	a := nasbench201.At(4).String()
	z := zipped(text)
	for _, c := range []struct{ want, file string }{
		{"is empty", ""},
		{"15625 of 15625 architectures are missing", "index,arch,acc,t_s"},
		{"1 of 15625 architectures are missing, such as " + nasbench201.At(nasbench201.Architectures-1).String(), strings.Join(rows()[:nasbench201.Architectures], "\n")},
		{`no column "t_s"`, change(0, "index,arch,acc,seconds")},
		{`column "acc" twice`, change(0, "index,arch,acc,acc")},
		{"line 6: 3 values for 4 columns", change(5, "4,"+a+",1")},
		{"line 6: column acc is empty", change(5, "4,"+a+",,1")},
		{"column acc is \"NaN\"", change(5, "4,"+a+",NaN,1")},
		{"column acc is \"+Inf\"", change(5, "4,"+a+",+Inf,1")},
		{"column acc is 101, not per cent", change(5, "4,"+a+",101,1")},
		{"column t_s is 0 seconds", change(5, "4,"+a+",1,0")},
		{"already on line 5", change(5, "4,"+nasbench201.At(3).String()+",1,1")},
		{"the index 3 is already on line 5", change(5, "3,"+a+",1,1")},
		{`index "-1"`, change(5, "-1,"+a+",1,1")},
		{`index "15625"`, change(5, "15625,"+a+",1,1")},
		{`arch "x"`, change(5, "4,x,1,1")},
		{"incomplete", z[:len(z)/2]},
		{"incomplete", z[:len(z)-4]},
		{"incomplete", z[:3]},
		{"damaged", z[:len(z)-8] + "\x00\x00\x00\x00" + z[len(z)-4:]},
		{"no column", "\x89PNG\r\n\x1a\n"},
		{"too long", strings.Repeat("x", 2<<20)},
		{"longer than 64 MB", zipped(text + strings.Repeat("\n", 65<<20))},
	} {
		if _, err := Read(strings.NewReader(c.file), want); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	r := rows()
	f.Add([]byte(strings.Join(r[:4], "\n")))
	f.Add([]byte(zipped(strings.Join(r[:4], "\n"))))
	f.Add([]byte("index,arch,acc,t_s\n0,|none~0|+|,1,1\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := Read(bytes.NewReader(file), []string{"acc", "t_s"}); err == nil && len(file) < nasbench201.Architectures {
			t.Error("a file without all rows is accepted")
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	path := data(b)
	for b.Loop() {
		open(b, Settings{Data: path, Dataset: "cifar10", Epochs: 12})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	e := open(b, Settings{Data: data(b), Dataset: "cifar10", Epochs: 12})
	c := candidate(nasbench201.At(777).String(), 0)
	for b.Loop() {
		if _, err := e.Evaluate(context.Background(), c, nil); err != nil {
			b.Fatal(err)
		}
	}
}
