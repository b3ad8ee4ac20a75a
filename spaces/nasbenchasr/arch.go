// Package nasbenchasr speaks the language of NAS-Bench-ASR (Mehrotra et al., ICLR
// 2021): an architecture is [[op, skip], [op, skip, skip], [op, skip, skip, skip]], of
// which many mean the same and share a hash. [Recognise] finds it in an architecture
// that the compiler bound.
package nasbenchasr

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Architectures is the number of hashes.
const Architectures = 8242

// Op is the main operation of a vertex.
type Op int

// The operations in the benchmark's order.
const (
	Linear Op = iota
	Conv5
	Conv5d2
	Conv7
	Conv7d2
	Zero
)

// Arch is a cell of three vertices. Vertex 0 is the input; vertex k > 0 is its
// operation on vertex k-1 plus the earlier vertices that are skipped to it.
type Arch struct {
	Ops   [3]Op
	Skips [3][3]bool // by vertex - 1 and earlier vertex
}

// String is the benchmark's notation without blanks: [[1,0],[1,0,0],[1,0,0,0]].
func (a Arch) String() string {
	var b strings.Builder
	for k, op := range a.Ops {
		b.WriteString([]string{"[[", ",[", ",["}[k])
		b.WriteString(strconv.Itoa(int(op)))
		for _, skip := range a.Skips[k][:k+1] {
			b.WriteString(map[bool]string{false: ",0", true: ",1"}[skip])
		}
		b.WriteByte(']')
	}
	b.WriteByte(']')
	return b.String()
}

// Parse reads the benchmark's notation.
func Parse(text string) (a Arch, err error) {
	var lists [][]int
	if json.Unmarshal([]byte(text), &lists) != nil || len(lists) != len(a.Ops) {
		return a, fmt.Errorf("%.60q is not like [[1,0],[1,0,0],[1,0,0,0]]", text)
	}
	for k, list := range lists {
		if len(list) != k+2 || list[0] < 0 || list[0] > int(Zero) {
			return a, fmt.Errorf("vertex %d must be an operation from 0 to %d and %d skips", k+1, Zero, k+1)
		}
		a.Ops[k] = Op(list[0])
		for u, skip := range list[1:] {
			if skip != 0 && skip != 1 {
				return a, fmt.Errorf("a skip of vertex %d is %d, not 0 or 1", k+1, skip)
			}
			a.Skips[k][u] = skip == 1
		}
	}
	return a, nil
}

// Hash is the benchmark's name of what an architecture computes. An operation reads
// the one before it and what is skipped to that; operations that are zero, and those
// on no path from input to output, are left out. What is left is hashed as a module of
// NAS-Bench-101 is, save that Python writes numbers of edges as floats here.
func (a Arch) Hash() string {
	const n = len(a.Ops) + 2
	var edge [n][n]bool
	labels := [n]int{0: -1, n - 1: -2}
	for v := 1; v < n; v++ { // an operation, or the output
		edge[v-1][v] = true
		if v > 1 {
			for u, skip := range a.Skips[v-2] {
				edge[u][v] = edge[u][v] || skip
			}
		}
	}
	var gone [n]bool
	for k, op := range a.Ops {
		labels[k+1], gone[k+1] = int(op), op == Zero
	}
	forward, backward := [n]bool{0: true}, [n]bool{n - 1: true}
	for v := range n {
		for u := range v {
			forward[v] = forward[v] || forward[u] && edge[u][v] && !gone[u] && !gone[v]
		}
	}
	for u := n - 1; u >= 0; u-- {
		for v := u + 1; v < n; v++ {
			backward[u] = backward[u] || backward[v] && edge[u][v] && !gone[u] && !gone[v]
		}
	}
	var kept []int
	for v := range n {
		if forward[v] && backward[v] {
			kept = append(kept, v)
		}
	}
	return hash(len(kept), func(u, v int) bool { return edge[kept[u]][kept[v]] }, func(v int) int { return labels[kept[v]] })
}

// hash is the MD5 by which NAS-Bench-101 tells labelled graphs apart.
func hash(n int, edge func(u, v int) bool, label func(v int) int) string {
	now := make([]string, n)
	for v := range n {
		out, in := 0, 0
		for u := range n {
			if edge(v, u) {
				out++
			}
			if edge(u, v) {
				in++
			}
		}
		now[v] = sum(fmt.Sprintf("(%d.0, %d.0, %d)", out, in, label(v)))
	}
	for range n {
		next := make([]string, n)
		for v := range n {
			var from, to []string
			for u := range n {
				if edge(u, v) {
					from = append(from, now[u])
				}
				if edge(v, u) {
					to = append(to, now[u])
				}
			}
			slices.Sort(from)
			slices.Sort(to)
			next[v] = sum(strings.Join(from, "") + "|" + strings.Join(to, "") + "|" + now[v])
		}
		now = next
	}
	slices.Sort(now)
	for i, h := range now {
		now[i] = "'" + h + "'"
	}
	return sum("[" + strings.Join(now, ", ") + "]")
}

func sum(text string) string {
	h := md5.Sum([]byte(text))
	return hex.EncodeToString(h[:])
}
