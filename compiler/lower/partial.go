package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
)

// partial reports whether a choice is one that only a part of the channels goes
// through: the outermost of those that are inside one another.
func (s *site) partial(n *Node) bool { return s.out.relaxation.Channels > 1 && s.part == 1 }

// channels builds a choice of which 1/K of the channels goes through the
// candidates.
func (s *site) channels(n *Node) graph.Ref {
	if s.refuseChoice(n) {
		return s.mixture(n, nil)
	}
	k := s.out.relaxation.Channels
	x := s.source(n)
	in, stride, reason := s.divisible(n, x, k)
	if reason != "" {
		if d := s.refuse(n.On, "1/%d of the channels cannot go through it, since %s", k, reason); d != nil {
			d.Help = "let all channels through; for a part of them, a choice makes as many as it takes, in a number that can be divided so"
		}
		return s.mixture(n, s.candidates(n, nil))
	}
	c := in[0]
	whole, name := s.tensor(x), n.Name
	part := c / k
	slice := s.vision(name+".part", "channel_slice", whole, graph.Attr{Name: "first", Value: int64(0)}, graph.Attr{Name: "out", Value: int64(part)})
	s.net.Nodes[slice].Shape = graph.Shape{part, in[1], in[2]}
	inner := *s
	inner.part, inner.refs = k, map[*Node]graph.Ref{x: slice}
	mixed := inner.mixture(n, inner.candidates(n, nil))
	rest := s.vision(name+".rest", "channel_slice", whole,
		graph.Attr{Name: "first", Value: int64(part)}, graph.Attr{Name: "out", Value: int64(c - part)})
	if stride > 1 {
		rest = s.vision(name+".pool", "max_pool", rest,
			graph.Attr{Name: "kernel", Value: int64(stride)}, graph.Attr{Name: "stride", Value: int64(stride)})
	}
	joined := s.add(&MixedNode{Node: graph.Node{Name: name + ".join", Op: "concat", Module: core, Fold: true, Inputs: []graph.Ref{mixed, rest}}})
	return s.vision(name+".shuffle", "channel_shuffle", joined, graph.Attr{Name: "groups", Value: int64(k)})
}

// vision adds an operation of std/vision on one map.
func (s *site) vision(name, op string, x graph.Ref, attrs ...graph.Attr) graph.Ref {
	return s.add(&MixedNode{Node: graph.Node{Name: name, Op: op, Module: "std/vision", Attrs: attrs, Inputs: []graph.Ref{x}}})
}

// source is the tensor that all candidates of a choice are made of: the last one
// that every way from the inputs of the body to them passes.
func (s *site) source(n *Node) *Node {
	tensors := append(append([]*Node{}, s.body.Inputs...), s.body.Nodes...)
	for i := len(tensors) - 1; i >= 0; i-- {
		if x := tensors[i]; s.passes(n, x) {
			return x
		}
	}
	return nil
}

// passes reports whether a choice is made of x alone.
func (s *site) passes(n, x *Node) bool {
	seen := map[*Node]bool{x: true}
	found := false
	var only func(y *Node) bool
	only = func(y *Node) bool {
		if y == x {
			found = true
		}
		if y == nil || seen[y] {
			return true
		}
		seen[y] = true
		if y.Kind == Input {
			return false
		}
		for _, c := range y.Cases {
			if !only(c) {
				return false
			}
		}
		for _, a := range y.Args {
			if !only(a.Node) {
				return false
			}
		}
		return true
	}
	return n != x && only(n) && found
}

// divisible is the shape of what a choice is made of and its stride, or why the
// channels cannot be divided.
func (s *site) divisible(n, x *Node, k int) (in graph.Shape, stride int, reason string) {
	if x == nil {
		return nil, 0, "its candidates have no one tensor that they are made of"
	}
	in = s.shape(x)
	out := s.shape(n)
	switch {
	case len(in) != 3 || len(out) != 3:
		return nil, 0, "it is not a choice among maps"
	case in[0] != out[0]:
		return nil, 0, fmt.Sprintf("it makes %d channels of %d", out[0], in[0])
	case in[0]%k != 0:
		return nil, 0, fmt.Sprintf("there are %d", in[0])
	}
	for stride = 1; stride <= in[1]; stride++ {
		if ceil(in[1], stride) == out[1] && ceil(in[2], stride) == out[2] {
			return in, stride, ""
		}
	}
	return nil, 0, fmt.Sprintf("it makes a map of %d by %d of one of %d by %d", out[1], out[2], in[1], in[2])
}

func ceil(a, b int) int { return (a + b - 1) / b }

// divide is an operation where 1/K of the channels come in: what its signature says of
// operands with those, and of as many output channels as it was given over K.
func (s *site) divide(n *Node, m *graph.Node, inputs []graph.Ref) *graph.Node {
	var given []graph.Attr
	for _, a := range m.Attrs {
		if a.Name == "out" {
			v, ok := a.Value.(int64)
			if !ok || v%int64(s.part) != 0 {
				s.diags.Add("E0540", n.Span, "`%s` cannot be relaxed with 1/%d of the channels: its out is %v", n.Name, s.part, a.Value)
				return &graph.Node{}
			}
			a.Value = v / int64(s.part)
		} else if a.Default && !a.Open {
			continue
		}
		given = append(given, a)
	}
	again, err := n.Op.Signature.Of(s.shapes(inputs), given)
	if err == nil {
		m, err = s.evaluate(again)
	}
	if err != nil {
		s.diags.Add("E0540", n.Span, "`%s` cannot be relaxed with 1/%d of the channels: %v", n.Name, s.part, err)
		return &graph.Node{}
	}
	return m
}

// shapes are those of tensors of the net.
func (s *site) shapes(refs []graph.Ref) []graph.Shape {
	out := make([]graph.Shape, len(refs))
	for i, r := range refs {
		out[i] = s.net.Shape(r)
	}
	return out
}
