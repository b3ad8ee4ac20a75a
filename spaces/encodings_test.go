package spaces_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/encode"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// lengths are the columns of the encodings: one-hot, adjacency and paths, 0 where
// the paths are too many.
var lengths = map[string][3]int{
	// 21 connections of seven vertices, three operations for each of five; paths of
	// up to five operations, 3^0 + … + 3^5.
	"nasbench101/nasbench101.nas": {36, 36, 364},
	// Four operations besides none on six edges; paths of up to three of the three
	// besides skip, 3^0 + … + 3^3.
	"nasbench201/nasbench201.nas": {30, 24, 40},
	// Seven operations on 2 + 3 + 4 + 5 edges of two cells. Paths from either input,
	// of six operations in the normal cell, 2 (6^0 + … + 6^4); in the reduction cell
	// there is a seventh, the skip of stride 2, on the first edge: 2 * 7 (6^0 + … + 6^3).
	"darts/darts.nas": {220, 196, 6736},
	// Six motifs of six edges and five operations without none and skip, 5^0 + … + 5^3,
	// and a cell of up to four of the six motifs, 6 + … + 6^4.
	"hierarchical/hierarchical.nas": {322, 276, 6*156 + 1554},
	// Paths of convolutions, 2^0 + … + 2^3; at stride 2 the first edge has three
	// operations, 3 (2^0 + 2^1 + 2^2).
	"transnasbench101/micro.nas":  {24, 18, 15 + 21},
	"nasbenchasr/nasbenchasr.nas": {30, 21, 156},
	"fbnet/fbnet.nas":             {198, 198, 0},
	"spos/spos.nas":               {80, 80, 0},
}

func encoding(t *testing.T, s *compiler.Space, kind encode.Kind) encode.Encoding {
	t.Helper()
	e, err := s.Encoding(kind)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// vector is an encoded architecture as text.
func vector(t *testing.T, e encode.Encoding, g space.Genotype) string {
	t.Helper()
	v, err := e.Encode(g)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(v))
	for i, x := range v {
		if x != 0 && x != 1 {
			t.Fatalf("column %d is %v", i, x)
		}
		b[i] = '0' + byte(x)
	}
	if len(b) != len(e.Columns()) {
		t.Fatalf("%d numbers for %d columns", len(b), len(e.Columns()))
	}
	return string(b)
}

