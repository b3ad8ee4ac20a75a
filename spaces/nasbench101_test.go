package spaces_test

import (
	"strconv"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/spaces/nasbench101"
)

// genotype101 is a row of the table as an architecture of the space: the vertices
// that the graph lacks read nothing.
func genotype101(s *compiler.Space, vertices int, edges, ops string) space.Genotype {
	m := module101(edges, ops)
	last := len(ops) + 1
	g := make(space.Genotype, len(s.Decisions))
	for v := 1; v < vertices-1; v++ {
		op := nasbench101.MaxPool3x3 // of a vertex that the graph lacks
		if v < last {
			g[2*v-2], op = int64(m.Reads[v]), m.Ops[v-1]
		}
		g[2*v-1] = map[nasbench101.Op]int64{nasbench101.Conv1x1: 0, nasbench101.Conv3x3: 1, nasbench101.MaxPool3x3: 2}[op]
	}
	g[len(g)-1] = int64(m.Reads[last])
	return g
}

// TestNASBench101Table builds the architectures of the published table, in the table's
// own order of vertices: params are the table's. They depend on the order, since the
// first vertices take the channels that are left over. The graphs are recognised. All graphs of up to six
// vertices are compared and a hundredth of those of seven.
func TestNASBench101Table(t *testing.T) {
	col, rows := table(t, "nasbench101.csv.gz")
	_, s := load(t, "nasbench101/nasbench101.nas")
	small, large := 1, 100
	if testing.Short() {
		small, large = 40, 1000
	}
	for i, r := range rows {
		step := small
		if r[col["vertices"]] == "7" {
			step = large
		}
		if i%step != 0 {
			continue
		}
		a, err := s.Bind(genotype101(s, 7, r[col["edges"]], r[col["ops"]]))
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.FormatInt(a.Params(), 10); got != r[col["params"]] {
			t.Errorf("%s: %s params, the table says %s", r[col["hash"]], got, r[col["params"]])
		}
		if i%8 > 0 {
			continue
		}
		m, width, err := nasbench101.Recognise(a)
		if err != nil || width != nasbench101.Width {
			t.Fatalf("%s: stem of %d channels, %v", r[col["hash"]], width, err)
		}
		if got, _ := m.Hash(); got != r[col["hash"]] {
			t.Fatalf("%s of the table has the hash %s", r[col["hash"]], got)
		}
	}
}

// TestNASBench101Order: modules that differ in the order of their vertices alone are
// isomorphic, though the first vertices take the channels that are left over.
func TestNASBench101Order(t *testing.T) {
	_, s := load(t, "nasbench101/nasbench101.nas")
	var params []int64
	var hashes []graph.Digest
	for _, ops := range []string{"abc", "bca", "acb"} {
		a, err := s.Bind(genotype101(s, 7, "1110"+"001"+"01"+"1", ops))
		if err != nil {
			t.Fatal(err)
		}
		params, hashes = append(params, a.Params()), append(hashes, a.Hash())
	}
	if hashes[0] != hashes[1] || hashes[0] != hashes[2] {
		t.Errorf("hashes %v", hashes)
	}
	if params[0] == params[1] || params[0] == params[2] {
		t.Errorf("params %v, although another vertex has 42 channels and the others 43", params)
	}
}

// TestNASBench101Hashes hashes all 423,624 modules of the table.
func TestNASBench101Hashes(t *testing.T) {
	col, rows := table(t, "nasbench101.csv.gz")
	step := 1
	if testing.Short() {
		step = 100
	}
	for i := 0; i < len(rows); i += step {
		r := rows[i]
		if got, _ := module101(r[col["edges"]], r[col["ops"]]).Hash(); got != r[col["hash"]] {
			t.Fatalf("%s of the table has the hash %s", r[col["hash"]], got)
		}
	}
}

// TestNASBench101Unique: the hashes of the modules that nasc finds to differ, of at most
// nine edges and with a path from input to output, are those of the table.
func TestNASBench101Unique(t *testing.T) {
	col, rows := table(t, "nasbench101.csv.gz")
	vertices := 7
	if testing.Short() {
		vertices = 5
	}
	table := map[string]bool{}
	for _, r := range rows {
		if n, err := strconv.Atoi(r[col["vertices"]]); err != nil || n <= vertices {
			table[r[col["hash"]]] = true
		}
	}
	_, s := load(t, "nasbench101/nasbench101.nas", compiler.Argument{Name: "vertices", Value: int64(vertices)})
	classes, err := s.Unique(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for g := range classes.All {
		m, ok := moduleOf(g).Prune()
		if !ok || m.Edges() > nasbench101.MaxEdges {
			t.Fatalf("%s is not of the benchmark", s.Format(g))
		}
		hash, _ := m.Hash()
		if !table[hash] {
			t.Fatalf("%s: its hash %s is not in the table, or another class has it", s.Format(g), hash)
		}
		delete(table, hash)
		found++
	}
	if len(table) > 0 {
		t.Errorf("%d classes, and %d hashes of the table are left over", found, len(table))
	}
	t.Logf("%d classes", found)
}

// moduleOf is an architecture of the space as a module.
func moduleOf(g space.Genotype) nasbench101.Module {
	m := nasbench101.Module{Reads: []uint32{0}}
	for v := 0; v+1 < len(g); v += 2 {
		m.Reads = append(m.Reads, uint32(g[v]))
		m.Ops = append(m.Ops, []nasbench101.Op{nasbench101.Conv1x1, nasbench101.Conv3x3, nasbench101.MaxPool3x3}[g[v+1]])
	}
	m.Reads = append(m.Reads, uint32(g[len(g)-1]))
	return m
}

// module101 reads a row of the table: the upper triangle of the matrix row by row,
// and a letter for each operation.
func module101(edges, ops string) nasbench101.Module {
	m := nasbench101.Module{Reads: make([]uint32, len(ops)+2)}
	for u := range m.Reads {
		for v := u + 1; v < len(m.Reads); v++ {
			if edges[0] == '1' {
				m.Reads[v] |= 1 << u
			}
			edges = edges[1:]
		}
	}
	for _, o := range ops {
		m.Ops = append(m.Ops, nasbench101.Op(o-'a'))
	}
	return m
}
