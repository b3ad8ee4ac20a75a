package canon_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/canon"
)

// dag is a small labelled graph whose last row is the output.
type dag struct {
	labels []int
	joins  []bool
	reads  [][]int32
}

func (d dag) table(t *canon.Table) *canon.Table {
	t.Reset()
	for i, l := range d.labels {
		r := canon.Row{Label: canon.Colour{}.Number(uint64(l)), Reads: d.reads[i]}
		if d.joins[i] {
			r.Algebra = canon.Commutative
		}
		t.Add(r)
	}
	return t
}

func (d dag) digest(s *canon.Scratch) canon.Digest {
	return s.Digest(d.table(&canon.Table{}), int32(len(d.labels)-1))
}

// shuffled is d with its rows in another topological order, and its sets too.
func (d dag) shuffled(rng *rand.Rand) dag {
	n := len(d.labels)
	var out dag
	place := make([]int32, n)
	for i := range place {
		place[i] = -1
	}
	for len(out.labels) < n {
		i := rng.IntN(n)
		if place[i] >= 0 || slices.ContainsFunc(d.reads[i], func(r int32) bool { return place[r] < 0 }) {
			continue
		}
		reads := make([]int32, len(d.reads[i]))
		for k, r := range d.reads[i] {
			reads[k] = place[r]
		}
		if d.joins[i] {
			rng.Shuffle(len(reads), func(a, b int) { reads[a], reads[b] = reads[b], reads[a] })
		}
		place[i] = int32(len(out.labels))
		out.labels, out.joins, out.reads = append(out.labels, d.labels[i]), append(out.joins, d.joins[i]), append(out.reads, reads)
	}
	return out
}

// leastForm is the canonical form by brute force: the least text over all orders of
// the rows. Rows that do not lead to the output are to be gone before.
func (d dag) leastForm() string {
	n := len(d.labels)
	least := ""
	place := make([]int, n)
	order := make([]int, 0, n)
	used := make([]bool, n)
	var visit func()
	visit = func() {
		if len(order) == n {
			text := ""
			for _, i := range order {
				reads := make([]int, len(d.reads[i]))
				for k, r := range d.reads[i] {
					reads[k] = place[r]
				}
				if d.joins[i] {
					slices.Sort(reads)
				}
				text += fmt.Sprint(d.labels[i], d.joins[i], reads, ";")
			}
			if least == "" || text < least {
				least = text
			}
			return
		}
		for i := range n {
			if used[i] || slices.ContainsFunc(d.reads[i], func(r int32) bool { return !used[r] }) {
				continue
			}
			used[i], place[i] = true, len(order)
			order = append(order, i)
			visit()
			order, used[i] = order[:len(order)-1], false
		}
	}
	visit()
	return least
}

// random is a graph of n rows in which all lead to the last.
func random(rng *rand.Rand, n, labels int, ordered float64) dag {
	var d dag
	for i := range n {
		var reads []int32
		for r := range i {
			for rng.IntN(3) == 0 {
				reads = append(reads, int32(r))
			}
		}
		rng.Shuffle(len(reads), func(a, b int) { reads[a], reads[b] = reads[b], reads[a] })
		d.labels = append(d.labels, rng.IntN(labels))
		d.joins = append(d.joins, rng.Float64() >= ordered)
		d.reads = append(d.reads, reads)
	}
	read := make([]bool, n)
	for _, reads := range d.reads {
		for _, r := range reads {
			read[r] = true
		}
	}
	for i := range n - 1 {
		if !read[i] {
			d.reads[n-1] = append(d.reads[n-1], int32(i))
		}
	}
	return d
}

