package spaces_test

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// compiled are the shipped spaces that a test has asked for.
var compiled = map[string]*compiler.Space{}

// forEvery runs f on every shipped space, with a stream of random numbers.
func forEvery(t *testing.T, f func(t *testing.T, s *compiler.Space, rng *rand.Rand)) {
	for _, file := range files(t) {
		t.Run(file, func(t *testing.T) {
			if compiled[file] == nil {
				_, compiled[file] = load(t, file)
			}
			f(t, compiled[file], stream.New(5, t.Name(), 0))
		})
	}
}

// atMost reports whether s has at most n architectures.
func atMost(s *compiler.Space, n int64) bool { return s.Size().Cmp(big.NewInt(n)) <= 0 }

// random draws a rank, and with it an architecture of the tree.
func random(t *testing.T, s *compiler.Space, rng *rand.Rand) space.Genotype {
	t.Helper()
	words := make([]big.Word, (s.Size().BitLen()+127)/bits.UintSize)
	for i := range words {
		words[i] = big.Word(rng.Uint64())
	}
	r := new(big.Int).SetBits(words)
	g, err := s.Unrank(r.Mod(r, s.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestSamplingIsUniform draws from every space. Of a small one, each architecture
// is expected five times, and chi-square tells; of any, how often each decision
// takes each alternative follows from the counts. Under a requirement it is
// compared with architectures of random rank, those left out that it refuses.
func TestSamplingIsUniform(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		if atMost(s, 20_000) && !s.Constrained() {
			counts := make([]int, s.Size().Int64())
			const expected = 5
			for range expected * len(counts) {
				r, err := s.Rank(s.Sample(rng))
				if err != nil {
					t.Fatal(err)
				}
				counts[r.Int64()]++
			}
			chi := 0.0
			for _, n := range counts {
				chi += float64((n-expected)*(n-expected)) / expected
			}
			k := float64(len(counts) - 1)
			z := (math.Cbrt(chi/k) - (1 - 2/(9*k))) / math.Sqrt(2/(9*k)) // Wilson and Hilferty
			if math.Abs(z) > 4 {
				t.Errorf("chi-square is %.0f at %.0f degrees of freedom (z = %.1f)", chi, k, z)
			}
		}
		m := marginals{exists: map[*space.Decision]float64{}, takes: map[*space.Alt]float64{}}
		const draws = 4000
		spread := float64(1) // of the difference: larger where the reference is drawn as well
		if s.Constrained() {
			spread = 2
			for n := 0; n < draws; {
				g := random(t, s, rng)
				if s.Admits(g) != nil {
					continue
				}
				n++
				for d := range s.Active(g) {
					for _, a := range taken(d, g[d.ID]) {
						m.takes[a] += 1.0 / draws
					}
				}
			}
		} else {
			m.group(s.Root, 1)
		}
		seen := map[*space.Alt]int{}
		for range draws {
			g := s.Sample(rng)
			if err := s.Admits(g); s.Constrained() && err != nil {
				t.Fatal(err)
			}
			for d := range s.Active(g) {
				for _, a := range taken(d, g[d.ID]) {
					seen[a]++
				}
			}
		}
		for _, d := range s.Decisions {
			for _, a := range d.Alts {
				p := m.takes[a]
				// Five deviations, and some more for rare ones, which are not normal.
				off := math.Abs(float64(seen[a]) - draws*p)
				if off > 5*math.Sqrt(spread*draws*p*max(1-p, 0))+8 {
					t.Errorf("%s = %s in %d of %d, want %.1f", d.Address, a.Label, seen[a], draws, draws*p)
				}
			}
		}
	})
}

// taken lists the alternatives that a value of d takes.
func taken(d *space.Decision, v int64) []*space.Alt {
	if d.Kind != space.Subset {
		return []*space.Alt{d.Alts[v]}
	}
	var out []*space.Alt
	for i, a := range d.Alts {
		if v>>i&1 != 0 {
			out = append(out, a)
		}
	}
	return out
}

// marginals are the shares of a space in which a decision exists and in which it
// takes an alternative, worked out without the package's own counts.
type marginals struct {
	exists map[*space.Decision]float64
	takes  map[*space.Alt]float64
}

func sizeOf(g *space.Group) float64 {
	n := 1.0
	for _, d := range g.Decisions {
		n *= sizeAt(d)
	}
	return n
}

func sizeAt(d *space.Decision) float64 {
	sum := 0.0
	if d.Kind != space.Subset {
		for _, a := range d.Alts {
			sum += sizeOf(a.Sub)
		}
		return sum
	}
	for k, n := range symmetric(d, -1) {
		if d.Min <= k && k <= d.Max {
			sum += n
		}
	}
	return sum
}

// symmetric counts the ways to take k items but for one, by k.
func symmetric(d *space.Decision, without int) []float64 {
	ways := make([]float64, len(d.Alts)+1)
	ways[0] = 1
	for i, a := range d.Alts {
		if i == without {
			continue
		}
		n := sizeOf(a.Sub)
		for k := len(ways) - 1; k > 0; k-- {
			ways[k] += n * ways[k-1]
		}
	}
	return ways
}

func (m marginals) group(g *space.Group, p float64) {
	for _, d := range g.Decisions {
		m.exists[d] += p
		all := sizeAt(d)
		for i, a := range d.Alts {
			part := sizeOf(a.Sub)
			if d.Kind == space.Subset {
				sum := 0.0
				for k, n := range symmetric(d, i) {
					if d.Min <= k+1 && k+1 <= d.Max {
						sum += n
					}
				}
				part *= sum
			}
			m.takes[a] += p * part / all
			m.group(a.Sub, p*part/all)
		}
	}
}

// TestRanksAndForms goes from ranks to architectures and back, and through every
// form in which an architecture is written.
func TestRanksAndForms(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		last := new(big.Int).Sub(s.Size(), big.NewInt(1))
		ranks := []*big.Int{new(big.Int), last}
		for range 40 {
			r, err := s.Rank(s.Sample(rng))
			if err != nil {
				t.Fatal(err)
			}
			ranks = append(ranks, r)
		}
		for _, r := range ranks {
			g, err := s.Unrank(r)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := s.Rank(g); err != nil || back.Cmp(r) != 0 {
				t.Fatalf("number %s has rank %v, %v", r, back, err)
			}
			if h, err := s.Parse(s.Format(g)); err != nil || !h.Equal(g) {
				t.Fatalf("%s is read as %v, %v", s.Format(g), h, err)
			}
			if h, err := s.Unpack(s.Pack(g)); err != nil || !h.Equal(g) {
				t.Fatalf("%s is unpacked as %v, %v", s.Format(g), h, err)
			}
			labels := map[string]string{}
			for _, l := range s.Labels(g) {
				labels[l.Address] = l.Label
			}
			if h, err := s.FromLabels(labels); err != nil || !h.Equal(g) {
				t.Fatalf("%v is read as %v, %v", labels, h, err)
			}
		}
		if _, err := s.Unrank(s.Size()); err == nil {
			t.Error("there is an architecture beyond the last")
		}
	})
}

