package oneshot

import (
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

// relaxed relaxes a shipped space.
func relaxed(t testing.TB, file string, o lower.Relaxation) (*compiler.Space, *lower.Supernet) {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s, n
}

// shipped are spaces of all shapes: absent edges that an architecture can and cannot
// have, edges with and without candidates under them, decisions below decisions.
var shipped = []string{"nasbench201/nasbench201.nas", "darts/darts.nas", "nasbench1shot1/space3.nas", "hierarchical/hierarchical.nas",
	"nasbenchasr/nasbenchasr.nas", "einspace/einspace.nas", "spos/spos.nas"}

// TestGenotype: an architecture is the one that the compiler makes of the same choice,
// and what is sampled uniformly is an architecture.
func TestGenotype(t *testing.T) {
	for _, file := range shipped {
		for _, o := range []lower.Relaxation{{}, {EdgeWeights: true}} {
			if testing.Short() && strings.HasPrefix(file, "einspace") {
				continue
			}
			s, n := relaxed(t, file, o)
			r := wire.RelaxedOf(n)
			rng := stream.New(1, file, 0)
			l := NewLayout(r, false)
			for range 30 {
				m, _ := Uniform().Draw(l, nil, Moment{}, rng)
				c := make(Choice, len(m))
				for i := range m {
					for k, v := range m[i] {
						if v != 0 {
							c[i] = append(c[i], k)
						}
					}
				}
				got, err := Genotype(s.Space, r, c)
				if err != nil {
					t.Fatal(file, err)
				}
				want, err := n.Genotype(c)
				if err != nil || !got.Equal(want) {
					t.Fatalf("%s: %v, not %v (%v)", file, got, want, err)
				}
				if hot := OneHot(r, c); !slices.EqualFunc(hot, m, slices.Equal[[]float64]) {
					t.Fatalf("%s: %v, not %v", file, hot, m)
				}
			}
		}
	}
}

func TestGenotypeErrors(t *testing.T) {
	n := newSynthetic(t, cellOptions{nodes: 1, inputs: 3, choose: 2})
	for _, c := range []struct {
		choice Choice
		want   string
	}{
		{Choice{{0, 1}}, "1 decisions are taken of 4"},
		{Choice{{0}, {1}, {1}, {1}}, "n[0].prev: 1 edges are taken of 3, and an architecture has from 2 to 2"},
		{Choice{{0, 0}, {1}, {1}, {1}}, "n[0].prev: 1 edges are taken of 3, and an architecture has from 2 to 2"},
		{Choice{{0, 1}, {0}, {1}, {1}}, "n[0].edge[0]: no architecture has `zero`"},
		{Choice{{0, 1}, {1, 2}, {1}, {1}}, "n[0].edge[0]: 2 options are taken of a choice of one"},
		{Choice{{0, 1}, {4}, {1}, {1}}, "n[0].edge[0]: there is no option 4 of 4"},
		{Choice{{0, 1}, {}, {1}, {1}}, "n[0].edge[0]: 0 options are taken of a choice of one"},
	} {
		if _, err := Genotype(n.space, &n.relaxed, c.choice); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, not %s", c.choice, err, c.want)
		}
	}
	// What is below an edge that is not taken does not matter.
	if _, err := Genotype(n.space, &n.relaxed, Choice{{0, 1}, {1}, {1}, {0}}); err != nil {
		t.Error(err)
	}
}

// TestUniformReal: on NAS-Bench-201 each node has an edge; on NAS-Bench-ASR a vertex has
// its operation or something that is skipped to it, either of which may be absent.
func TestUniformReal(t *testing.T) {
	_, n := relaxed(t, "nasbenchasr/nasbenchasr.nas", (&Parts{Relaxation: Uniform()}).relaxation())
	r := wire.RelaxedOf(n)
	rng := stream.New(1, "draws", 0)
	var noMain, noBranch, none int
	for range 2000 {
		m, _ := Uniform().Draw(NewLayout(r, false), nil, Moment{}, rng)
		main, branch := true, true
		for i, d := range r.Decisions {
			if strings.HasPrefix(d.Address, "micro.n[2].") && !d.Edges {
				for k, o := range d.Options {
					if m[i][k] == 1 && !o.Absent {
						if strings.Contains(d.Address, "main") {
							main = false
						} else {
							branch = false
						}
					}
				}
			}
		}
		if main {
			noMain++
		}
		if branch {
			noBranch++
		}
		if main && branch {
			none++
		}
	}
	if noMain < 200 || noBranch < 150 || none != 0 {
		t.Errorf("in 2000 architectures the last vertex has no operation in %d, nothing skipped in %d, neither in %d", noMain, noBranch, none)
	}
}