// TestDigestsAreExact compares digests with the canonical forms by brute force
// of many small graphs, among which many are isomorphic.
func TestDigestsAreExact(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 4
	}
	var s canon.Scratch
	forms := map[string]canon.Digest{}
	digests := map[canon.Digest]string{}
	graphs := 0
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 101))
		for range 1500 {
			d := random(rng, 2+rng.IntN(6), 1+rng.IntN(2), []float64{0, 0, 0.3, 1}[rng.IntN(4)])
			graphs++
			form, digest := d.leastForm(), d.digest(&s)
			if known, ok := forms[form]; ok && known != digest {
				t.Fatalf("isomorphic graphs have two digests: %s", form)
			}
			if known, ok := digests[digest]; ok && known != form {
				t.Fatalf("one digest for %s and %s", form, known)
			}
			forms[form], digests[digest] = digest, form
			if again := d.shuffled(rng).digest(&s); again != digest {
				t.Fatalf("the order of rows counts: %s", form)
			}
		}
	}
	if len(forms) > graphs*3/4 {
		t.Errorf("%d graphs of %d differ: too few pairs are isomorphic", len(forms), graphs)
	}
}

// layers makes a graph of an entry, layers of equal rows, and an output that
// reads the last: edges lists for each row of a layer what it reads of the one
// before.
func layers(ordered bool, edges ...[][]int32) dag {
	d := dag{labels: []int{0}, joins: []bool{false}, reads: [][]int32{nil}}
	before := int32(0)
	for l, rows := range edges {
		base := int32(len(d.labels))
		for _, reads := range rows {
			row := make([]int32, len(reads))
			for k, r := range reads {
				row[k] = before + r
			}
			d.labels, d.joins, d.reads = append(d.labels, l+1), append(d.joins, !ordered), append(d.reads, row)
		}
		before = base
	}
	var all []int32
	for i := before; int(i) < len(d.labels); i++ {
		all = append(all, i)
	}
	d.labels, d.joins, d.reads = append(d.labels, 99), append(d.joins, true), append(d.reads, all)
	return d
}

// hexagon joins three classes of two in a ring of six rows or in two rings of
// three.
func hexagon(twisted bool) dag {
	// Classes a, b, c of two: a-b and b-c straight, a-c straight or twisted.
	d := dag{
		labels: []int{0, 1, 1, 2, 2, 3, 3, 4},
		joins:  []bool{false, true, true, true, true, true, true, true},
		reads:  [][]int32{nil, {0}, {0}, {1}, {2}, {3, 1}, {4, 2}, {5, 6}},
	}
	if twisted {
		d.reads[5], d.reads[6] = []int32{3, 2}, []int32{4, 1}
	}
	return d
}

// TestStep compares the short way for a row that reads the entrance once.
func TestStep(t *testing.T) {
	var s canon.Scratch
	for _, joins := range []bool{false, true} {
		var f canon.Flat
		f.Reset()
		f.Read(f.AddEntrance())
		f.Add(canon.Colour{1, 2}, joins)
		if chain := s.Series(&f, true, nil); len(chain) != 1 || chain[0] != canon.Step(canon.Colour{1, 2}, joins) {
			t.Errorf("joins %v: %v", joins, chain)
		}
	}
}

