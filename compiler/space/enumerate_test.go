package space

import (
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestShards cuts spaces into parts: one after the other they are the whole, and
// their lengths differ by one at most.
func TestShards(t *testing.T) {
	forEachSmallSpace(t, 120, 300, func(t *testing.T, s *Space, all []Genotype) {
		for _, n := range []int64{1, 2, 3, 7, int64(len(all)), int64(len(all)) + 5} {
			var union []Genotype
			least, most := len(all), 0
			for i := range n {
				from, to := Shard(s.Size(), i, n)
				part := slices.Collect(s.Between(from, to))
				union = append(union, part...)
				least, most = min(least, len(part)), max(most, len(part))
			}
			if !slices.EqualFunc(union, all, Genotype.Equal) {
				t.Fatalf("%d shards are not the space", n)
			}
			if most-least > 1 {
				t.Fatalf("%d shards have %d to %d architectures", n, least, most)
			}
		}
	})
}

// TestShardsOfAHugeSpace looks at the seams only.
func TestShardsOfAHugeSpace(t *testing.T) {
	s := mustNew(t, "ofa", stagesOFA())
	const n = 1000
	end := new(big.Int)
	least, _ := Shard(s.Size(), 1, 1)
	most := new(big.Int)
	for i := range int64(n) {
		from, to := Shard(s.Size(), i, n)
		if from.Cmp(end) != 0 {
			t.Fatalf("shard %d begins at %s, not at %s", i, from, end)
		}
		end = to
		length := new(big.Int).Sub(to, from)
		if length.Cmp(least) < 0 {
			least = length
		}
		if length.Cmp(most) > 0 {
			most = length
		}
		for g := range s.Between(from, to) {
			if r, err := s.Rank(g); err != nil || r.Cmp(from) != 0 {
				t.Fatalf("shard %d begins with %v, %v", i, r, err)
			}
			break
		}
	}
	if end.Cmp(s.Size()) != 0 || most.Sub(most, least).Cmp(big.NewInt(1)) > 0 {
		t.Errorf("the shards end at %s of %s and differ by %s", end, s.Size(), most)
	}
}

func TestCollection(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	forEachSmallSpace(t, 200, 1000, func(t *testing.T, s *Space, all []Genotype) {
		var in, given []Genotype
		for _, g := range all {
			if rng.IntN(3) > 0 {
				in = append(in, g)
				given = append(given, g)
			}
		}
		given = append(given, in...)
		rng.Shuffle(len(given), func(i, k int) { given[i], given[k] = given[k], given[i] })
		c, err := s.Collect(slices.Values(given))
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(c.All()); c.Len() != len(in) || !slices.EqualFunc(got, in, Genotype.Equal) {
			t.Fatalf("%d architectures make a collection of %d", len(in), c.Len())
		}
		next := 0
		for _, g := range all {
			i, ok := c.Find(g)
			if ok != (next < len(in) && g.Equal(in[next])) || i != next {
				t.Fatalf("%s is found at %d: %v", s.Format(g), i, ok)
			}
			if ok {
				next++
			}
		}
	})
	s := mustNew(t, "nasbench201", cell201())
	if _, err := s.Collect(slices.Values([]Genotype{{0, 0, 0, 0, 0, 5}})); err == nil {
		t.Error("a genotype of another space is collected")
	}
}

// TestCollectionOfNASBench101 holds as many architectures as the benchmark has
// graphs: 1.7 MB, and never more than 32 MB on the way.
func TestCollectionOfNASBench101(t *testing.T) {
	root := &Group{}
	for v := 1; v <= 6; v++ {
		name := string(rune('0' + v))
		reads := &Decision{Address: name + ".prev", Kind: Subset, Max: v}
		for p := range v {
			reads.Alts = append(reads.Alts, &Alt{Label: string(rune('0' + p))})
		}
		root.Decisions = append(root.Decisions, reads)
		if v < 6 {
			root.Decisions = append(root.Decisions, leaf(name+".vertex", 3))
		}
	}
	s := mustNew(t, "nasbench101", root)
	if got := s.Size().String(); got != "509607936" {
		t.Fatalf("%s architectures", got)
	}
	const want = 423_624
	rng := rand.New(rand.NewPCG(1, 101))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := s.Sample(rng)
	c, err := s.Collect(func(yield func(Genotype) bool) {
		for range want {
			s.SampleInto(g, rng)
			if !yield(g) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if c.Bytes() > 4*want+4096 || after.HeapAlloc > before.HeapAlloc+32<<20 {
		t.Errorf("%d architectures take %d bytes, the heap grew from %d to %d", c.Len(), c.Bytes(), before.HeapAlloc, after.HeapAlloc)
	}
	for i := 0; i < c.Len(); i += 1000 {
		if k, ok := c.Find(c.At(i)); !ok || k != i {
			t.Fatalf("number %d is found at %d: %v", i, k, ok)
		}
	}
	t.Logf("%d architectures in %d bytes", c.Len(), c.Bytes())
}
