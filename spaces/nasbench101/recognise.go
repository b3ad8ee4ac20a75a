package nasbench101

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
)

// Width is the number of channels of the benchmark's stem.
const Width = 128

// Recognise finds the module of a network: a 3x3 convolution, three stacks of three
// equal modules with max pooling between them and channels doubling, global pooling
// and a linear layer. The channels of the stem, [Width] in the benchmark, are
// returned; the number of classes and the size of the image are free.
func Recognise(g *graph.Graph) (m Module, width int, err error) {
	for len(g.Nodes) == 1 && g.Nodes[0].Body != nil && g.Output == 0 { // a block around all of it
		g = g.Nodes[0].Body
	}
	known := map[*graph.Graph]bool{}
	steps := skeleton()
	for i, n := range g.Nodes {
		if i == len(steps) {
			return m, 0, fmt.Errorf("node %s: the network ends with a linear layer", n.Name)
		}
		if len(n.Inputs) != 1 || n.Inputs[0] != graph.Ref(i-1) { // Ref(-1) is the image
			return m, 0, fmt.Errorf("node %s: the network is a chain, but this reads more or else than the node before it", n.Name)
		}
		want := steps[i]
		switch {
		case i == 0:
			width = n.Shape[0]
		case want.scale > 0 && n.Shape[0] != want.scale*width:
			return m, 0, fmt.Errorf("node %s has %d channels, not %d", n.Name, n.Shape[0], want.scale*width)
		}
		if want.op != "module" {
			if !is(n, want.op, want.kernel, want.stride) {
				return m, 0, fmt.Errorf("node %s is %s, and a %s of the benchmark's skeleton should be here", n.Name, n.Label(), want.op)
			}
			continue
		}
		if n.Body == nil {
			return m, 0, fmt.Errorf("node %s is %s, and a module should be here", n.Name, n.Label())
		}
		if known[n.Body] {
			continue
		}
		this, err := OfModule(n.Body)
		if err != nil {
			return m, 0, fmt.Errorf("%s: %w", n.Name, err)
		}
		if len(known) > 0 && !equal(this, m) {
			return m, 0, fmt.Errorf("node %s is another module than the first: all are equal", n.Name)
		}
		m = this
		known[n.Body] = true
	}
	if len(g.Nodes) < len(steps) || g.Output != graph.Ref(len(steps)-1) {
		return m, 0, fmt.Errorf("the network does not end with the benchmark's linear layer")
	}
	return m, width, nil
}

// step is one node of the skeleton.
type step struct {
	op             string
	kernel, stride int // 0: the operation has none
	scale          int // channels, in channels of the stem; 0: any
}

func skeleton() []step {
	steps := []step{{"conv_bn_relu", 3, 1, 1}}
	for scale := 1; scale <= 4; scale *= 2 {
		if scale > 1 {
			steps = append(steps, step{"max_pool", 2, 2, scale / 2})
		}
		for range 3 {
			steps = append(steps, step{"module", 0, 0, scale})
		}
	}
	return append(steps, step{"global_pool", 0, 0, 4}, step{"linear", 0, 0, 0})
}

// is reports whether n is an operation of std/vision with these attributes.
func is(n *graph.Node, op string, kernel, stride int) bool {
	if n.Body != nil || n.Op != op || n.Module != "std/vision" {
		return false
	}
	k, _ := n.Int("kernel")
	s, _ := n.Int("stride")
	return k == kernel && s == stride
}

func equal(a, b Module) bool {
	if len(a.Reads) != len(b.Reads) {
		return false
	}
	for v := range a.Reads {
		if a.Reads[v] != b.Reads[v] || a.label(v) != b.label(v) {
			return false
		}
	}
	return true
}

// OfModule reads the graph of one module, as the operations of std/nasbench101 make
// it: every vertex is an operation on an `add`, edges from the input go through
// `project`, and `merge` is the output. What leads nowhere is left out.
func OfModule(g *graph.Graph) (Module, error) {
	if len(g.Inputs) != 1 {
		return Module{}, fmt.Errorf("a module has one input, %s has %d", g.Name, len(g.Inputs))
	}
	g = g.Live()
	m := Module{Reads: []uint32{0}}
	vertex := make([]int, len(g.Nodes)) // of projections and operations
	reads := make([]uint32, len(g.Nodes))
	for i, n := range g.Nodes {
		std := n.Body == nil && n.Module == "std/nasbench101"
		last := graph.Ref(i) == g.Output
		switch {
		case std && n.Op == "project" && n.Inputs[0] == graph.InputRef(0) && !last:
			vertex[i] = 0
			continue
		case std && (n.Op == "add" && !last || n.Op == "merge" && last):
			for _, r := range n.Inputs {
				if r < 0 || g.Nodes[r].Op == "add" {
					return m, fmt.Errorf("node %s reads what is no vertex", n.Name)
				}
				if bit := uint32(1) << vertex[r]; reads[i]&bit == 0 {
					reads[i] |= bit
				} else {
					return m, fmt.Errorf("node %s has two edges from one vertex", n.Name)
				}
			}
			if last {
				m.Reads = append(m.Reads, reads[i])
				return m, nil
			}
			continue
		case n.Absent:
			continue
		case last:
			return m, fmt.Errorf("node %s is %s, and the output of a module is a merge", n.Name, n.Label())
		}
		op, ok := operation(n)
		if !ok {
			return m, fmt.Errorf("node %s is %s, no operation of NAS-Bench-101", n.Name, n.Label())
		}
		from := n.Inputs[0]
		if from < 0 || g.Nodes[from].Op != "add" {
			return m, fmt.Errorf("node %s does not read an add", n.Name)
		}
		if len(m.Reads) == MaxVertices-1 {
			return m, fmt.Errorf("node %s is vertex %d, more than are looked at", n.Name, MaxVertices)
		}
		vertex[i] = len(m.Reads)
		m.Reads = append(m.Reads, reads[from])
		m.Ops = append(m.Ops, op)
	}
	return m, fmt.Errorf("nothing leads from the input of %s to its output", g.Name)
}

// operation is the benchmark's name for a node.
func operation(n *graph.Node) (Op, bool) {
	switch {
	case is(n, "conv_bn_relu", 3, 1):
		return Conv3x3, true
	case is(n, "conv_bn_relu", 1, 1):
		return Conv1x1, true
	case is(n, "max_pool", 3, 1):
		return MaxPool3x3, true
	}
	return 0, false
}