func TestRefinementIsNotEnough(t *testing.T) {
	var s canon.Scratch
	apart := func(name string, a, b dag) {
		t.Helper()
		if a.digest(&s) == b.digest(&s) {
			t.Errorf("%s: one digest", name)
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for _, d := range []dag{a, b} {
			for range 50 {
				if d.shuffled(rng).digest(&s) != d.digest(&s) {
					t.Fatalf("%s: the order of rows counts", name)
				}
			}
		}
	}
	apart("a hexagon and two triangles", hexagon(true), hexagon(false))

	// A ring of eight and two rings of four, between four rows and four.
	ring8 := [][]int32{{0, 1}, {1, 2}, {2, 3}, {3, 0}}
	rings4 := [][]int32{{0, 1}, {1, 0}, {2, 3}, {3, 2}}
	top := [][]int32{{0}, {0}, {0}, {0}}
	for _, ordered := range []bool{false, true} {
		apart("rings", layers(ordered, top, ring8), layers(ordered, top, rings4))
	}

	// The complements of a ring of 16 and of two rings of 8.
	missing := func(rings ...int) [][]int32 {
		var rows [][]int32
		n := 0
		for _, m := range rings {
			n += m
		}
		base := 0
		for _, m := range rings {
			for i := range m {
				var row []int32
				for r := range n {
					if r != base+i && r != base+(i+1)%m {
						row = append(row, int32(r))
					}
				}
				rows = append(rows, row)
			}
			base += m
		}
		return rows
	}
	top8 := [][]int32{{0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}}
	apart("complements of rings", layers(false, top8, missing(8)), layers(false, top8, missing(4, 4)))

	// Which places of ordered rows are read together.
	places := func(rows ...[]int32) dag { return layers(true, [][]int32{{0}, {0}}, rows) }
	apart("places",
		places([]int32{0, 0, 1, 1}, []int32{1, 1, 0, 0}, []int32{0, 1, 0, 1}, []int32{1, 0, 1, 0}),
		places([]int32{0, 0, 1, 1}, []int32{1, 1, 0, 0}, []int32{0, 1, 1, 0}, []int32{1, 0, 0, 1}))
}

// TestRegularGraphs draws graphs in which every row of one layer is read three
// times and every row of the next reads three: refinement tells nothing. They are
// compared with their forms by brute force.
func TestRegularGraphs(t *testing.T) {
	const n = 6
	top := make([][]int32, n)
	for i := range top {
		top[i] = []int32{0}
	}
	var s canon.Scratch
	rng := rand.New(rand.NewPCG(11, 12))
	forms := map[string]canon.Digest{}
	digests := map[canon.Digest]string{}
	for range 400 {
		rows := make([][]int32, n)
		for range 3 { // three permutations, perhaps with parallel edges
			for i, r := range rng.Perm(n) {
				rows[i] = append(rows[i], int32(r))
			}
		}
		form, digest := leastMatrix(rows), layers(false, top, rows).digest(&s)
		if known, ok := forms[form]; ok && known != digest {
			t.Fatalf("isomorphic graphs have two digests: %s", form)
		}
		if known, ok := digests[digest]; ok && known != form {
			t.Fatalf("one digest for %s and %s", form, known)
		}
		forms[form], digests[digest] = digest, form
	}
	if len(forms) < 10 {
		t.Errorf("only %d graphs differ", len(forms))
	}
}

// leastMatrix is the least sorted list of rows over all orders of what they read.
func leastMatrix(rows [][]int32) string {
	n := len(rows)
	least := ""
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	var visit func(k int)
	visit = func(k int) {
		if k < n {
			for i := k; i < n; i++ {
				order[k], order[i] = order[i], order[k]
				visit(k + 1)
				order[k], order[i] = order[i], order[k]
			}
			return
		}
		texts := make([]string, n)
		for i, row := range rows {
			var text [6]byte
			for j := range text {
				text[j] = '0'
			}
			for _, r := range row {
				text[order[r]]++
			}
			texts[i] = string(text[:])
		}
		slices.Sort(texts)
		if text := strings.Join(texts, " "); least == "" || text < least {
			least = text
		}
	}
	visit(0)
	return least
}

// TestManyAlike has hundreds of rows that refinement cannot tell apart.
func TestManyAlike(t *testing.T) {
	const n = 300
	top := make([][]int32, n)
	matched, all, butOne, pairs := make([][]int32, n), make([][]int32, n), make([][]int32, n), make([][]int32, n)
	for i := range n {
		top[i] = []int32{0}
		matched[i] = []int32{int32(i)}
		pairs[i] = []int32{int32(i), int32(i ^ 1)}
		for r := range n {
			all[i] = append(all[i], int32(r))
			if r != i {
				butOne[i] = append(butOne[i], int32(r))
			}
		}
	}
	var s canon.Scratch
	rng := rand.New(rand.NewPCG(5, 6))
	seen := map[canon.Digest]string{}
	for name, d := range map[string]dag{
		"twins":                  layers(false, top),
		"matched":                layers(false, top, matched),
		"complete":               layers(false, top, all),
		"all but a matching":     layers(false, top, butOne),
		"pairs":                  layers(false, top, pairs),
		"matched and all but":    layers(false, top, matched, butOne),
		"all but, all but":       layers(false, top, butOne, butOne),
		"pairs of all but, once": layers(false, top, butOne, pairs),
	} {
		digest := d.digest(&s)
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[digest] = name
		if d.shuffled(rng).digest(&s) != digest {
			t.Errorf("%s: the order of rows counts", name)
		}
	}
}
