package natssize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/spaces/skeleton"
)

const vision = "std/vision"

func op(name string, attrs ...skeleton.Attr) skeleton.Op {
	return skeleton.Op{Name: name, Module: vision, Attrs: attrs}
}

var (
	stem   = op("conv_bn", skeleton.Attr{Name: "kernel", Value: 3}, skeleton.Attr{Name: "stride", Value: 1})
	reduce = op("residual", skeleton.Attr{Name: "stride", Value: 2})
	conv   = op("relu_conv_bn", skeleton.Attr{Name: "kernel", Value: 3}, skeleton.Attr{Name: "stride", Value: 1}, skeleton.Attr{Name: "dilation", Value: 1})
	head   = []skeleton.Op{op("batch_norm"), op("relu"), op("global_pool"), op("linear")}
)

// Recognise finds the widths of a network: a 3x3 convolution, three times the
// benchmark's cell with residual blocks of stride 2 between, batch norm, ReLU, global
// pooling and a linear layer. The number of classes and the size of the image are
// free.
func Recognise(g *graph.Graph) (a Arch, err error) {
	r, err := skeleton.Read(g)
	if err != nil {
		return a, err
	}
	cell := func() (skeleton.Step, error) {
		s, err := r.Cell()
		if err == nil {
			err = fixed(s)
		}
		return s, err
	}
	for i := range a {
		var s skeleton.Step
		switch i {
		case 0:
			if s, err = r.Op(stem); err != nil {
				return a, err
			}
			first, err := cell()
			if err != nil {
				return a, err
			}
			if err := first.Channels(s.Shape[0]); err != nil {
				return a, err
			}
		case 1, 3:
			s, err = r.Op(reduce)
		default:
			s, err = cell()
		}
		if err != nil {
			return a, err
		}
		a[i] = s.Shape[0]
	}
	for _, want := range head {
		if _, err := r.Op(want); err != nil {
			return a, err
		}
	}
	if err := r.End(); err != nil {
		return a, err
	}
	return a, a.check()
}

// fixed tells how a cell differs from the one of the benchmark, whose vertices are
// v1 = conv(x), v2 = conv(x) + conv(v1) and v3 = x + conv(v1) + conv(v2), where x is
// brought to the width of the cell.
func fixed(s skeleton.Step) error {
	const v1, v2 = "conv(x)", "[conv(conv(x)) + conv(x)]"
	const want = "[conv(" + v2 + ") + conv(" + v1 + ") + x]"
	texts := make([]string, len(s.Body.Nodes))
	text := func(r graph.Ref) string {
		if _, input := r.IsInput(); input {
			return "x"
		}
		return texts[r]
	}
	convs := 0
	for i, n := range s.Body.Nodes {
		switch {
		case conv.Is(n):
			convs++
			texts[i] = "conv(" + text(n.Inputs[0]) + ")"
		case n.Body == nil && n.Module == vision && (n.Op == "shortcut" || n.Op == "skip") && is(n, "stride", 1):
			texts[i] = text(n.Inputs[0])
		case n.Body == nil && n.Op == "sum":
			var parts []string
			for _, r := range n.Inputs {
				parts = append(parts, text(r))
			}
			slices.Sort(parts)
			texts[i] = "[" + strings.Join(parts, " + ") + "]"
		default:
			return fmt.Errorf("%s: node %s is %s, which the cell of NATS-Bench size does not have", s.Path, n.Name, n.Label())
		}
	}
	if got := text(s.Body.Output); got != want || convs != 5 {
		return fmt.Errorf("%s: the cell computes %.200s with %d convolutions; that of NATS-Bench size is %s with 5", s.Path, got, convs, want)
	}
	return nil
}

func is(n *graph.Node, attr string, want int) bool {
	v, ok := n.Int(attr)
	return ok && v == want
}
