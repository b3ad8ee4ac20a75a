package builtin

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/evaluators/table"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// nasBench201 holds what a search on NAS-Bench-201 can see and what its report
// tells, for every architecture by rank.
type nasBench201 struct {
	space       *compiler.Space
	valid, test []float64 // 12-epoch validation and 200-epoch test accuracy on CIFAR-10
}

func openNASBench201(t *testing.T) *nasBench201 {
	t.Helper()
	file := ""
	for _, dir := range []string{os.Getenv("NASC_DATA"), filepath.Join("..", "..", "..", "shared", "data")} {
		p := filepath.Join(dir, "nasbench201.csv.gz")
		if _, err := os.Stat(p); dir != "" && file == "" && err == nil {
			file = p
		}
	}
	if file == "" {
		t.Skip("nasbench201.csv.gz is neither in $NASC_DATA nor in ../shared/data")
	}
	m, diags := compiler.Load(filepath.Join("..", "..", "spaces", "nasbench201", "nasbench201.nas"), os.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	rows, err := table.Open(file, []string{"cifar10_valid_12", "cifar10_test_200"})
	if err != nil {
		t.Fatal(err)
	}
	b := &nasBench201{space: s}
	for g := range s.All() {
		a, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		arch, err := nasbench201.Recognise(a)
		if err != nil {
			t.Fatal(err)
		}
		r := rows.Row(arch)
		b.valid = append(b.valid, r[0])
		b.test = append(b.test, r[1])
	}
	return b
}

// search runs one optimizer for a number of evaluations and returns the test
// accuracy of the architecture with the best validation accuracy.
func (b *nasBench201) search(t *testing.T, name string, settings wire.Settings, seed uint64, evaluations int) float64 {
	t.Helper()
	p, _ := Plugin(name)
	o, err := p.Optimizers[0].Start(sdk.Search{
		Env: sdk.Env{Seed: seed}, Space: b.space.Space,
		Objectives: []sdk.Objective{{Metric: "accuracy", Maximize: true}},
	}, settings)
	if err != nil {
		t.Fatal(err)
	}
	best, test := math.Inf(-1), 0.0
	for n := range evaluations {
		gs, err := o.Ask(1)
		if err != nil || len(gs) != 1 {
			t.Fatalf("%s: %d architectures, %v", name, len(gs), err)
		}
		at := b.rank(t, gs[0])
		if b.valid[at] > best {
			best, test = b.valid[at], b.test[at]
		}
		err = o.Tell([]sdk.Trial{{Trial: int64(n), Genotype: gs[0],
			Metrics: wire.ValidationMetrics{Values: map[string]float64{"accuracy": b.valid[at]}}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return test
}

func (b *nasBench201) rank(t *testing.T, g space.Genotype) int64 {
	t.Helper()
	r, err := b.space.Rank(g)
	if err != nil {
		t.Fatal(err)
	}
	return r.Int64()
}

// TestPublishedMeans repeats the published comparison on the real table: 100
// evaluations, search on 12-epoch validation, report 200-epoch test accuracy on
// CIFAR-10, 500 seeds. Random search reaches 93.72, regularized evolution with a
// population of 10 and a sample of 3 reaches 93.91 and local search, which counts
// unique architectures, 94.19 (standard deviations 0.38, 0.40 and 0.27). The
// reference code of evolution draws the vertex first and then its edge.
func TestPublishedMeans(t *testing.T) {
	b := openNASBench201(t)
	const seeds = 500
	means := map[string]float64{}
	for _, c := range []struct {
		name      string
		settings  wire.Settings
		published float64
	}{
		{"random", nil, 93.72},
		{"evolution", wire.Settings{"population": int64(10), "sample": int64(3), "mutation": "by_node"}, 93.91},
		{"local", nil, 94.19},
	} {
		got := make([]float64, seeds)
		for seed := range got {
			got[seed] = b.search(t, c.name, c.settings, uint64(seed), 100)
		}
		mean, std := stat.MeanStdDev(got, nil)
		se := std / math.Sqrt(seeds) * math.Sqrt2 // ours and theirs are both averages of 500 runs
		t.Logf("%s: %.3f ± %.3f, published %.2f, %.1f standard errors apart", c.name, mean, std, c.published, (mean-c.published)/se)
		if math.Abs(mean-c.published) > 3*se {
			t.Errorf("%s: mean test accuracy %.3f, published %.2f", c.name, mean, c.published)
		}
		means[c.name] = mean
	}
	if means["evolution"] <= means["random"] || means["local"] <= means["evolution"] {
		t.Errorf("the order is not the published one: %v", means)
	}
}
