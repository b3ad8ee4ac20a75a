package compiler

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// load compiles a shipped space, failing the test on any diagnostic.
func load(t *testing.T, path string, args ...Argument) *Space {
	t.Helper()
	m, diags := Load(filepath.Join("..", path), os.ReadFile)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	s, diags := m.Space("", args)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return s
}

// data finds a file of real benchmark data, or skips the test.
func data(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("NASC_DATA"), filepath.Join("..", "..", "shared", "data")} {
		if p := filepath.Join(dir, name); dir != "" {
			if _, err := os.Stat(p); err == nil {
				return p
			}
		}
	}
	t.Skipf("%s is neither in $NASC_DATA nor in ../shared/data", name)
	return ""
}

func TestPublishedSizes(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"spaces/nasbench201/nasbench201.nas", "15625"},
		{"spaces/darts/darts.nas", "1076746950455072400"}, // (180 * 7^8)^2
	} {
		if got := load(t, c.path).Size().String(); got != c.want {
			t.Errorf("%s: %s architectures, want %s", c.path, got, c.want)
		}
	}
}

func TestNASBench201Neighbours(t *testing.T) {
	s := load(t, "spaces/nasbench201/nasbench201.nas")
	n := 0
	for g := range s.All() {
		got := 0
		for range s.Neighbors(g) {
			got++
		}
		if got != 24 {
			t.Fatalf("%s has %d neighbours, want 24", s.Format(g), got)
		}
		n++
	}
	if n != 15625 {
		t.Errorf("enumerated %d architectures", n)
	}
}

// TestNASBench201Costs compares params and MACs of every architecture with the
// published table: params in millions to six decimals, and its FLOPs, which
// count multiply-accumulates of convolutions and the classifier with its bias.
func TestNASBench201Costs(t *testing.T) {
	f, err := os.Open(data(t, "nasbench201.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for i, h := range rows[0] {
		col[h] = i
	}
	for _, set := range []struct {
		name string
		args []Argument
	}{
		{"cifar10", nil},
		{"cifar100", []Argument{{Name: "classes", Value: int64(100)}}},
		{"imagenet16", []Argument{{Name: "classes", Value: int64(120)}, {Name: "image", Value: []int64{3, 16, 16}}}},
	} {
		s := load(t, "spaces/nasbench201/nasbench201.nas", set.args...)
		for _, r := range rows[1:] {
			g, err := s.Bind(fromArchString(t, s, r[col["arch"]]))
			if err != nil {
				t.Fatal(err)
			}
			params := fmt.Sprintf("%.6f", float64(g.Params())/1e6)
			want, err := strconv.ParseFloat(r[col["params_"+set.name+"_m"]], 64)
			if err != nil {
				t.Fatal(err)
			}
			if params != fmt.Sprintf("%.6f", want) {
				t.Fatalf("%s %s: %s million params, the table says %.6f", set.name, r[col["arch"]], params, want)
			}
			flops, err := strconv.ParseFloat(r[col["flops_"+set.name+"_m"]], 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := float64(g.MACs()) / 1e6; math.Abs(got-flops) > 5e-6 {
				t.Fatalf("%s %s: %.6f MFLOPs, the table says %.6f", set.name, r[col["arch"]], got, flops)
			}
		}
	}
}

// fromArchString reads the benchmark's own notation.
func fromArchString(t *testing.T, s *Space, arch string) space.Genotype {
	t.Helper()
	ops := map[string]string{
		"none": "zero", "skip_connect": "skip", "nor_conv_1x1": "relu_conv_bn(kernel: 1)",
		"nor_conv_3x3": "relu_conv_bn(kernel: 3)", "avg_pool_3x3": "avg_pool(kernel: 3)",
	}
	g := make(space.Genotype, len(s.Decisions))
	i := 0
	for _, part := range strings.FieldsFunc(arch, func(r rune) bool { return r == '|' || r == '+' }) {
		op, _, _ := strings.Cut(part, "~")
		d := s.Decisions[i]
		g[i] = space.Inactive
		for j, a := range d.Alts {
			if a.Label == ops[op] {
				g[i] = int64(j)
			}
		}
		i++
	}
	if err := s.Check(g); err != nil {
		t.Fatalf("%s: %v", arch, err)
	}
	return g
}

func TestAddresses(t *testing.T) {
	s := load(t, "spaces/nasbench201/nasbench201.nas")
	var got []string
	for _, d := range s.Decisions {
		got = append(got, d.Address)
	}
	want := "normal.n[0].edge[0] normal.n[1].edge[0] normal.n[1].edge[1] normal.n[2].edge[0] normal.n[2].edge[1] normal.n[2].edge[2]"
	if strings.Join(got, " ") != want {
		t.Errorf("addresses are %q", got)
	}
}

// TestDARTSInputs checks the rule of chains: a cell of two inputs takes the last
// two results, so the first one reads the stem twice.
func TestDARTSInputs(t *testing.T) {
	s := load(t, "spaces/darts/darts.nas")
	g, err := s.Bind(s.Sample(stream.New(1, "test", 0)))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]graph.Ref{{0, 0}, {0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}}
	for i, w := range want {
		n := g.Nodes[i+1]
		if n.Body == nil || len(n.Inputs) != 2 || n.Inputs[0] != w[0] || n.Inputs[1] != w[1] {
			t.Errorf("cell %d (%s) reads %v, want %v", i, n.Name, n.Inputs, w)
		}
	}
}

// TestPrintedArchitecture compiles architectures that were printed as .nas: each
// is a space of size one with the same graph hash, params and MACs.
func TestPrintedArchitecture(t *testing.T) {
	for _, path := range []string{
		"spaces/nasbench201/nasbench201.nas", "spaces/darts/darts.nas", "spaces/quickstart/quickstart.nas",
	} {
		s := load(t, path)
		rng := stream.New(7, "print", 0)
		for range 25 {
			g := s.Sample(rng)
			text, err := s.Print(g)
			if err != nil {
				t.Fatal(err)
			}
			m, diags := Load("arch.nas", func(string) ([]byte, error) { return []byte(text), nil })
			if len(diags) > 0 {
				t.Fatalf("%s\n%v", text, diags)
			}
			one, diags := m.Space("", nil)
			if len(diags) > 0 {
				t.Fatalf("%s\n%v", text, diags)
			}
			if one.Size().String() != "1" {
				t.Fatalf("printed architecture has %s members:\n%s", one.Size(), text)
			}
			a, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			b, err := one.Bind(space.Genotype{})
			if err != nil {
				t.Fatal(err)
			}
			if a.Hash() != b.Hash() || a.Params() != b.Params() || a.MACs() != b.MACs() {
				t.Fatalf("%s: the printed architecture differs: params %d and %d, MACs %d and %d\n%s",
					s.Format(g), a.Params(), b.Params(), a.MACs(), b.MACs(), text)
			}
		}
	}
}