// TestEncodings encodes a sample of every space and the neighbours of it, so that
// many differ by little. No two genotypes have one one-hot or ordinal vector, no
// two graphs one adjacency vector; columns have names of their own.
func TestEncodings(t *testing.T) {
	forEvery(t, func(t *testing.T, s *compiler.Space, rng *rand.Rand) {
		var all []space.Genotype
		for range 4 {
			g := s.Sample(rng)
			all = append(all, g)
			for h := range s.Neighbors(g) {
				if all = append(all, h); len(all)%20 == 0 {
					break
				}
			}
		}
		hashes := make([]graph.Digest, len(all))
		for i, g := range all {
			bound, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			hashes[i] = bound.Hash()
		}
		for k, kind := range encode.Kinds {
			e, err := s.Encoding(kind)
			want, known := lengths[strings.TrimPrefix(t.Name(), "TestEncodings/")]
			if kind == encode.PathKind && errors.Is(err, encode.ErrTooManyPaths) && want[2] == 0 {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if k > 0 {
				k--
			}
			if got := len(e.Columns()); known && got != want[k] {
				t.Errorf("%s has %d columns, want %d", kind, got, want[k])
			}
			if sorted := slices.Sorted(slices.Values(e.Columns())); len(slices.Compact(sorted)) != len(e.Columns()) {
				t.Errorf("columns of %s have the same name", kind)
			}
			met := map[string]int{}
			for i, g := range all {
				v := vector(t, e, g)
				first, ok := met[v]
				met[v] = i
				switch {
				case !ok:
				case kind == encode.AdjacencyKind && hashes[i] != hashes[first],
					(kind == encode.OneHotKind || kind == encode.OrdinalKind) && !g.Equal(all[first]):
					t.Fatalf("%s is the same for %s and %s", kind, s.Format(g), s.Format(all[first]))
				}
			}
		}
	})
}

// TestNASBench201Encodings encodes the whole space. Adjacency tells all classes of
// equal graphs apart; paths are the same within each, and those of the six edges,
// written down here, whichever way they are found.
func TestNASBench201Encodings(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas", compiler.Argument{Name: "n", Value: int64(1)})
	adjacency, paths := encoding(t, s, encode.AdjacencyKind), encoding(t, s, encode.PathKind)
	graphOf := map[string]graph.Digest{} // by adjacency
	pathOf := map[graph.Digest]string{}
	pathClasses := map[string]bool{}
	for g := range s.All() {
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		hash := bound.Hash()
		a, p := vector(t, adjacency, g), vector(t, paths, g)
		if before, known := graphOf[a]; known && before != hash {
			t.Fatalf("%s has the adjacency of another graph", s.Format(g))
		}
		if before, known := pathOf[hash]; known && before != p {
			t.Fatalf("%s has other paths than an equal graph", s.Format(g))
		}
		graphOf[a], pathOf[hash] = hash, p
		pathClasses[p] = true
		if want := paths201(g); p != want {
			t.Fatalf("%s has the paths %s, want %s", s.Format(g), p, want)
		}
	}
	t.Logf("%d graphs, %d adjacency vectors, %d path vectors", len(pathOf), len(graphOf), len(pathClasses))
	if len(pathClasses) != pathVectors201 {
		t.Errorf("%d path vectors, want %d", len(pathClasses), pathVectors201)
	}
}

// pathVectors201 is how many path encodings the cells of NAS-Bench-201 have.
const pathVectors201 = 3100

// paths201 are the paths of a NAS-Bench-201 cell from its six edges, which the
// genotype has in the order (0,1) (0,2) (1,2) (0,3) (1,3) (2,3).
func paths201(g space.Genotype) string {
	v := []byte(strings.Repeat("0", 40))
	for _, edges := range [][]int{{3}, {0, 4}, {1, 5}, {0, 2, 5}} {
		code, length := 0, 0
		for _, e := range edges {
			switch op := int(g[e]); op {
			case 0: // no edge, no path
				length = -9
			case 1: // skip
			default:
				code, length = 3*code+op-2, length+1
			}
		}
		if length >= 0 {
			v[[]int{0, 1, 4, 13}[length]+code] = '1'
		}
	}
	return string(v)
}

// TestNASBench201Paths has worked examples. The second is one that an encoding in
// use gets wrong: it has the edges in the order (0,1) (0,2) (0,3) (1,2) (1,3) (2,3)
// but looks up paths as if they were in the order above, where (0,3) is the fourth.
func TestNASBench201Paths(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas")
	e := encoding(t, s, encode.PathKind)
	const zero, skip, conv1, conv3, pool = 0, 1, 2, 3, 4
	for _, c := range []struct {
		e01, e02, e12, e03, e13, e23 int64
		want                         []string
	}{
		{conv1, zero, conv3, zero, zero, pool, []string{"x -> relu_conv_bn(kernel: 1) -> relu_conv_bn -> avg_pool"}},
		{zero, zero, conv3, pool, zero, zero, []string{"x -> avg_pool"}},
		{zero, zero, pool, zero, conv1, conv3, nil},
		{skip, skip, zero, skip, skip, skip, []string{"x"}},
		{conv3, skip, skip, pool, conv3, conv1, []string{"x -> relu_conv_bn(kernel: 1)", "x -> avg_pool",
			"x -> relu_conv_bn -> relu_conv_bn(kernel: 1)", "x -> relu_conv_bn -> relu_conv_bn"}},
	} {
		g := space.Genotype{c.e01, c.e02, c.e12, c.e03, c.e13, c.e23}
		var got []string
		for i, bit := range vector(t, e, g) {
			if bit == '1' {
				got = append(got, strings.TrimPrefix(e.Columns()[i], "normal: "))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", s.Format(g), got, c.want)
		}
	}
	if got := e.Columns()[1+3+9+5]; got != "normal: x -> relu_conv_bn(kernel: 1) -> relu_conv_bn -> avg_pool" {
		t.Errorf("operations 0, 1, 2 are number 18, there is %s", got)
	}
}

// TestNASBench101Encodings: a vertex that nothing reads does not count, and the
// paths of a module do not tell whether they share a vertex.
func TestNASBench101Encodings(t *testing.T) {
	_, s := load(t, "nasbench101/nasbench101.nas")
	adjacency, paths := encoding(t, s, encode.AdjacencyKind), encoding(t, s, encode.PathKind)
	module := func(reads [6]string, ops string) space.Genotype {
		t.Helper()
		labels := map[string]string{}
		for _, d := range s.Decisions {
			var v int
			switch {
			case d.Kind == space.Subset && strings.Contains(d.Address, "v["):
				scan(t, d.Address, "module.v[%d].prev", &v)
				labels[d.Address] = "{" + reads[v] + "}"
			case d.Kind == space.Subset:
				labels[d.Address] = "{" + reads[5] + "}"
			default:
				scan(t, d.Address, "module.v[%d].vertex", &v)
				labels[d.Address] = d.Alts[ops[v]-'0'].Label
			}
		}
		g, err := s.FromLabels(labels)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	hash := func(g space.Genotype) graph.Digest {
		bound, err := s.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		return bound.Hash()
	}
	dead := module([6]string{"x", "x", "", "", "", "v[0]"}, "01000")
	other := module([6]string{"x", "v[0]", "x", "", "v[1]", "v[0]"}, "02111")
	if vector(t, adjacency, dead) != vector(t, adjacency, other) || hash(dead) != hash(other) {
		t.Error("dead vertices count")
	}
	// conv -> pool and conv -> conv: through one first convolution, or two.
	shared := module([6]string{"x", "v[0]", "v[0]", "", "", "v[1], v[2]"}, "02000")
	apart := module([6]string{"x", "v[0]", "x", "v[2]", "", "v[1], v[3]"}, "02000")
	if hash(shared) == hash(apart) || vector(t, adjacency, shared) == vector(t, adjacency, apart) {
		t.Error("two graphs are taken for one")
	}
	if vector(t, paths, shared) != vector(t, paths, apart) {
		t.Error("the paths are not the same")
	}
	// The same graph with its vertices in another order.
	turned := module([6]string{"x", "v[0]", "v[0]", "", "", "v[1], v[2]"}, "00200")
	if hash(turned) != hash(shared) || vector(t, paths, turned) != vector(t, paths, shared) {
		t.Error("the order of vertices counts")
	}
}

func scan(t *testing.T, text, format string, v *int) {
	t.Helper()
	if _, err := fmt.Sscanf(text, format, v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
