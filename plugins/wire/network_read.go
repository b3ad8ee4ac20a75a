package wire

import (
	"errors"
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// maxNodes bounds the nodes of a supernet, those of a cell counted once for each use:
// a short message can use cells in cells so often that no memory is enough.
const maxNodes = 1 << 22

// ToNetwork reads a supernet that was relaxed so: every reference is to an input or
// an earlier node of its net, names within a net differ, every nested net comes after
// the one it is in and takes as many inputs as it is given, and every weight is that
// of an option of a decision.
func ToNetwork(m *pb.Network, r lower.Relaxation) (*lower.Supernet, error) {
	relaxed, err := ToRelaxed(m.GetRelaxed())
	if err != nil {
		return nil, err
	}
	if len(m.GetNets()) == 0 {
		return nil, errors.New("the network is empty")
	}
	n := networkReader{relaxed: relaxed, widths: relaxed.Widths(), all: make([]*lower.Net, len(m.GetNets()))}
	for i := len(n.all) - 1; i >= 0; i-- {
		net, err := n.net(m.GetNets()[i], i)
		if err != nil {
			return nil, fmt.Errorf("net %s: %w", m.GetNets()[i].GetName(), err)
		}
		n.all[i] = net
	}
	if err := n.count(m.GetNets()); err != nil {
		return nil, err
	}
	decisions := make([]*lower.Decision, len(relaxed.Decisions))
	for i, d := range relaxed.Decisions {
		out := &lower.Decision{Address: d.Address, Edges: d.Edges, Min: d.Min, Max: d.Max, Sites: d.Sites}
		for _, o := range d.Options {
			out.Options = append(out.Options, lower.Option(o))
		}
		decisions[i] = out
	}
	return lower.Received(m.GetName(), decisions, n.all[0], r), nil
}

// networkReader reads nets, the inner ones first.
type networkReader struct {
	relaxed *Relaxed
	widths  []int // of the decisions
	all     []*lower.Net
}

// net reads the net with this place in the message.
func (r *networkReader) net(m *pb.Net, at int) (*lower.Net, error) {
	n := &lower.Net{Name: m.GetName(), Kind: m.GetKind(), Output: graph.Ref(m.GetOutput())}
	for _, in := range m.GetInputs() {
		shape, err := toShape(in.GetShape(), len(in.GetShape()) > 0)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.GetName(), err)
		}
		n.Inputs = append(n.Inputs, graph.Input{Name: in.GetName(), Shape: shape})
	}
	names := make(map[string]bool, len(m.GetNodes()))
	for _, mn := range m.GetNodes() {
		node, err := r.node(mn, n, at)
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", mn.GetNode().GetName(), err)
		}
		if node.Name == "" || names[node.Name] {
			return nil, fmt.Errorf("node %d has the name %q of another, or none", len(n.Nodes), node.Name)
		}
		names[node.Name] = true
		n.Nodes = append(n.Nodes, node)
	}
	if !there(n, n.Output) {
		return nil, fmt.Errorf("its output refers to %d, which is not there", n.Output)
	}
	return n, nil
}

// there reports whether r is an input of a net or one of its nodes so far.
func there(n *lower.Net, r graph.Ref) bool {
	i, input := r.IsInput()
	return input && i < len(n.Inputs) || !input && int(r) < len(n.Nodes)
}

// node reads the next node of a net, the one with this place in the message.
func (r *networkReader) node(mn *pb.MixedNode, net *lower.Net, at int) (*lower.MixedNode, error) {
	m := mn.GetNode()
	shape, err := toShape(m.GetShape(), mn.GetShaped())
	if err != nil {
		return nil, err
	}
	n := &lower.MixedNode{Node: graph.Node{Name: m.GetName(), Op: m.GetOp(), Module: m.GetModule(), Shape: shape,
		Params: m.GetParams(), MACs: m.GetMacs(), Absent: m.GetAbsent(), Identity: m.GetIdentity(), Commutative: m.GetCommutative(),
		Sparse: m.GetSparse(), Collapses: m.GetCollapses(), Fold: m.GetFold(), Vertex: m.GetVertex()}}
	if n.Params < 0 || n.MACs < 0 {
		return nil, errors.New("its cost is negative")
	}
	for _, a := range m.GetAttributes() {
		v, err := ToValue(a.GetValue())
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.GetName(), err)
		}
		n.Attrs = append(n.Attrs, graph.Attr{Name: a.GetName(), Value: v, Default: a.GetDefault(), Open: a.GetOpen()})
	}
	for _, from := range m.GetInputs() {
		n.Inputs = append(n.Inputs, graph.Ref(from))
		if !there(net, graph.Ref(from)) {
			return nil, fmt.Errorf("it reads %d, which is not an input or an earlier node", from)
		}
	}
	for _, mt := range mn.GetTerms() {
		t, err := r.term(mt, net, n)
		if err != nil {
			return nil, err
		}
		n.Terms = append(n.Terms, t)
	}
	if i := int(mn.GetNet()); i != 0 {
		if i <= at || i >= len(r.all) {
			return nil, fmt.Errorf("its net is %d, which is not a later one", i)
		}
		n.Net = r.all[i]
	}
	return n, kind(n, net)
}

