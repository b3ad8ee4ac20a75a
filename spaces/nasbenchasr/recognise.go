package nasbenchasr

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/spaces/skeleton"
)

const (
	speech = "std/asr"
	vision = "std/vision"
)

func attr(name string, value int) skeleton.Attr { return skeleton.Attr{Name: name, Value: value} }

// stages are the filters, the strides and the numbers of cells.
var stages = []struct{ filters, stride, cells int }{{600, 1, 3}, {800, 1, 4}, {1000, 2, 5}, {1200, 2, 6}}

var (
	norm = skeleton.Op{Name: "frame_norm", Module: speech}
	lstm = skeleton.Op{Name: "lstm", Module: speech, Attrs: []skeleton.Attr{attr("units", 500)}}
	head = skeleton.Op{Name: "frame_linear", Module: speech}
)

func conv(kernel, stride, dilation, groups int) skeleton.Op {
	return skeleton.Op{Name: "conv_relu", Module: speech, Attrs: []skeleton.Attr{
		attr("kernel", kernel), attr("stride", stride), attr("dilation", dilation), attr("groups", groups)}}
}

// Recognise finds the cell of a network: four stages of a convolution, a normalization
// and 3, 4, 5 and 6 equal cells, then a recurrent layer of 500 units and a classifier
// of frames. The number of classes and the length of the sound are free.
func Recognise(g *graph.Graph) (a Arch, err error) {
	r, err := skeleton.Read(g)
	if err != nil {
		return a, err
	}
	var first skeleton.Step
	known := map[*graph.Graph]Arch{}
	for _, stage := range stages {
		for _, want := range []skeleton.Op{conv(8, stage.stride, 1, 1), norm} {
			s, err := r.Op(want)
			if err == nil {
				err = s.Channels(stage.filters)
			}
			if err != nil {
				return a, err
			}
		}
		for range stage.cells {
			s, err := r.Cell()
			if err != nil {
				return a, err
			}
			c, seen := known[s.Body]
			if !seen {
				if c, err = readCell(s.Body); err != nil {
					return a, fmt.Errorf("%s: %w", s.Path, err)
				}
				known[s.Body] = c
			}
			if first.Node == nil {
				first, a = s, c
			}
			if c != a {
				return a, fmt.Errorf("node %s is %s, but %s is %s: all cells are equal", s.Path, c, first.Path, a)
			}
		}
	}
	for _, want := range []skeleton.Op{lstm, head} {
		if _, err := r.Op(want); err != nil {
			return a, err
		}
	}
	return a, r.End()
}

var mains = map[Op]skeleton.Op{
	Linear: {Name: "frame_linear", Module: speech},
	Conv5:  conv(5, 1, 1, 100), Conv5d2: conv(5, 1, 2, 100),
	Conv7: conv(7, 1, 1, 100), Conv7d2: conv(7, 1, 2, 100),
	Zero: {Name: "zero", Module: vision},
}

// readCell reads three vertices, each the sum of an operation on the vertex before and
// of skips from earlier ones, and a normalization. Sums in sums are one sum; what is
// not added, and zero, is no skip.
func readCell(g *graph.Graph) (a Arch, err error) {
	if len(g.Inputs) != 1 {
		return a, fmt.Errorf("a cell has one input, %s has %d", g.Name, len(g.Inputs))
	}
	if _, input := g.Output.IsInput(); input || !norm.Is(g.Nodes[g.Output]) {
		return a, fmt.Errorf("the output of %s is not that of a frame_norm", g.Name)
	}
	last := g.Nodes[g.Output].Inputs[0]
	inner := map[graph.Ref]bool{} // sums that are part of another
	for _, n := range g.Nodes {
		for _, r := range n.Inputs {
			if sums(g, r) && n.Op == "sum" {
				inner[r] = true
			}
		}
	}
	vertex := map[graph.Ref]int{graph.InputRef(0): 0}
	for i, n := range g.Nodes {
		ref := graph.Ref(i)
		if !sums(g, ref) || inner[ref] {
			continue
		}
		k := len(vertex)
		if k > len(a.Ops) {
			return a, fmt.Errorf("node %s is vertex %d of a cell of three", n.Name, k)
		}
		if err := a.vertex(g, vertex, k, n); err != nil {
			return a, fmt.Errorf("node %s: %w", n.Name, err)
		}
		vertex[ref] = k
	}
	if v, ok := vertex[last]; !ok || v != len(a.Ops) {
		return a, fmt.Errorf("the output of %s is not its third vertex", g.Name)
	}
	return a, nil
}

func sums(g *graph.Graph, r graph.Ref) bool {
	_, input := r.IsInput()
	return !input && g.Nodes[r].Op == "sum" && g.Nodes[r].Body == nil
}

// vertex reads what is added at vertex k.
func (a *Arch) vertex(g *graph.Graph, vertex map[graph.Ref]int, k int, sum *graph.Node) error {
	op, found := Zero, false
	var add func(n *graph.Node) error
	add = func(n *graph.Node) error {
		for _, r := range n.Inputs {
			u, direct := vertex[r]
			switch {
			case direct:
			case sums(g, r):
				if err := add(g.Nodes[r]); err != nil {
					return err
				}
				continue
			default:
				in := g.Nodes[r]
				if len(in.Inputs) != 1 {
					return fmt.Errorf("%s is %s, no operation of NAS-Bench-ASR", in.Name, in.Label())
				}
				var ok bool
				if u, ok = vertex[in.Inputs[0]]; !ok {
					return fmt.Errorf("%s does not read a vertex", in.Name)
				}
				if mains[Zero].Is(in) {
					continue
				}
				if in.Op != "skip" || in.Module != vision || in.Body != nil {
					main, ok := mainOf(in)
					switch {
					case !ok:
						return fmt.Errorf("%s is %s, no operation of NAS-Bench-ASR", in.Name, in.Label())
					case found:
						return fmt.Errorf("%s is a second operation", in.Name)
					case u != k-1:
						return fmt.Errorf("%s reads vertex %d, not %d", in.Name, u, k-1)
					}
					op, found = main, true
					continue
				}
			}
			if a.Skips[k-1][u] {
				return fmt.Errorf("there are two skips from vertex %d", u)
			}
			a.Skips[k-1][u] = true
		}
		return nil
	}
	if err := add(sum); err != nil {
		return err
	}
	a.Ops[k-1] = op
	return nil
}

func mainOf(n *graph.Node) (Op, bool) {
	for op := Linear; op < Zero; op++ {
		if mains[op].Is(n) {
			return op, op != Linear || n.Attr("clipped") == true
		}
	}
	return 0, false
}
