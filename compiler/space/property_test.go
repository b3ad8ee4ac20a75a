package space

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomTree grows a small tree with every kind of decision, nesting, and
// decisions shared by the alternatives of a depth, and twins: subtrees repeated
// under several alternatives, with something more below one of them.
func randomTree(rng *rand.Rand) *Group {
	names := 0
	var group func(depth int) *Group
	decision := func(depth int) *Decision {
		d := &Decision{Address: fmt.Sprintf("d%d", names), Kind: OneOf}
		names++
		alt := func(i int, sub *Group) { d.Alts = append(d.Alts, &Alt{Label: fmt.Sprintf("a(%d, x)", i), Sub: sub}) }
		switch rng.IntN(5) {
		case 4:
			first := group(depth - 1)
			alt(0, first)
			alt(1, twins(first, func() *Decision {
				return &Decision{Address: d.Address + ".more", Kind: Range, Alts: []*Alt{{Label: "1"}, {Label: "2"}}}
			}))
			alt(2, group(depth-1))
		case 0:
			d.Kind = Subset
			n := rng.IntN(4)
			d.Min = rng.IntN(n + 1)
			d.Max = d.Min + rng.IntN(n-d.Min+1)
			for i := range n {
				alt(i, group(depth-1))
			}
		case 1:
			d.Kind = Depth
			shared := &Group{}
			for i := range 1 + rng.IntN(3) {
				shared.Decisions = append(shared.Decisions, group(depth-1).Decisions...)
				alt(i, &Group{Decisions: slices.Clone(shared.Decisions)})
			}
		default:
			for i := range 1 + rng.IntN(3) {
				alt(i, group(depth-1))
			}
		}
		return d
	}
	group = func(depth int) *Group {
		g := &Group{}
		if depth <= 0 {
			return g
		}
		for range rng.IntN(3) {
			g.Decisions = append(g.Decisions, decision(depth))
		}
		return g
	}
	return group(3)
}

// twins copies a subtree under the same addresses and hangs one more decision
// below the first alternative of its first one-of.
func twins(g *Group, more func() *Decision) *Group {
	out := &Group{}
	if g == nil {
		return out
	}
	for _, d := range g.Decisions {
		c := &Decision{Address: d.Address, Kind: d.Kind, Min: d.Min, Max: d.Max}
		copies := map[*Decision]*Decision{}
		for _, a := range d.Alts {
			sub := &Group{}
			for i, x := range twins(a.Sub, func() *Decision { return nil }).Decisions {
				if copies[a.Sub.Decisions[i]] == nil {
					copies[a.Sub.Decisions[i]] = x
				}
				sub.Decisions = append(sub.Decisions, copies[a.Sub.Decisions[i]])
			}
			c.Alts = append(c.Alts, &Alt{Label: a.Label, Sub: sub})
		}
		if c.Kind != Subset {
			if d := more(); d != nil {
				c.Alts[0].Sub.Decisions = append(c.Alts[0].Sub.Decisions, d)
				more = func() *Decision { return nil }
			}
		}
		out.Decisions = append(out.Decisions, c)
	}
	return out
}

// forEachSmallSpace runs f on many random spaces of at most limit architectures
// with all of them, in order, and on the trees of published spaces that are
// small enough.
func forEachSmallSpace(t *testing.T, trees int, limit int64, f func(t *testing.T, s *Space, all []Genotype)) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range trees {
		s := mustNew(t, fmt.Sprintf("tree%d", i), randomTree(rng))
		if s.Size().Cmp(big.NewInt(limit)) > 0 {
			continue
		}
		f(t, s, slices.Collect(s.All()))
		if t.Failed() {
			t.Fatalf("tree %d", i)
		}
	}
}

// bruteForce enumerates by trying every value everywhere and keeping what Check
// accepts.
func bruteForce(s *Space) map[string]bool {
	found := map[string]bool{}
	g := s.empty()
	var try func(id int)
	try = func(id int) {
		if id == len(g) {
			if s.Check(g) == nil {
				found[fmt.Sprint(g)] = true
			}
			return
		}
		d := s.Decisions[id]
		values := int64(len(d.Alts))
		if d.Kind == Subset {
			values = 1 << len(d.Alts)
		}
		for v := Inactive; v < values; v++ {
			g[id] = v
			try(id + 1)
		}
		g[id] = Inactive
	}
	try(0)
	return found
}

