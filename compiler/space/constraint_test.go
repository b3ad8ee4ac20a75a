package space

import (
	"errors"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// sieve constrains a space to about one architecture in n, without any structure
// that a move could follow.
func sieve(s *Space, n uint32) {
	s.Constrain(func(g Genotype) bool {
		h := fnv.New32a()
		h.Write([]byte(s.Format(g)))
		return h.Sum32()%n == 0
	})
}

// forEachSieved runs f on small random spaces of which some part is inside.
func forEachSieved(t *testing.T, n uint32, limit int64, f func(t *testing.T, s *Space, all, inside []Genotype)) {
	tested := 0
	forEachSmallSpace(t, 300, limit, func(t *testing.T, s *Space, all []Genotype) {
		sieve(s, n)
		if inside := slices.Collect(s.All()); len(inside) > 0 {
			tested++
			f(t, s, all, inside)
		}
	})
	if tested < 30 {
		t.Fatalf("only %d spaces have something inside", tested)
	}
}

func TestConstrainedEnumeration(t *testing.T) {
	forEachSieved(t, 3, 500, func(t *testing.T, s *Space, all, inside []Genotype) {
		want := slices.DeleteFunc(slices.Clone(all), func(g Genotype) bool { return !s.admits(g) })
		if len(want) != len(inside) {
			t.Errorf("%d are inside, %d are enumerated", len(want), len(inside))
		}
		if s.Size().Cmp(big.NewInt(int64(len(all)))) != 0 {
			t.Errorf("the size is %s, the tree has %d", s.Size(), len(all))
		}
		for i, g := range all { // ranks are those of the tree
			if r, err := s.Rank(g); err != nil || r.Int64() != int64(i) {
				t.Errorf("architecture %d has rank %v %v", i, r, err)
			}
		}
	})
}

func TestConstrainedSampleIsUniform(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	forEachSieved(t, 4, 80, func(t *testing.T, s *Space, _, inside []Genotype) {
		index := map[string]int{}
		for i, g := range inside {
			index[s.Format(g)] = i
		}
		counts := make([]int, len(inside))
		draws := 300 * len(inside)
		for range draws {
			i, ok := index[s.Format(s.Sample(rng))]
			if !ok {
				t.Fatal("drawn outside")
			}
			counts[i]++
		}
		uniform(t, counts, draws)
	})
}

func TestConstrainedMoves(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	forEachSieved(t, 5, 150, func(t *testing.T, s *Space, _, inside []Genotype) {
		seen := map[string]bool{}
		g := inside[0]
		for range 200 * len(inside) {
			h := s.Mutate(rng, g)
			k := s.MutateAt(rng, g, s.Decisions[rng.IntN(len(s.Decisions))])
			for _, x := range []Genotype{h, k, s.Crossover(rng, g, h)} {
				if err := s.Check(x); err != nil {
					t.Fatal(err)
				}
				if !s.inside(x) {
					t.Fatal("a move leaves the space")
				}
			}
			seen[s.Format(h)] = true
			g = h
		}
		if len(seen) != len(inside) {
			t.Errorf("mutation reaches %d of %d", len(seen), len(inside))
		}
		checkNeighbours(t, s, inside)
		for h := range s.Neighbors(g) {
			if !s.inside(h) {
				t.Fatal("a neighbour is outside")
			}
		}
	})
}

// TestIslands: two halves of a space without a step between them that stays
// inside, each so wide that a step seldom leaves it.
func TestIslands(t *testing.T) {
	s := mustNew(t, "islands", &Group{Decisions: []*Decision{leaf("side", 3), leaf("a", 50), leaf("b", 50)}})
	s.Constrain(func(g Genotype) bool { return g[0] != 1 && (g[0] == 0) == (g[1] < 25) })
	rng := rand.New(rand.NewPCG(1, 1))
	g := s.Sample(rng)
	sides := map[int64]bool{}
	for range 5000 {
		g = s.Mutate(rng, g)
		sides[g[0]] = true
	}
	if len(sides) != 2 {
		t.Errorf("mutation stays on one side: %v", sides)
	}
}

func TestDrawGivesUp(t *testing.T) {
	s := mustNew(t, "none", &Group{Decisions: []*Decision{leaf("a", 50)}})
	s.Constrain(func(Genotype) bool { return false })
	g, err := s.TrySample(rand.New(rand.NewPCG(1, 1)))
	var tight *TightError
	if g != nil || !errors.As(err, &tight) || tight.Tries != Tries {
		t.Errorf("got %v, %v", g, err)
	}
	if h := s.Mutate(rand.New(rand.NewPCG(1, 1)), Genotype{3}); !h.Equal(Genotype{3}) {
		t.Errorf("got %v", h)
	}
}
