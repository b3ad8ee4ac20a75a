package graph

import "math"

// Edges is the number of connections between the vertices of g after pruning.
// Vertices are the inputs, the nodes that a `node` statement names, and the
// output; a connection is a path from one to the next through operations that are
// no vertices, a nested graph being one operation. So a vertex that sums k
// operations on earlier vertices has k connections, and concat(n) connects each
// member of n with the output.
//
// Absent edges connect nothing; what no input reaches and what reaches no output
// is gone with its connections. An identity is an operation here like any other.
// On the cells of NAS-Bench-101 this is the number of edges of the pruned matrix
// (Ying et al., ICML 2019). A number beyond an int64 is the largest int64.
func (g *Graph) Edges() int64 {
	e := edges{g: g}
	return e.count()
}

type edges struct {
	reducer
	g     *Graph
	reads [][]Ref // the tensors that each node reads, absent ones left out
	there []bool
	into  []int64 // connections that end at a reader of the node
}

func (e *edges) count() int64 {
	n := len(e.g.Nodes)
	e.reads, e.there, e.into = make([][]Ref, n), make([]bool, n), make([]int64, n)
	for i, node := range e.g.Nodes {
		e.reads[i], e.there[i] = e.read(node)
		if !e.there[i] {
			continue
		}
		e.into[i] = 1
		if node.Vertex == "" {
			e.into[i] = e.ways(i)
		}
	}
	var total int64
	if _, input := e.g.Output.IsInput(); input || !e.there[e.g.Output] {
		return 0
	}
	need := make([]bool, n)
	need[e.g.Output] = true
	for i := n - 1; i >= 0; i-- {
		if !need[i] {
			continue
		}
		if e.g.Nodes[i].Vertex != "" || Ref(i) == e.g.Output {
			total = plus(total, e.ways(i))
		}
		for _, r := range e.reads[i] {
			if _, input := r.IsInput(); !input {
				need[r] = true
			}
		}
	}
	return total
}

// read tells what a node reads, and whether it is there at all.
func (e *edges) read(n *Node) (reads []Ref, there bool) {
	if n.Absent {
		return nil, false
	}
	key := partKey{graph: n.Body}
	for i, r := range n.Inputs {
		if _, input := r.IsInput(); input || e.there[r] {
			reads = append(reads, r)
		} else {
			key = key.without(i)
		}
	}
	if n.Body == nil {
		return reads, len(reads) > 0 || len(n.Inputs) == 0
	}
	p := e.part(key)
	switch {
	case p.absent:
		return nil, false
	case p.pass >= 0:
		return []Ref{n.Inputs[p.pass]}, true
	}
	reads = reads[:0]
	for k, r := range n.Inputs {
		if p.used(k) && !key.lacks(k) {
			reads = append(reads, r)
		}
	}
	return reads, true
}

// ways is the number of connections that end at node i.
func (e *edges) ways(i int) int64 {
	var w int64
	for _, r := range e.reads[i] {
		if _, input := r.IsInput(); input {
			w = plus(w, 1)
			continue
		}
		w = plus(w, e.into[r])
	}
	return w
}

func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