func TestEnumerationIsExact(t *testing.T) {
	compared := 0
	forEachSmallSpace(t, 400, 2000, func(t *testing.T, s *Space, all []Genotype) {
		if s.Size().Cmp(big.NewInt(int64(len(all)))) != 0 {
			t.Errorf("All yields %d, Size is %s", len(all), s.Size())
		}
		seen := map[string]bool{}
		for _, g := range all {
			if err := s.Check(g); err != nil {
				t.Error(err)
			}
			seen[fmt.Sprint(g)] = true
		}
		if len(seen) != len(all) {
			t.Errorf("All repeats: %d of %d are distinct", len(seen), len(all))
		}
		if len(s.Decisions) <= 6 {
			compared++
			for g := range bruteForce(s) {
				if !seen[g] {
					t.Errorf("All misses %s", g)
				}
			}
		}
	})
	if compared < 50 {
		t.Errorf("only %d spaces were small enough for the other enumeration", compared)
	}
}

func TestRankTextAndBytesAreBijections(t *testing.T) {
	forEachSmallSpace(t, 300, 1000, func(t *testing.T, s *Space, all []Genotype) {
		packed := map[string]bool{}
		for i, g := range all {
			if r, err := s.Rank(g); err != nil || r.Int64() != int64(i) {
				t.Fatalf("rank of number %d is %v, %v", i, r, err)
			}
			if h, err := s.Parse(s.Format(g)); err != nil || !h.Equal(g) {
				t.Fatalf("Parse(%q) = %v, %v; want %v", s.Format(g), h, err, g)
			}
			b := s.Pack(g)
			if h, err := s.Unpack(b); err != nil || !h.Equal(g) {
				t.Fatalf("Unpack(%x) = %v, %v; want %v", b, h, err, g)
			}
			if packed[string(b)] {
				t.Fatalf("two genotypes pack to %x", b)
			}
			packed[string(b)] = true
			labels := map[string]string{}
			for _, l := range s.Labels(g) {
				labels[l.Address] = l.Label
			}
			if h, err := s.FromLabels(labels); err != nil || !h.Equal(g) {
				t.Fatalf("FromLabels(%v) = %v, %v; want %v", labels, h, err, g)
			}
		}
	})
}

func TestRankBeyondAWord(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	big201 := &Group{}
	for i := range 5 { // 5 alternatives, each with a DARTS tree below: 5 * 1e18, five of them
		d := &Decision{Address: fmt.Sprint(i), Kind: OneOf}
		for a := range 5 {
			sub := cellDARTS()
			for _, e := range sub.Decisions {
				rename(e, fmt.Sprintf("%d.%d.", i, a))
			}
			d.Alts = append(d.Alts, &Alt{Label: fmt.Sprint(a), Sub: sub})
		}
		big201.Decisions = append(big201.Decisions, d)
	}
	subset := &Decision{Address: "sub", Kind: Subset, Min: 1, Max: 3}
	for i := range 4 {
		sub := cellDARTS()
		for _, e := range sub.Decisions {
			rename(e, fmt.Sprintf("sub%d.", i))
		}
		sub.Decisions = append(sub.Decisions, leaf(fmt.Sprintf("sub%d.x", i), i+1))
		subset.Alts = append(subset.Alts, &Alt{Label: fmt.Sprint(i), Sub: sub})
	}
	big201.Decisions = append(big201.Decisions, subset)
	s := mustNew(t, "big", big201)
	last := s.Size()
	last.Sub(last, big.NewInt(1))
	ranks := []*big.Int{big.NewInt(0), last}
	for range 200 {
		ranks = append(ranks, below(rng, s.Size()))
	}
	for _, r := range ranks {
		g, err := s.Unrank(r)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := s.Rank(g); err != nil || back.Cmp(r) != 0 {
			t.Fatalf("Rank(Unrank(%s)) = %s, %v", r, back, err)
		}
		h := s.Sample(rng)
		if err := s.Check(h); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Unpack(s.Pack(g)); err != nil || !h.Equal(g) {
			t.Fatalf("Unpack(Pack(%s)): %v", s.Format(g), err)
		}
	}
	if _, err := s.Unrank(s.Size()); err == nil {
		t.Error("Unrank(Size()) must fail")
	}
	if _, err := s.Unrank(big.NewInt(-1)); err == nil {
		t.Error("Unrank(-1) must fail")
	}
}

