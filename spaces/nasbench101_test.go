package spaces_test

import (
	"strconv"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
)

// genotype101 is a row of the table as an architecture of the space: the vertices
// that the graph lacks read nothing.
func genotype101(t testing.TB, s *compiler.Space, vertices int, edges, ops string) space.Genotype {
	t.Helper()
	n := len(ops) + 2
	g := make(space.Genotype, len(s.Decisions))
	reads := make([]int64, vertices)
	for from := range n {
		for to := from + 1; to < n; to++ {
			place := to
			if to == n-1 {
				place = vertices - 1
			}
			if edges[0] == '1' {
				reads[place] |= 1 << from
			}
			edges = edges[1:]
		}
	}
	for v := 1; v < vertices-1; v++ {
		g[2*v-2] = reads[v]
		op := int64(2)
		if v <= len(ops) {
			op = map[byte]int64{'b': 0, 'a': 1, 'c': 2}[ops[v-1]]
		}
		g[2*v-1] = op
	}
	g[len(g)-1] = reads[vertices-1]
	return g
}

// TestNASBench101Table builds the architectures of the published table, in the table's
// own order of vertices: params are the table's. They depend on the order, since the
// first vertices take the channels that are left over. All graphs of up to six
// vertices are compared and a thirtieth of those of seven.
func TestNASBench101Table(t *testing.T) {
	col, rows := table(t, "nasbench101.csv.gz")
	_, s := load(t, "nasbench101/nasbench101.nas")
	small, large := 1, 30
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
		a, err := s.Bind(genotype101(t, s, 7, r[col["edges"]], r[col["ops"]]))
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.FormatInt(a.Params(), 10); got != r[col["params"]] {
			t.Errorf("%s: %s params, the table says %s", r[col["hash"]], got, r[col["params"]])
		}
	}
}
