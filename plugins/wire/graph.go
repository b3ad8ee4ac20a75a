package wire

import (
	"fmt"
	"math"

	"github.com/nasc-project/nasc/compiler/graph"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// FromGraph makes a message of g. Bodies that several nodes share are sent once,
// every body before the bodies inside it.
func FromGraph(g *graph.Graph) (*pb.Graph, error) {
	order := bodies(g)
	index := make(map[*graph.Graph]int32, len(order))
	for i, b := range order {
		index[b] = int32(i)
	}
	m := &pb.Graph{}
	for _, b := range order {
		mb := &pb.Body{Name: b.Name, Kind: b.Kind, Output: int32(b.Output)}
		for _, in := range b.Inputs {
			shape, err := fromShape(in.Shape)
			if err != nil {
				return nil, err
			}
			mb.Inputs = append(mb.Inputs, &pb.GraphInput{Name: in.Name, Shape: shape})
		}
		for _, n := range b.Nodes {
			mn, err := fromNode(n)
			if err != nil {
				return nil, fmt.Errorf("graph %s, node %s: %w", b.Name, n.Name, err)
			}
			if n.Body != nil {
				mn.Body = index[n.Body]
			}
			mb.Nodes = append(mb.Nodes, mn)
		}
		m.Bodies = append(m.Bodies, mb)
	}
	return m, nil
}

// bodies lists g and every graph inside it once, parents first.
func bodies(g *graph.Graph) []*graph.Graph {
	var post []*graph.Graph
	seen := map[*graph.Graph]bool{}
	var visit func(g *graph.Graph)
	visit = func(g *graph.Graph) {
		seen[g] = true
		for i := len(g.Nodes) - 1; i >= 0; i-- {
			if b := g.Nodes[i].Body; b != nil && !seen[b] {
				visit(b)
			}
		}
		post = append(post, g)
	}
	visit(g)
	for i, j := 0, len(post)-1; i < j; i, j = i+1, j-1 {
		post[i], post[j] = post[j], post[i]
	}
	return post
}

func fromNode(n *graph.Node) (*pb.Node, error) {
	shape, err := fromShape(n.Shape)
	if err != nil {
		return nil, err
	}
	m := &pb.Node{Name: n.Name, Op: n.Op, Shape: shape, Params: n.Params, Macs: n.MACs,
		Absent: n.Absent, Identity: n.Identity, Commutative: n.Commutative, Sparse: n.Sparse, Collapses: n.Collapses,
		Vertex: n.Vertex, Module: n.Module, Fold: n.Fold}
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
	return m, nil
}

func fromShape(s graph.Shape) ([]int32, error) {
	out := make([]int32, len(s))
	for i, d := range s {
		if d < 0 || d > math.MaxInt32 {
			return nil, fmt.Errorf("shape %s is too large", s)
		}
		out[i] = int32(d)
	}
	return out, nil
}

// ToGraph reads a graph: every reference is to an input or an earlier node of
// its graph, every nested graph comes after the one it is in, takes as many
// inputs as it is given and has the output shape that its node tells.
func ToGraph(m *pb.Graph) (*graph.Graph, error) {
	if len(m.GetBodies()) == 0 {
		return nil, fmt.Errorf("the graph is empty")
	}
	all := make([]*graph.Graph, len(m.Bodies))
	for i := len(m.Bodies) - 1; i >= 0; i-- {
		g, err := toBody(m.Bodies[i], i, all)
		if err != nil {
			return nil, fmt.Errorf("graph %s: %w", m.Bodies[i].GetName(), err)
		}
		all[i] = g
	}
	return all[0], all[0].Validate()
}

func toBody(m *pb.Body, at int, all []*graph.Graph) (*graph.Graph, error) {
	g := &graph.Graph{Name: m.GetName(), Kind: m.GetKind(), Output: graph.Ref(m.GetOutput())}
	for _, in := range m.GetInputs() {
		shape, err := toShape(in.GetShape())
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.GetName(), err)
		}
		g.Inputs = append(g.Inputs, graph.Input{Name: in.GetName(), Shape: shape})
	}
	for i, mn := range m.GetNodes() {
		n, err := toNode(mn, i, at, g, all)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", mn.GetName(), err)
		}
		g.Nodes = append(g.Nodes, n)
	}
	if !refers(g, g.Output, len(g.Nodes)) {
		return nil, fmt.Errorf("its output refers to %d, which is not there", g.Output)
	}
	return g, nil
}

func toNode(m *pb.Node, i, at int, g *graph.Graph, all []*graph.Graph) (*graph.Node, error) {
	shape, err := toShape(m.GetShape())
	if err != nil {
		return nil, err
	}
	n := &graph.Node{Name: m.GetName(), Op: m.GetOp(), Shape: shape, Params: m.GetParams(), MACs: m.GetMacs(),
		Absent: m.GetAbsent(), Identity: m.GetIdentity(), Commutative: m.GetCommutative(), Sparse: m.GetSparse(),
		Collapses: m.GetCollapses(), Vertex: m.GetVertex(), Module: m.GetModule(), Fold: m.GetFold()}
	if n.Params < 0 || n.MACs < 0 {
		return nil, fmt.Errorf("its cost is negative")
	}
	for _, a := range m.GetAttributes() {
		v, err := ToValue(a.GetValue())
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.GetName(), err)
		}
		n.Attrs = append(n.Attrs, graph.Attr{Name: a.GetName(), Value: v, Default: a.GetDefault(), Open: a.GetOpen()})
	}
	for _, r := range m.GetInputs() {
		if !refers(g, graph.Ref(r), i) {
			return nil, fmt.Errorf("it reads %d, which is not an input or an earlier node", r)
		}
		n.Inputs = append(n.Inputs, graph.Ref(r))
	}
	b := int(m.GetBody())
	if b == 0 {
		return n, nil
	}
	if b <= at || b >= len(all) {
		return nil, fmt.Errorf("its body is %d, which is not a later one", b)
	}
	n.Body = all[b]
	if len(n.Inputs) != len(n.Body.Inputs) {
		return nil, fmt.Errorf("its body takes %d inputs and is given %d", len(n.Body.Inputs), len(n.Inputs))
	}
	for j, r := range n.Inputs {
		if takes, given := n.Body.Inputs[j].Shape, g.Shape(r); !takes.Equal(given) {
			return nil, fmt.Errorf("its body takes %s and is given %s", takes, given)
		}
	}
	if out := n.Body.Shape(n.Body.Output); !out.Equal(n.Shape) {
		return nil, fmt.Errorf("its shape is %s and its body's %s", n.Shape, out)
	}
	return n, nil
}

// refers reports whether r is an input of g or one of its first n nodes.
func refers(g *graph.Graph, r graph.Ref, n int) bool {
	if i, ok := r.IsInput(); ok {
		return i < len(g.Inputs)
	}
	return int(r) < n
}

func toShape(ds []int32) (graph.Shape, error) {
	s := make(graph.Shape, len(ds))
	for i, d := range ds {
		if d < 0 {
			return nil, fmt.Errorf("its shape has the extent %d", d)
		}
		s[i] = int(d)
	}
	return s, nil
}
