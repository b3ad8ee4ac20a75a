package wire

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// FromNetwork makes a message of a supernet. Nets that several nodes share are sent
// once, every net before those inside it.
func FromNetwork(s *lower.Supernet) (*pb.Network, error) {
	order := nets(s.Net)
	index := make(map[*lower.Net]int32, len(order))
	for i, n := range order {
		index[n] = int32(i)
	}
	m := &pb.Network{Name: s.Name, Relaxed: FromRelaxed(RelaxedOf(s))}
	for _, n := range order {
		mn := &pb.Net{Name: n.Name, Kind: n.Kind, Output: int32(n.Output)}
		for _, in := range n.Inputs {
			shape, err := fromShape(in.Shape)
			if err != nil {
				return nil, fmt.Errorf("net %s: input %s: %w", n.Name, in.Name, err)
			}
			mn.Inputs = append(mn.Inputs, &pb.GraphInput{Name: in.Name, Shape: shape})
		}
		for _, node := range n.Nodes {
			out, err := fromMixed(node, index)
			if err != nil {
				return nil, fmt.Errorf("net %s: node %s: %w", n.Name, node.Name, err)
			}
			mn.Nodes = append(mn.Nodes, out)
		}
		m.Nets = append(m.Nets, mn)
	}
	return m, nil
}

// nets lists a net and every one inside it once, parents first.
func nets(n *lower.Net) []*lower.Net {
	var post []*lower.Net
	seen := map[*lower.Net]bool{}
	var visit func(n *lower.Net)
	visit = func(n *lower.Net) {
		seen[n] = true
		for i := len(n.Nodes) - 1; i >= 0; i-- {
			if in := n.Nodes[i].Net; in != nil && !seen[in] {
				visit(in)
			}
		}
		post = append(post, n)
	}
	visit(n)
	for i, j := 0, len(post)-1; i < j; i, j = i+1, j-1 {
		post[i], post[j] = post[j], post[i]
	}
	return post
}

func fromMixed(n *lower.MixedNode, index map[*lower.Net]int32) (*pb.MixedNode, error) {
	shape, err := fromShape(n.Shape)
	if err != nil {
		return nil, err
	}
	m := &pb.Node{Name: n.Name, Op: n.Op, Shape: shape, Params: n.Params, Macs: n.MACs, Absent: n.Absent, Identity: n.Identity,
		Commutative: n.Commutative, Vertex: n.Vertex, Module: n.Module, Fold: n.Fold, Sparse: n.Sparse, Collapses: n.Collapses}
	for _, a := range n.Attrs {
		v, err := FromValue(a.Value)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.Name, err)
		}
		m.Attributes = append(m.Attributes, &pb.Attribute{Name: a.Name, Value: v, Default: a.Default, Open: a.Open})
	}
	for _, r := range n.Inputs {
		m.Inputs = append(m.Inputs, int32(r))
	}
	out := &pb.MixedNode{Node: m, Shaped: n.Shape != nil}
	if n.Net != nil {
		out.Net = index[n.Net]
	}
	for _, t := range n.Terms {
		mt := &pb.Term{Value: int32(t.Value)}
		for _, w := range t.Weights {
			mt.Decisions, mt.Options = append(mt.Decisions, int32(w.Decision)), append(mt.Options, int32(w.Option))
		}
		out.Terms = append(out.Terms, mt)
	}
	return out, nil
}

func fromShape(s graph.Shape) ([]int32, error) {
	var out []int32
	for _, d := range s {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("shape %s is too large", s)
		}
		out = append(out, int32(d))
	}
	return out, nil
}