func rename(d *Decision, prefix string) {
	d.Address = prefix + d.Address
	for _, a := range d.Alts {
		if a.Sub != nil {
			for _, e := range a.Sub.Decisions {
				rename(e, prefix)
			}
		}
	}
}

// uniform tests observed counts against equal expectation at a significance of
// one in a million (Wilson-Hilferty).
func uniform(t *testing.T, counts []int, draws int) {
	t.Helper()
	k := float64(len(counts) - 1)
	if k == 0 {
		return
	}
	expected := float64(draws) / float64(len(counts))
	chi := 0.0
	for _, c := range counts {
		chi += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	z := (math.Cbrt(chi/k) - (1 - 2/(9*k))) / math.Sqrt(2/(9*k))
	if math.Abs(z) > 4.9 {
		t.Errorf("chi-square %.1f with %.0f degrees of freedom (z = %.1f)", chi, k, z)
	}
}

func TestSampleIsUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	forEachSmallSpace(t, 150, 300, func(t *testing.T, s *Space, all []Genotype) {
		counts := make([]int, len(all))
		draws := 60 * len(all)
		for range draws {
			r, err := s.Rank(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			counts[r.Int64()]++
		}
		uniform(t, counts, draws)
	})
}

// TestSampleIsUniformForHugeCounts draws where the weights exceed a word: the
// marginals follow from the counts.
func TestSampleIsUniformForHugeCounts(t *testing.T) {
	chain := func(address string, factors int) *Group {
		g := &Group{}
		for i := range factors {
			g.Decisions = append(g.Decisions, leaf(fmt.Sprintf("%s.%d", address, i), 3))
		}
		return g
	}
	// 3^60 : 3^61 : 2^1 * 3^60 + something coprime, so that nothing reduces.
	odd := chain("c", 60)
	choice := &Decision{Address: "choice", Kind: OneOf, Alts: []*Alt{
		{Label: "a", Sub: chain("a", 60)},
		{Label: "b", Sub: chain("b", 61)},
		{Label: "c", Sub: &Group{Decisions: []*Decision{{Address: "c", Kind: OneOf, Alts: []*Alt{
			{Label: "0", Sub: odd}, {Label: "1"},
		}}}}},
	}}
	s := mustNew(t, "huge", &Group{Decisions: []*Decision{choice}})
	if choice.draw.ends[2].fits() {
		t.Fatal("the weights fit in a word: the test tests nothing")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	counts := make([]int, 5)
	const draws = 50_000
	for range draws {
		switch s.Sample(rng)[0] {
		case 0:
			counts[0]++
		case 1:
			counts[1+rng.IntN(3)]++
		case 2:
			counts[4]++
		}
	}
	uniform(t, counts, draws)
}

func TestMutation(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	forEachSmallSpace(t, 200, 150, func(t *testing.T, s *Space, all []Genotype) {
		if len(all) == 1 {
			if g := s.Mutate(rng, all[0]); !g.Equal(all[0]) {
				t.Errorf("a space of one mutates to %v", g)
			}
			return
		}
		seen := map[string]bool{}
		g := all[0]
		for range 300 * len(all) {
			h := s.Mutate(rng, g)
			if err := s.Check(h); err != nil {
				t.Fatal(err)
			}
			changed := 0
			for d := range s.Active(g) {
				if v := h.held(d); v != Inactive && v != g[d.ID] {
					changed++
					if !slices.Contains(d.steps(g[d.ID]), v) {
						t.Fatalf("%s goes from %d to %d", d.Address, g[d.ID], v)
					}
				}
			}
			if changed != 1 {
				t.Fatalf("%v to %v changes %d decisions", g, h, changed)
			}
			seen[s.Format(h)] = true
			g = h
		}
		if len(seen) != len(all) {
			t.Errorf("mutation reaches %d of %d", len(seen), len(all))
		}
	})
}

func TestNeighbourhood(t *testing.T) {
	forEachSmallSpace(t, 250, 400, func(t *testing.T, s *Space, all []Genotype) {
		reached := checkNeighbours(t, s, all)
		if reached != len(all) {
			t.Errorf("neighbours connect %d of %d", reached, len(all))
		}
	})
}

// checkNeighbours tests that the relation over all is symmetric, free of
// repeats and inside the space, and returns how much is connected to all[0].
func checkNeighbours(t *testing.T, s *Space, all []Genotype) int {
	near := map[string][]string{}
	for _, g := range all {
		key := s.Format(g)
		for h := range s.Neighbors(g) {
			if err := s.Check(h); err != nil {
				t.Fatal(err)
			}
			if other := s.Format(h); other == key || slices.Contains(near[key], other) {
				t.Fatalf("%s yields %s wrongly or twice", key, other)
			}
			near[key] = append(near[key], s.Format(h))
		}
	}
	for g, hs := range near {
		for _, h := range hs {
			if !slices.Contains(near[h], g) {
				t.Fatalf("%s is a neighbour of %s but not the other way round", h, g)
			}
		}
	}
	seen := map[string]bool{s.Format(all[0]): true}
	queue := []string{s.Format(all[0])}
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		for _, h := range near[g] {
			if !seen[h] {
				seen[h] = true
				queue = append(queue, h)
			}
		}
	}
	return len(seen)
}

// TestNeighbourhoodOfManyCompletions is the case in which not every completion
// of a step is a neighbour.
func TestNeighbourhoodOfManyCompletions(t *testing.T) {
	sub := &Group{Decisions: []*Decision{leaf("x", 13), leaf("y", 11)}} // 143 > MaxCompletions
	s := mustNew(t, "wide", &Group{Decisions: []*Decision{
		{Address: "c", Kind: OneOf, Alts: []*Alt{{Label: "plain"}, {Label: "deep", Sub: sub}, {Label: "too"}}},
	}})
	all := slices.Collect(s.All())
	if reached := checkNeighbours(t, s, all); reached != len(all) {
		t.Errorf("neighbours connect %d of %d", reached, len(all))
	}
	if n := len(slices.Collect(s.Neighbors(all[0]))); n != 2 {
		t.Errorf("the plain architecture has %d neighbours, want 2", n)
	}
}

func TestPublishedNeighbourhoods(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	s := mustNew(t, "nasbench201", cell201())
	for range 100 {
		if n := len(slices.Collect(s.Neighbors(s.Sample(rng)))); n != 24 {
			t.Fatalf("a NAS-Bench-201 cell has %d neighbours, want 24", n)
		}
	}
	// DARTS: an operation changes in 16*6 ways; at a vertex with n predecessors
	// one of two is swapped for one of n-2 with any of 7 operations.
	want := 16*6 + 2*(0+1+2+3)*2*7
	s = mustNew(t, "darts", cellDARTS())
	for range 20 {
		if n := len(slices.Collect(s.Neighbors(s.Sample(rng)))); n != want {
			t.Fatalf("a DARTS architecture has %d neighbours, want %d", n, want)
		}
	}
}

func TestCrossoverAndDistance(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	forEachSmallSpace(t, 200, 500, func(t *testing.T, s *Space, all []Genotype) {
		for range 50 {
			g, h, k := s.Sample(rng), s.Sample(rng), s.Sample(rng)
			c := s.Crossover(rng, g, h)
			if err := s.Check(c); err != nil {
				t.Fatal(err)
			}
			for d := range s.Active(c) {
				if v := c[d.ID]; v != g.held(d) && v != h.held(d) && (g.held(d) != Inactive || h.held(d) != Inactive) {
					t.Fatalf("%s comes from neither parent", d.Address)
				}
			}
			if s.Distance(g, h) != s.Distance(h, g) || s.Distance(g, h) > s.Distance(g, k)+s.Distance(k, h) ||
				(s.Distance(g, h) == 0) != g.Equal(h) {
				t.Fatal("distance is not a metric")
			}
		}
	})
}
