package skeleton

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
)

// Cells reads cells whose vertices add up what edges from all earlier vertices bring.
type Cells struct {
	Benchmark string // for messages
	Vertices  int    // the input among them
	Skip      int    // the number of the operation that hands a vertex on as it is
	// Op is the number of the operation of a node that reads vertex from.
	Op func(n *graph.Node, from int) (op int, ok bool)
}

// Read lists the operations of the edges into vertex 1, then 2 and so on, each in the
// order of the vertices that they leave.
func (c Cells) Read(g *graph.Graph) ([]int, error) {
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("a cell has one input, %s has %d", g.Name, len(g.Inputs))
	}
	out := make([]int, c.Vertices*(c.Vertices-1)/2)
	vertex := map[graph.Ref]int{graph.InputRef(0): 0}
	for i, n := range g.Nodes {
		if n.Op != "sum" || n.Body != nil {
			continue
		}
		v := len(vertex)
		if v == c.Vertices {
			return nil, fmt.Errorf("node %s is vertex %d of a cell of %d", n.Name, v, c.Vertices)
		}
		if len(n.Inputs) != v {
			return nil, fmt.Errorf("node %s is vertex %d and must add %d edges, not %d", n.Name, v, v, len(n.Inputs))
		}
		seen := make([]bool, v)
		for _, r := range n.Inputs {
			u, op, err := c.edge(g, vertex, r)
			if err != nil {
				return nil, fmt.Errorf("node %s: %w", n.Name, err)
			}
			if seen[u] {
				return nil, fmt.Errorf("node %s has two edges from vertex %d", n.Name, u)
			}
			seen[u] = true
			out[v*(v-1)/2+u] = op
		}
		vertex[graph.Ref(i)] = v
	}
	if len(vertex) != c.Vertices {
		return nil, fmt.Errorf("a cell has %d vertices, %s has %d", c.Vertices, g.Name, len(vertex))
	}
	if v, ok := vertex[g.Output]; !ok || v != c.Vertices-1 {
		return nil, fmt.Errorf("the output of %s is not its last vertex", g.Name)
	}
	return out, nil
}

// edge reads what a vertex adds: an operation on an earlier vertex, or that vertex
// itself.
func (c Cells) edge(g *graph.Graph, vertex map[graph.Ref]int, r graph.Ref) (from, op int, err error) {
	if u, ok := vertex[r]; ok {
		return u, c.Skip, nil
	}
	n := g.Nodes[r]
	if n.Body != nil || len(n.Inputs) != 1 {
		return 0, 0, fmt.Errorf("%s is %s, no operation of %s", n.Name, n.Label(), c.Benchmark)
	}
	u, ok := vertex[n.Inputs[0]]
	if !ok {
		return 0, 0, fmt.Errorf("%s does not read a vertex", n.Name)
	}
	if op, ok = c.Op(n, u); !ok {
		return 0, 0, fmt.Errorf("%s is %s, no operation of %s", n.Name, n.Label(), c.Benchmark)
	}
	return u, op, nil
}
