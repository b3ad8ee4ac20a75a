// Package nasbench101 speaks the language of NAS-Bench-101 (Ying et al., ICML 2019):
// a module is an upper triangular matrix and a list of operations, and has an MD5
// hash by which the benchmark's tables and those of NAS-Bench-1Shot1 name it.
// [Recognise] finds the module of an architecture that the compiler bound.
package nasbench101

import (
	"fmt"
	"math/bits"
	"slices"
)

// The modules of the benchmark have at most so many vertices and edges.
const (
	Vertices = 7
	MaxEdges = 9
)

// MaxVertices is the most vertices that a Module can have.
const MaxVertices = 32

// Op is the operation of an inner vertex.
type Op int8

// The operations in the benchmark's order.
const (
	Conv3x3 Op = iota
	Conv1x1
	MaxPool3x3
)

var opNames = []string{"conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"}

// String is the benchmark's name of an operation.
func (o Op) String() string { return opNames[o] }

// Module is a graph of the benchmark: vertex 0 is the input, the last one the
// output, every one of the others has an operation.
type Module struct {
	Reads []uint32 // by vertex: the earlier vertices that it reads, as bits
	Ops   []Op     // of the inner vertices
}

// New makes a module of the benchmark's notation: a matrix with a 1 in row u and
// column v where v reads u, and all vertices' operations, "input" and "output"
// among them.
func New(matrix [][]int, ops []string) (Module, error) {
	n := len(matrix)
	if n < 2 || n > MaxVertices || len(ops) != n {
		return Module{}, fmt.Errorf("a module has 2 to %d vertices and an operation for each; this has %d and %d", MaxVertices, n, len(ops))
	}
	m := Module{Reads: make([]uint32, n), Ops: make([]Op, n-2)}
	for u, row := range matrix {
		if len(row) != n {
			return Module{}, fmt.Errorf("row %d of the matrix has %d entries, not %d", u, len(row), n)
		}
		for v, e := range row {
			switch {
			case e == 0:
			case e != 1:
				return Module{}, fmt.Errorf("row %d, column %d of the matrix is %d, not 0 or 1", u, v, e)
			case u >= v:
				return Module{}, fmt.Errorf("row %d, column %d of the matrix is below its diagonal, and must be 0", u, v)
			default:
				m.Reads[v] |= 1 << u
			}
		}
	}
	for v, name := range ops {
		switch {
		case v == 0 && name == "input", v == n-1 && name == "output":
			continue
		case v == 0 || v == n-1:
			return Module{}, fmt.Errorf("vertex %d is %q: the first is the input, the last the output", v, name)
		}
		op := slices.Index(opNames, name)
		if op < 0 {
			return Module{}, fmt.Errorf("vertex %d is %q, no operation of NAS-Bench-101", v, name)
		}
		m.Ops[v-1] = Op(op)
	}
	return m, nil
}

// Edges is the number of edges.
func (m Module) Edges() int {
	n := 0
	for _, r := range m.Reads {
		n += bits.OnesCount32(r)
	}
	return n
}

// Prune removes the vertices that are on no path from the input to the output, as
// the benchmark does before it looks at a module. It is false when there is no such
// path: the module is none.
func (m Module) Prune() (Module, bool) {
	n := len(m.Reads)
	var reached uint32 = 1 // from the input
	for v := 1; v < n; v++ {
		if m.Reads[v]&reached != 0 {
			reached |= 1 << v
		}
	}
	var needed uint32 = 1 << (n - 1) // by the output
	for v := n - 1; v > 0; v-- {
		if needed>>v&1 == 1 {
			needed |= m.Reads[v]
		}
	}
	keep := reached & needed
	if keep>>(n-1)&1 == 0 {
		return Module{}, false
	}
	var out Module
	for v := range n {
		if keep>>v&1 == 0 {
			continue
		}
		var reads uint32
		place := 0
		for u := range v {
			if keep>>u&1 == 1 {
				reads |= m.Reads[v] >> u & 1 << place
				place++
			}
		}
		out.Reads = append(out.Reads, reads)
		if v > 0 && v < n-1 {
			out.Ops = append(out.Ops, m.Ops[v-1])
		}
	}
	return out, true
}