// TestShards: the parts of a space are the space.
func TestShards(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		end, next := new(big.Int), new(big.Int)
		least, most := s.Size(), new(big.Int)
		const shards = 37
		for i := range int64(shards) {
			from, to := space.Shard(s.Size(), i, shards)
			if from.Cmp(end) != 0 {
				t.Fatalf("shard %d begins at %s after one that ends at %s", i, from, end)
			}
			end = to
			length := new(big.Int).Sub(to, from)
			if length.Cmp(least) < 0 {
				least = length
			}
			if length.Cmp(most) > 0 {
				most = length
			}
			next.Set(from)
			for g := range s.Between(from, to) {
				r, err := s.Rank(g)
				if err != nil || r.Cmp(next) < 0 || r.Cmp(to) >= 0 || !s.Constrained() && r.Cmp(next) != 0 {
					t.Fatalf("shard %d: rank %v after %s, %v", i, r, next, err)
				}
				next.Add(next, big.NewInt(1))
				if !atMost(s, 5000) {
					break
				}
			}
			if atMost(s, 5000) && !s.Constrained() && next.Cmp(to) != 0 {
				t.Fatalf("shard %d stops at %s before %s", i, next, to)
			}
		}
		if end.Cmp(s.Size()) != 0 || new(big.Int).Sub(most, least).Cmp(big.NewInt(1)) > 0 {
			t.Errorf("the shards end at %s and have %s to %s architectures", end, least, most)
		}
	})
}

// isStep reports whether a decision may go from v to w in one step.
func isStep(d *space.Decision, v, w int64) bool {
	if d.Kind != space.Subset {
		return v != w
	}
	added, removed := bits.OnesCount64(uint64(w&^v)), bits.OnesCount64(uint64(v&^w))
	return added <= 1 && removed <= 1 && added+removed > 0
}

