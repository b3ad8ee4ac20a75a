package nasbench201

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// Recognise finds the cell of a network. The network must be the benchmark's:
// a 3x3 convolution to 16 channels, three stages of five equal cells with 16, 32
// and 64 channels, residual blocks of stride 2 between them, and batch norm,
// ReLU, global pooling and a linear layer at the end. The number of classes and
// the size of the image are free, as the benchmark's data sets differ in them.
func Recognise(g *graph.Graph) (Arch, error) {
	var arch Arch
	var first *graph.Node
	steps := skeleton()
	known := map[*graph.Graph]Arch{}
	for i, n := range g.Nodes {
		if i == len(steps) {
			return arch, fmt.Errorf("node %s: the network ends with a linear layer", n.Name)
		}
		want := steps[i]
		before := graph.Ref(i - 1) // Ref(-1) is the image
		if len(n.Inputs) != 1 || n.Inputs[0] != before {
			return arch, fmt.Errorf("node %s: the network is a chain, but this reads more or else than the node before it", n.Name)
		}
		if !want.accepts(n) {
			return arch, fmt.Errorf("node %s: here comes %s, not %s", n.Name, want, found(n))
		}
		if want.op != cellStep {
			continue
		}
		a, seen := known[n.Body]
		if !seen {
			var err error
			if a, err = recogniseCell(n.Body); err != nil {
				return arch, fmt.Errorf("%s: %w", n.Name, err)
			}
			known[n.Body] = a
		}
		if first == nil {
			arch, first = a, n
		}
		if a != arch {
			return arch, fmt.Errorf("node %s is %s, but %s is %s: all cells are equal", n.Name, a, first.Name, arch)
		}
	}
	if len(g.Nodes) < len(steps) {
		return arch, fmt.Errorf("the network ends before %s", steps[len(g.Nodes)])
	}
	if g.Output != graph.Ref(len(g.Nodes)-1) {
		return arch, fmt.Errorf("the output is not that of the last node")
	}
	return arch, nil
}

// step is one node of the skeleton.
type step struct {
	op       string
	channels int // of the output; 0: any
	stride   int // 0: the operation has none
	kernel   int
}

// cellStep is the op of steps that are cells.
const cellStep = "cell"

func skeleton() []step {
	steps := []step{{op: "conv_bn", channels: 16, stride: 1, kernel: 3}}
	for _, c := range []int{16, 32, 64} {
		if c > 16 {
			steps = append(steps, step{op: "residual", channels: c, stride: 2})
		}
		for range 5 {
			steps = append(steps, step{op: cellStep, channels: c})
		}
	}
	return append(steps, step{op: "batch_norm", channels: 64}, step{op: "relu", channels: 64},
		step{op: "global_pool", channels: 64}, step{op: "linear"})
}

func (s step) accepts(n *graph.Node) bool {
	if s.channels > 0 && n.Shape[0] != s.channels {
		return false
	}
	if s.op == cellStep {
		return n.Body != nil
	}
	return n.Body == nil && n.Op == s.op && standard(n) && is(n, "stride", s.stride) && is(n, "kernel", s.kernel)
}

func (s step) String() string {
	text := s.op
	if s.kernel > 0 {
		text = fmt.Sprintf("%s(kernel: %d)", text, s.kernel)
	}
	if s.stride > 1 {
		text = fmt.Sprintf("%s(stride: %d)", text, s.stride)
	}
	if s.channels > 0 {
		text = fmt.Sprintf("%s of %d channels", text, s.channels)
	}
	return "a " + text
}

func found(n *graph.Node) string {
	if n.Body != nil {
		return fmt.Sprintf("the %s %s with output %v", n.Body.Kind, n.Body.Name, n.Shape)
	}
	return fmt.Sprintf("%s with output %v", n.Label(), n.Shape)
}

// standard reports whether n is of the standard modules.
func standard(n *graph.Node) bool { return n.Module == "" || strings.HasPrefix(n.Module, "std/") }

// is reports whether an attribute has a value; 0 stands for any.
func is(n *graph.Node, attr string, want int) bool {
	have, ok := n.Int(attr)
	return want == 0 || ok && have == want
}

// recogniseCell reads a cell of four vertices, each of which adds up what the
// edges from all earlier ones bring.
func recogniseCell(g *graph.Graph) (Arch, error) {
	var arch Arch
	if len(g.Inputs) != 1 {
		return arch, fmt.Errorf("a cell has one input, %s has %d", g.Name, len(g.Inputs))
	}
	vertex := map[graph.Ref]int{graph.InputRef(0): 0}
	for i, n := range g.Nodes {
		if n.Op != "sum" || n.Body != nil {
			continue
		}
		v := len(vertex)
		if v == 4 {
			return arch, fmt.Errorf("node %s is a fifth vertex", n.Name)
		}
		if len(n.Inputs) != v {
			return arch, fmt.Errorf("node %s is vertex %d and must add %d edges, not %d", n.Name, v, v, len(n.Inputs))
		}
		var seen [4]bool
		for _, r := range n.Inputs {
			u, op, err := edge(g, vertex, r)
			if err != nil {
				return arch, fmt.Errorf("node %s: %w", n.Name, err)
			}
			if seen[u] {
				return arch, fmt.Errorf("node %s has two edges from vertex %d", n.Name, u)
			}
			seen[u] = true
			arch[position(u, v)] = op
		}
		vertex[graph.Ref(i)] = v
	}
	if len(vertex) != 4 {
		return arch, fmt.Errorf("a cell has four vertices, %s has %d", g.Name, len(vertex))
	}
	if v, ok := vertex[g.Output]; !ok || v != 3 {
		return arch, fmt.Errorf("the output of %s is not its last vertex", g.Name)
	}
	return arch, nil
}

// position finds the edge from vertex u to v.
func position(u, v int) int { return v*(v-1)/2 + u }

// edge reads what a vertex adds: an operation on an earlier vertex, or that
// vertex itself, which is a skip.
func edge(g *graph.Graph, vertex map[graph.Ref]int, r graph.Ref) (from int, op Op, err error) {
	if u, ok := vertex[r]; ok {
		return u, Skip, nil
	}
	n := g.Nodes[r]
	op, ok := operation(n)
	if !ok {
		return 0, 0, fmt.Errorf("%s is %s, no operation of NAS-Bench-201", n.Name, n.Label())
	}
	u, ok := vertex[n.Inputs[0]]
	if !ok {
		return 0, 0, fmt.Errorf("%s does not read a vertex", n.Name)
	}
	return u, op, nil
}

// operation is the benchmark's name for a node.
func operation(n *graph.Node) (Op, bool) {
	if n.Body != nil || len(n.Inputs) != 1 || !standard(n) {
		return 0, false
	}
	switch {
	case n.Op == "zero" && is(n, "stride", 1):
		return None, true
	case n.Op == "skip" && is(n, "stride", 1):
		return Skip, true
	case n.Op == "avg_pool" && is(n, "kernel", 3) && is(n, "stride", 1):
		return AvgPool, true
	case n.Op == "relu_conv_bn" && is(n, "stride", 1):
		if dilation, ok := n.Int("dilation"); ok && dilation != 1 {
			return 0, false
		}
		switch {
		case is(n, "kernel", 1):
			return Conv1x1, true
		case is(n, "kernel", 3):
			return Conv3x3, true
		}
	}
	return 0, false
}
