package canon_test

import (
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/compiler/canon"
)

// writing builds tables in tests.
type writing struct{ canon.Table }

func label(s string) canon.Colour { return canon.Colour{}.Text(s) }

func (w *writing) op(name string, a canon.Algebra, reads ...int32) int32 {
	return w.Add(canon.Row{Label: label(name), Blank: label("blank"), Algebra: a, Reads: reads})
}

const sum = canon.Commutative | canon.Sparse | canon.Collapses

// TestReduction pairs tables that are the same after the reduction.
func TestReduction(t *testing.T) {
	var s canon.Scratch
	digest := func(build func(w *writing) int32) canon.Digest {
		w := &writing{}
		w.op("input", 0)
		return s.Digest(&w.Table, build(w))
	}
	type builder = func(w *writing) int32
	equal := map[string][2]builder{
		"skip": {
			func(w *writing) int32 { return w.op("f", 0, w.op("skip", canon.Identity, 0)) },
			func(w *writing) int32 { return w.op("f", 0, 0) },
		},
		"sum of one": {
			func(w *writing) int32 { return w.op("sum", sum, w.op("zero", canon.Absent, 0), w.op("f", 0, 0)) },
			func(w *writing) int32 { return w.op("f", 0, 0) },
		},
		"absent all the way": {
			func(w *writing) int32 {
				z := w.op("g", 0, w.op("f", 0, w.op("zero", canon.Absent, 0)))
				return w.op("sum", sum, 0, z, w.op("h", 0, 0), w.op("mean", canon.Commutative, z, z))
			},
			func(w *writing) int32 { return w.op("sum", sum, w.op("h", 0, 0), 0) },
		},
		"dead": {
			func(w *writing) int32 { a := w.op("f", 0, 0); w.op("g", 0, a); return w.op("h", 0, a) },
			func(w *writing) int32 { return w.op("h", 0, w.op("f", 0, 0)) },
		},
		"the blank of what is absent": {
			func(w *writing) int32 { return w.op("concat", 0, 0, w.op("f", 0, w.op("zero", canon.Absent, 0))) },
			func(w *writing) int32 { return w.op("concat", 0, 0, w.op("zero", canon.Absent, 0)) },
		},
		"nothing": {
			func(w *writing) int32 { return w.op("f", 0, w.op("zero", canon.Absent, 0)) },
			func(w *writing) int32 { return w.op("sum", sum, w.op("zero", canon.Absent, 0)) },
		},
	}
	for name, pair := range equal {
		if digest(pair[0]) != digest(pair[1]) {
			t.Errorf("%s: two digests", name)
		}
	}
	zero := func(w *writing) int32 { return w.op("zero", canon.Absent, 0) }
	apart := map[string]builder{
		"input":             func(w *writing) int32 { return 0 },
		"absent":            zero,
		"f":                 func(w *writing) int32 { return w.op("f", 0, 0) },
		"of two":            func(w *writing) int32 { return w.op("concat", 0, 0, zero(w)) },
		"of two, turned":    func(w *writing) int32 { return w.op("concat", 0, zero(w), 0) },
		"of one":            func(w *writing) int32 { return w.op("concat", 0, 0) },
		"sparse":            func(w *writing) int32 { return w.op("concat", canon.Sparse, 0, 0, zero(w)) },
		"sparse, of one":    func(w *writing) int32 { return w.op("merge", canon.Sparse|canon.Commutative, 0, zero(w)) },
		"mean of a blank":   func(w *writing) int32 { return w.op("mean", canon.Commutative, 0, zero(w)) },
		"dense, collapsing": func(w *writing) int32 { return w.op("mean", canon.Commutative|canon.Collapses, zero(w), 0, 0) },
	}
	seen := map[canon.Digest]string{}
	for name, build := range apart {
		d := digest(build)
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[d] = name
	}
}

// cell201 is a NAS-Bench-201 cell, its edges base-5 digits of i.
func cell201(w *writing, i int) int32 {
	names := []string{"zero", "skip", "conv1", "conv3", "pool"}
	algebra := []canon.Algebra{canon.Absent, canon.Identity, 0, 0, 0}
	w.Reset()
	vertices := [4]int32{w.op("input", 0)}
	for v := 1; v < 4; v++ {
		var edges [3]int32
		for u := range v {
			edges[u] = w.op(names[i%5], algebra[i%5], vertices[u])
			i /= 5
		}
		vertices[v] = w.op("sum", sum, edges[:v]...)
	}
	return vertices[3]
}

func TestNoAllocations(t *testing.T) {
	var s canon.Scratch
	w := &writing{}
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range 15625 {
		s.Digest(&w.Table, cell201(w, i))
	}
	var hard canon.Table
	hexagon(true).table(&hard)
	s.Digest(&hard, 7)
	if n := testing.AllocsPerRun(1000, func() {
		s.Digest(&w.Table, cell201(w, rng.IntN(15625)))
		s.Digest(&hard, 7)
	}); n > 0 {
		t.Errorf("%v allocations for a table", n)
	}
}

// TestNASBench201 counts the cells of NAS-Bench-201 up to isomorphism.
func TestNASBench201(t *testing.T) {
	var s canon.Scratch
	w := &writing{}
	seen := map[canon.Digest]bool{}
	for i := range 15625 {
		seen[s.Digest(&w.Table, cell201(w, i))] = true
	}
	if len(seen) != 6334 {
		t.Errorf("%d cells differ, want 6334", len(seen))
	}
}

func BenchmarkCell201(b *testing.B) {
	var s canon.Scratch
	w := &writing{}
	for i := 0; b.Loop(); i++ {
		s.Digest(&w.Table, cell201(w, i*7919%15625))
	}
}

func BenchmarkRandom(b *testing.B) {
	rng := rand.New(rand.NewPCG(9, 10))
	var s canon.Scratch
	tables := make([]canon.Table, 256)
	for i := range tables {
		random(rng, 15, 3, 0).table(&tables[i])
	}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		s.Digest(&tables[i%len(tables)], 14)
	}
}
