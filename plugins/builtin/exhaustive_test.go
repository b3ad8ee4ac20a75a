package builtin

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench101"
)

// TestOptimaOf1Shot1 goes through the spaces of NAS-Bench-1Shot1 with exhaustive
// search and the table of NAS-Bench-101: the number of different modules, and the best
// by mean test accuracy of three trainings of 108 epochs. The paper's optima, test
// errors of 5.449, 5.759 and 5.339 %, are of single trainings.
func TestOptimaOf1Shot1(t *testing.T) {
	accuracy := columnOf(t, dataFile(t, "nasbench101.csv.gz"), "hash", "test_acc_108")
	if len(accuracy) != 423_624 {
		t.Fatalf("the table has %d architectures", len(accuracy))
	}
	for _, c := range []struct {
		file     string
		size     int
		modules  int
		best     string
		accuracy float64
	}{
		{"space1.nas", 14_580, 2685, "49f7891fc1771926d85dfce1df854041", 94.20072},
		{"space2.nas", 29_160, 7773, "0c6034b2f9668482453138e9d00079cf", 93.96701},
		{"space3.nas", 1_312_200, 55_854, "a958be818a5f3d98eb5ce84f41a7764a", 94.17735},
	} {
		m, diags := compiler.Load(filepath.Join("..", "..", "spaces", "nasbench1shot1", c.file), os.ReadFile)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		s, diags := m.Space("", nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if n := s.Size().Int64(); n != int64(c.size) {
			t.Errorf("%s has %d architectures", c.file, n)
		}
		all, n := exhaust(t, s), c.size
		if c.size > 100_000 { // to name all takes minutes: one of each class of equal graphs
			if testing.Short() {
				continue
			}
			classes, err := s.Unique(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			all, n = classes.All, classes.Len()
		}
		best, top, seen := "", 0.0, map[string]bool{}
		for g := range all {
			n--
			net, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			module, _, err := nasbench101.Recognise(net)
			if err != nil {
				t.Fatal(err)
			}
			hash, ok := module.Hash()
			if !ok {
				t.Fatalf("%s is no module", s.Format(g))
			}
			a, ok := accuracy[hash]
			if !ok {
				t.Fatalf("%s, %s, is not in the table", s.Format(g), hash)
			}
			if seen[hash] = true; a > top {
				best, top = hash, a
			}
		}
		if n != 0 || len(seen) != c.modules || best != c.best || top != c.accuracy {
			t.Errorf("%s: %d modules, the best %s with %v; want %d, %s with %v; %d are left out",
				c.file, len(seen), best, top, c.modules, c.best, c.accuracy, n)
		}
	}
}

// exhaust yields what exhaustive search proposes.
func exhaust(t *testing.T, s *compiler.Space) iter.Seq[space.Genotype] {
	p, _ := Plugin("exhaustive")
	o, err := p.Optimizers[0].Start(sdk.Search{Space: s.Space}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(space.Genotype) bool) {
		for {
			all, err := o.Ask(1000)
			if errors.Is(err, sdk.ErrDone) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range all {
				if !yield(g) {
					return
				}
			}
		}
	}
}