// kind refuses a node that is of no kind or of several.
func kind(n *lower.MixedNode, net *lower.Net) error {
	switch {
	case n.Op == "":
		return errors.New("it has no operation")
	case n.Op == lower.Mixed && n.Net != nil, n.Op != lower.Mixed && len(n.Terms) > 0:
		return errors.New("it is a mixture and something else")
	case n.Op == lower.Mixed && len(n.Terms) == 0 && (len(n.Inputs) == 0 || n.Shape == nil):
		return errors.New("it is a mixture of nothing, without a shape or an input")
	case n.Net == nil:
		return nil
	case len(n.Inputs) != len(n.Net.Inputs):
		return fmt.Errorf("its net takes %d inputs and is given %d", len(n.Net.Inputs), len(n.Inputs))
	}
	for i, from := range n.Inputs {
		if takes, given := n.Net.Inputs[i].Shape, net.Shape(from); takes != nil && given != nil && !takes.Equal(given) {
			return fmt.Errorf("its net takes %s and is given %s", takes, given)
		}
	}
	if out := n.Net.Shape(n.Net.Output); out != nil && n.Shape != nil && !out.Equal(n.Shape) {
		return fmt.Errorf("its shape is %s and its net's %s", n.Shape, out)
	}
	return nil
}

// term reads a term of a mixture.
func (r *networkReader) term(m *pb.Term, net *lower.Net, n *lower.MixedNode) (lower.Term, error) {
	t := lower.Term{Value: graph.Ref(m.GetValue())}
	if !there(net, t.Value) {
		return t, fmt.Errorf("it adds %d, which is not an input or an earlier node", m.GetValue())
	}
	if s := net.Shape(t.Value); s != nil && n.Shape != nil && !s.Equal(n.Shape) {
		return t, fmt.Errorf("it adds a tensor of %s to those of %s", s, n.Shape)
	}
	if len(m.GetDecisions()) != len(m.GetOptions()) {
		return t, fmt.Errorf("%d decisions and %d options of a product of weights", len(m.GetDecisions()), len(m.GetOptions()))
	}
	for i, d := range m.GetDecisions() {
		w := lower.Weight{Decision: int(d), Option: int(m.GetOptions()[i])}
		if w.Decision < 0 || w.Decision >= len(r.widths) || w.Option < 0 || w.Option >= r.widths[w.Decision] {
			return t, fmt.Errorf("a weight is that of option %d of decision %d, which is not there", w.Option, w.Decision)
		}
		for _, v := range t.Weights {
			if v.Decision == w.Decision {
				return t, fmt.Errorf("a product has two weights of decision %d", w.Decision)
			}
		}
		t.Weights = append(t.Weights, w)
	}
	return t, nil
}

// count tells whether the supernet has few enough nodes, and each decision as many
// sites as it says.
func (r *networkReader) count(ms []*pb.Net) error {
	uses, sites := make([]int, len(r.all)), make([]int, len(r.widths))
	uses[0] = 1
	total := 0
	for i, n := range r.all { // parents first
		if len(n.Nodes) > 0 && uses[i] > (maxNodes-total)/len(n.Nodes) {
			return fmt.Errorf("the network has more than %d nodes", maxNodes)
		}
		total += uses[i] * len(n.Nodes)
		for k, node := range n.Nodes {
			if node.Net != nil {
				uses[ms[i].GetNodes()[k].GetNet()] += uses[i]
			}
			seen := map[int]bool{}
			for _, t := range node.Terms {
				for _, w := range t.Weights {
					if !seen[w.Decision] {
						seen[w.Decision] = true
						sites[w.Decision] += uses[i]
					}
				}
			}
		}
	}
	for i, d := range r.relaxed.Decisions {
		if sites[i] != d.Sites {
			return fmt.Errorf("relaxed decision %s: it weighs %d mixtures, not %d", d.Address, sites[i], d.Sites)
		}
	}
	return nil
}

// toShape reads a shape, which is nil where none is known.
func toShape(m []int32, isKnown bool) (graph.Shape, error) {
	if !isKnown {
		return nil, nil
	}
	s := make(graph.Shape, len(m))
	for i, d := range m {
		s[i] = int(d)
	}
	return s, known(s)
}
