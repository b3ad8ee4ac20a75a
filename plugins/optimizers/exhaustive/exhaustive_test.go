package exhaustive

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// tree has a decision of four alternatives, the last of which opens another of
// three: 2 * (3 + 3) = 12 architectures.
func tree(t *testing.T) *space.Space {
	t.Helper()
	alts := func(n int) (out []*space.Alt) {
		for i := range n {
			out = append(out, &space.Alt{Label: fmt.Sprint(i)})
		}
		return out
	}
	a := &space.Decision{Address: "a", Kind: space.OneOf, Alts: alts(2)}
	b := &space.Decision{Address: "b", Kind: space.OneOf, Alts: alts(4)}
	b.Alts[3].Sub = &space.Group{Decisions: []*space.Decision{{Address: "c", Kind: space.OneOf, Alts: alts(3)}}}
	s, err := space.New("tree", &space.Group{Decisions: []*space.Decision{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run asks in batches until the end.
func run(t *testing.T, s *space.Space, p params, batch int) []space.Genotype {
	t.Helper()
	o, err := start(sdk.Search{Space: s}, p)
	if err != nil {
		t.Fatal(err)
	}
	var all []space.Genotype
	for {
		got, err := o.Ask(batch)
		if errors.Is(err, sdk.ErrDone) {
			break
		}
		if err != nil || len(got) == 0 || len(got) > batch {
			t.Fatalf("%d architectures of at most %d, %v", len(got), batch, err)
		}
		all = append(all, got...)
	}
	if _, err := o.Ask(1); !errors.Is(err, sdk.ErrDone) {
		t.Errorf("asked again after the end: %v", err)
	}
	return all
}

func TestEveryArchitectureOnce(t *testing.T) {
	s := tree(t)
	for _, batch := range []int{1, 5, 12, 1000} {
		all := run(t, s, params{1, 1}, batch)
		if len(all) != 12 {
			t.Fatalf("by %d: %d of 12", batch, len(all))
		}
		for i, g := range all {
			if r, err := s.Rank(g); err != nil || r.Cmp(big.NewInt(int64(i))) != 0 {
				t.Errorf("by %d: number %v comes at place %d: %v", batch, r, i, err)
			}
		}
	}
}

// The shards follow one another and are the space, however many they are.
func TestShards(t *testing.T) {
	s := tree(t)
	for _, of := range []int64{1, 2, 5, 12, 17} {
		n := int64(0)
		for shard := range of {
			for _, g := range run(t, s, params{shard + 1, of}, 4) {
				if r, _ := s.Rank(g); r.Int64() != n {
					t.Errorf("shard %d of %d has number %v where %d comes next", shard+1, of, r, n)
				}
				n++
			}
		}
		if n != 12 {
			t.Errorf("%d shards have %d of 12", of, n)
		}
	}
	if _, err := start(sdk.Search{Space: s}, params{3, 2}); err == nil {
		t.Error("there is a third part of two")
	}
}

// A constraint that the space knows of is kept, also where whole batches are outside.
func TestConstraint(t *testing.T) {
	s := tree(t)
	s.Constrain(func(g space.Genotype) bool { return g[0] == 1 && g[1] == 3 && g[2] == 2 })
	if all := run(t, s, params{1, 1}, 2); len(all) != 1 {
		t.Errorf("%v, of which one is inside", all)
	}
}

// The place in a space of more architectures than fit in a word is exact.
func TestLargeSpace(t *testing.T) {
	root := &space.Group{}
	for i := range 50 {
		d := &space.Decision{Address: fmt.Sprint("d", i), Kind: space.OneOf}
		for a := range 7 {
			d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint(a)})
		}
		root.Decisions = append(root.Decisions, d)
	}
	s, err := space.New("large", root)
	if err != nil {
		t.Fatal(err)
	}
	o, err := start(sdk.Search{Space: s}, params{Shard: 1 << 40, Parts: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	from, _ := space.Shard(s.Size(), 1<<40-1, 1<<40)
	for range 3 {
		got, err := o.Ask(1000)
		if err != nil || len(got) != 1000 {
			t.Fatalf("%d, %v", len(got), err)
		}
		for _, g := range got {
			if r, err := s.Rank(g); err != nil || r.Cmp(from) != 0 {
				t.Fatalf("number %v where %v comes next: %v", r, from, err)
			}
			from.Add(from, big.NewInt(1))
		}
	}
}

func BenchmarkAsk1000(b *testing.B) {
	root := &space.Group{}
	for i := range 6 {
		d := &space.Decision{Address: fmt.Sprint("d", i), Kind: space.OneOf}
		for a := range 100 {
			d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint(a)})
		}
		root.Decisions = append(root.Decisions, d)
	}
	s, err := space.New("bench", root)
	if err != nil {
		b.Fatal(err)
	}
	o, err := start(sdk.Search{Space: s}, params{1, 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Ask(1000); err != nil {
			b.Fatal(err)
		}
	}
}
