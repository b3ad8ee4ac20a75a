package nasbench201

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/spaces/skeleton"
)

// Recognise finds the cell of a network. The network must be the benchmark's:
// a 3x3 convolution to 16 channels, three stages of five equal cells with 16, 32
// and 64 channels, residual blocks of stride 2 between them, and batch norm,
// ReLU, global pooling and a linear layer at the end. The number of classes and
// the size of the image are free, as the benchmark's data sets differ in them.
func Recognise(g *graph.Graph) (Arch, error) {
	var arch Arch
	var first *graph.Node
	steps := network()
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

func network() []step {
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

// cells are those of the benchmark: four vertices.
var cells = skeleton.Cells{Benchmark: "NAS-Bench-201", Vertices: 4, Skip: int(Skip),
	Op: func(n *graph.Node, _ int) (int, bool) {
		op, ok := operation(n)
		return int(op), ok
	}}

func recogniseCell(g *graph.Graph) (a Arch, err error) {
	ops, err := cells.Read(g)
	for i, op := range ops {
		a[i] = Op(op)
	}
	return a, err
}

// operation is the benchmark's name for a node.
func operation(n *graph.Node) (Op, bool) {
	if !standard(n) {
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
