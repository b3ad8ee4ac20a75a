package transnasbench101

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/spaces/skeleton"
)

const (
	vision = "std/vision"
	own    = "std/transnasbench101"
)

func attr(name string, value int) skeleton.Attr { return skeleton.Attr{Name: name, Value: value} }

var (
	stem = []skeleton.Op{
		{Name: "conv_bn", Module: vision, Attrs: []skeleton.Attr{attr("kernel", 3), attr("stride", 2)}},
		{Name: "relu_conv_bn", Module: vision, Attrs: []skeleton.Attr{attr("kernel", 3), attr("stride", 2), attr("dilation", 1)}},
	}
	basic = skeleton.Op{Name: "basic", Module: own}
	head  = []skeleton.Op{{Name: "global_pool", Module: vision}, {Name: "linear", Module: vision}}
)

// Recognise finds the name of a network of either space. The number of classes and
// the size of the image are free.
func Recognise(g *graph.Graph) (string, error) {
	r, err := skeleton.Read(g)
	if err != nil {
		return "", err
	}
	for i, want := range stem {
		s, err := r.Op(want)
		if err == nil {
			err = s.Channels(Width / 2 << i)
		}
		if err != nil {
			return "", err
		}
	}
	name := ""
	if next, ok := r.Peek(); ok && next.Body != nil {
		name, err = readCells(r)
	} else {
		name, err = readModules(r)
	}
	if err != nil {
		return "", err
	}
	for _, want := range head {
		if _, err := r.Op(want); err != nil {
			return "", err
		}
	}
	return name, r.End()
}

// kinds are the modules of the cell space: 4 doubles and halves.
var kinds = Skeleton{4, 1, 4, 1, 4}

// readCells reads five times two equal cells.
func readCells(r *skeleton.Reader) (string, error) {
	var cell Cell
	var first skeleton.Step
	known := map[*graph.Graph]Cell{}
	channels := Width
	for _, kind := range kinds {
		stride := 1
		if kind == 4 {
			channels, stride = 2*channels, 2
		}
		for range 2 {
			s, err := r.Cell()
			if err == nil {
				err = s.Channels(channels)
			}
			if err == nil {
				err = s.Resolution(stride)
			}
			if err != nil {
				return "", err
			}
			c, seen := known[s.Body]
			if !seen {
				if c, err = readCell(s.Body, stride, channels); err != nil {
					return "", fmt.Errorf("%s: %w", s.Path, err)
				}
				known[s.Body] = c
			}
			if first.Node == nil {
				first, cell = s, c
			}
			if c != cell {
				return "", fmt.Errorf("node %s is %s, but %s is %s: all cells are equal", s.Path, c, first.Path, cell)
			}
			stride = 1
		}
	}
	return cell.String(), nil
}

// readCell reads the operations of a cell, in which edges from the input carry the
// stride and the change of channels.
func readCell(g *graph.Graph, stride, channels int) (c Cell, err error) {
	edges := skeleton.Cells{Benchmark: "TransNAS-Bench-101", Vertices: 4, Skip: 1, Op: func(n *graph.Node, from int) (int, bool) {
		want := 1
		if from == 0 {
			want = stride
		}
		if v, ok := n.Int("stride"); !ok || v != want || n.Shape[0] != channels {
			return 0, false
		}
		kernel, _ := n.Int("kernel")
		dilation, _ := n.Int("dilation")
		switch {
		case n.Op == "none" && n.Module == own, n.Op == "zero" && n.Module == vision:
			return 0, true
		case n.Module == vision && (n.Op == "shortcut" || n.Op == "skip"):
			return 1, true
		case n.Module == vision && n.Op == "relu_conv_bn" && dilation == 1 && kernel == 1:
			return 2, true
		case n.Module == vision && n.Op == "relu_conv_bn" && dilation == 1 && kernel == 3:
			return 3, true
		}
		return 0, false
	}}
	ops, err := edges.Read(g)
	copy(c[:], ops)
	return c, err
}

// readModules reads pairs of residual blocks, the first of which may change the shape.
func readModules(r *skeleton.Reader) (string, error) {
	var s Skeleton
	channels := Width
	for {
		if next, ok := r.Peek(); !ok || !basic.Is(next.Node) {
			if len(s) == 0 {
				_, err := r.Op(basic) // which says what is wrong
				return "", err
			}
			break
		}
		first, err := r.Op(basic)
		if err != nil {
			return "", err
		}
		kind := 1
		if first.Shape[0] == 2*channels {
			kind, channels = 2, 2*channels
		}
		stride := 1
		if n, _ := first.Int("stride"); n == 2 {
			kind, stride = kind+2, 2
		}
		if err := first.Channels(channels); err != nil {
			return "", err
		}
		if err := first.Resolution(stride); err != nil {
			return "", err
		}
		second, err := r.Op(basic)
		if err == nil {
			err = second.Channels(channels)
		}
		if err == nil {
			err = second.Resolution(1)
		}
		if err != nil {
			return "", err
		}
		s = append(s, kind)
	}
	return s.String(), s.check()
}
