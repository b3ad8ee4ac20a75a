package space

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
)

// leaf is a one-of decision with n plain alternatives.
func leaf(address string, n int) *Decision {
	d := &Decision{Address: address, Kind: OneOf}
	for i := range n {
		d.Alts = append(d.Alts, &Alt{Label: fmt.Sprintf("op%d", i)})
	}
	return d
}

// cell201 is the tree of NAS-Bench-201: six edges of five operations.
func cell201() *Group {
	g := &Group{}
	for _, e := range []string{"n[0].edge[0]", "n[1].edge[0]", "n[1].edge[1]", "n[2].edge[0]", "n[2].edge[1]", "n[2].edge[2]"} {
		g.Decisions = append(g.Decisions, leaf("normal."+e, 5))
	}
	return g
}

// cellDARTS is the tree of DARTS: two cells of four vertices, each of which
// chooses two of its predecessors and one of seven operations for either.
func cellDARTS() *Group {
	g := &Group{}
	for _, cell := range []string{"normal", "reduce"} {
		for v := range 4 {
			at := fmt.Sprintf("%s.n[%d]", cell, v)
			d := &Decision{Address: at + ".prev", Kind: Subset, Min: 2, Max: 2}
			for p := range v + 2 {
				d.Alts = append(d.Alts, &Alt{
					Label: fmt.Sprintf("p[%d]", p),
					Sub:   &Group{Decisions: []*Decision{leaf(fmt.Sprintf("%s.edge[%d]", at, p), 7)}},
				})
			}
			g.Decisions = append(g.Decisions, d)
		}
	}
	return g
}

// stagesOFA is the tree of Once-for-All: an input size and five stages of two
// to four layers with nine variants each. Depths share their first layers.
func stagesOFA() *Group {
	size := leaf("r", 25)
	size.Kind = Range
	g := &Group{Decisions: []*Decision{size}}
	for st := range 5 {
		at := fmt.Sprintf("stage[%d]", st)
		layer := func(i int) []*Decision {
			return []*Decision{
				leaf(fmt.Sprintf("%s.layer[%d].kernel", at, i), 3),
				leaf(fmt.Sprintf("%s.layer[%d].expand", at, i), 3),
			}
		}
		g.Decisions = append(g.Decisions, layer(0)...)
		depth := &Decision{Address: at + ".depth", Kind: Depth}
		var layers []*Decision
		for n := 1; n <= 3; n++ {
			layers = append(layers, layer(n)...)
			sub := &Group{Decisions: append([]*Decision(nil), layers...)}
			depth.Alts = append(depth.Alts, &Alt{Label: fmt.Sprint(n), Sub: sub})
		}
		g.Decisions = append(g.Decisions, depth)
	}
	return g
}

func mustNew(t testing.TB, name string, root *Group) *Space {
	t.Helper()
	s, err := New(name, root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSizes(t *testing.T) {
	recursive := func(fuel int) *Group { // t(0) = 3, t(n) = 3 + t(n-1)^2
		var grow func(address string, fuel int) *Decision
		grow = func(address string, fuel int) *Decision {
			d := leaf(address, 3)
			if fuel > 0 {
				d.Alts = append(d.Alts, &Alt{Label: "chain", Sub: &Group{Decisions: []*Decision{
					grow(address+".l", fuel-1), grow(address+".r", fuel-1),
				}}})
			}
			return d
		}
		return &Group{Decisions: []*Decision{grow("m", fuel)}}
	}
	anyOf := &Decision{Address: "any", Kind: Subset, Max: 6}
	for i := range 6 {
		anyOf.Alts = append(anyOf.Alts, &Alt{Label: fmt.Sprint(i)})
	}
	for _, c := range []struct {
		name string
		root *Group
		size string
	}{
		{"empty", nil, "1"},
		{"nasbench201", cell201(), "15625"},
		{"darts", cellDARTS(), "1076746950455072400"},
		{"ofa", stagesOFA(), mul("25", pow(7371, 5))},
		{"grammar", recursive(3), "21612"}, // 3, 12, 147, 21612
		{"any of six", &Group{Decisions: []*Decision{anyOf}}, "64"},
	} {
		s := mustNew(t, c.name, c.root)
		if got := s.Size().String(); got != c.size {
			t.Errorf("%s has %s architectures, want %s", c.name, got, c.size)
		}
	}
}

func pow(a, n int64) string {
	return new(big.Int).Exp(big.NewInt(a), big.NewInt(n), nil).String()
}

func mul(a, b string) string {
	x, _ := new(big.Int).SetString(a, 10)
	y, _ := new(big.Int).SetString(b, 10)
	return x.Mul(x, y).String()
}

func BenchmarkSample(b *testing.B) {
	for _, c := range []struct {
		name string
		root *Group
	}{{"nasbench201", cell201()}, {"darts", cellDARTS()}, {"ofa", stagesOFA()}} {
		b.Run(c.name, func(b *testing.B) {
			s := mustNew(b, c.name, c.root)
			rng := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				s.Sample(rng)
			}
		})
	}
}

func BenchmarkMutate(b *testing.B) {
	s := mustNew(b, "nasbench201", cell201())
	rng := rand.New(rand.NewPCG(1, 2))
	g := s.Sample(rng)
	for b.Loop() {
		g = s.Mutate(rng, g)
	}
}

func BenchmarkUnrankAndRank(b *testing.B) {
	s := mustNew(b, "darts", cellDARTS())
	r := new(big.Int).Rsh(s.Size(), 1)
	for b.Loop() {
		g, err := s.Unrank(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Rank(g); err != nil {
			b.Fatal(err)
		}
	}
}