// TestMutation: a mutant lies in the space and differs by one step in one of the
// decisions that both have; nothing but what the step opens is new. It is a
// neighbour, where what is opened can be listed.
func TestMutation(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		g := s.Sample(rng)
		for i := range 150 {
			h := s.Mutate(rng, g)
			if err := s.Check(h); err != nil {
				t.Fatal(err)
			}
			if s.Constrained() { // which may take more than a step at once
				if err := s.Admits(h); err != nil {
					t.Fatal(err)
				}
				g = h
				continue
			}
			changed, opened := 0, 0
			for _, d := range s.Decisions {
				v, w := g[d.ID], h[d.ID]
				switch {
				case v == w:
				case v == space.Inactive:
					opened++
				case w != space.Inactive:
					changed++
					if !isStep(d, v, w) {
						t.Fatalf("%s goes from %s to %s", d.Address, d.LabelOf(v), d.LabelOf(w))
					}
				}
			}
			if changed != 1 {
				t.Fatalf("%s mutates to %s in %d decisions", s.Format(g), s.Format(h), changed)
			}
			if i < 10 && !isNeighbour(s, g, h) && opened == 0 {
				t.Fatalf("%s mutates to %s, which is no neighbour", s.Format(g), s.Format(h))
			}
			g = h
		}
	})
}

func isNeighbour(s *compiler.Space, g, h space.Genotype) bool {
	for n := range s.Neighbors(g) {
		if n.Equal(h) {
			return true
		}
	}
	return false
}

// TestNeighbourhoods: being a neighbour is symmetric, and leads from every
// architecture of a small space to every other. Each neighbour may come of a mutation, so mutation
// reaches everything as well.
func TestNeighbourhoods(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		for range 3 {
			g := s.Sample(rng)
			near := slices.Collect(s.Neighbors(g))
			for range min(12, len(near)) {
				h := near[rng.IntN(len(near))]
				if err := s.Check(h); err != nil {
					t.Fatal(err)
				}
				if h.Equal(g) || !isNeighbour(s, h, g) {
					t.Fatalf("%s is a neighbour of %s but not the other way round", s.Format(h), s.Format(g))
				}
			}
		}
		if !atMost(s, 5000) || s.Constrained() || len(s.Decisions) > 100 { // seconds, not minutes
			return
		}
		reached := make([]bool, s.Size().Int64())
		first, err := s.Unrank(new(big.Int))
		if err != nil {
			t.Fatal(err)
		}
		reached[0] = true
		count := 1
		for queue := []space.Genotype{first}; len(queue) > 0; queue = queue[1:] {
			for h := range s.Neighbors(queue[0]) {
				r, err := s.Rank(h)
				if err != nil {
					t.Fatal(err)
				}
				if i := r.Int64(); !reached[i] {
					reached[i] = true
					count++
					queue = append(queue, h)
				}
			}
		}
		if count != len(reached) {
			t.Errorf("%d of %d architectures can be reached", count, len(reached))
		}
	})
}

// TestMutationReachesTheNeighbourhood draws until all neighbours have come up.
func TestMutationReachesTheNeighbourhood(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas")
	rng := stream.New(5, t.Name(), 0)
	g := s.Sample(rng)
	want := map[string]bool{}
	for h := range s.Neighbors(g) {
		want[s.Format(h)] = true
	}
	if len(want) != 24 {
		t.Fatalf("%d neighbours", len(want))
	}
	got := map[string]bool{}
	for range 1000 {
		got[s.Format(s.Mutate(rng, g))] = true
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("mutation reaches %d architectures around %s", len(got), s.Format(g))
	}
}

// TestCrossoverAndDistance: a child lies in the space and has every decision from
// a parent; distance is a metric.
func TestCrossoverAndDistance(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		for range 60 {
			g, h, k := s.Sample(rng), s.Sample(rng), s.Sample(rng)
			child := s.Crossover(rng, g, h)
			if err := s.Check(child); err != nil {
				t.Fatal(err)
			}
			for d := range s.Active(child) {
				if v := child[d.ID]; v != g[d.ID] && v != h[d.ID] {
					t.Fatalf("%s comes from neither parent", d.Address)
				}
			}
			gh, hk, gk := s.Distance(g, h), s.Distance(h, k), s.Distance(g, k)
			if gh != s.Distance(h, g) || gk > gh+hk || (gh == 0) != g.Equal(h) || s.Distance(g, g) != 0 {
				t.Fatalf("distances %d, %d, %d", gh, hk, gk)
			}
			if same := s.Crossover(rng, g, g); !same.Equal(g) {
				t.Fatalf("%s crossed with itself is %s", s.Format(g), s.Format(same))
			}
		}
	})
}
