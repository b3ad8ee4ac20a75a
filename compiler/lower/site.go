package lower

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// site is where the nodes of a body go: a net, or for a block that is expanded in
// it a part of one.
type site struct {
	*relaxer
	net    *Net
	names  map[string]int // how often a name was wanted
	body   *Body
	prefix string
	refs   map[*Node]graph.Ref
	uses   map[*Node]int // how often a tensor of the body is read
	part   int           // K where 1/K of the channels come in
}

func (r *relaxer) site(n *Net, b *Body, prefix string) *site {
	s := &site{relaxer: r, net: n, body: b, prefix: prefix, names: map[string]int{}, refs: map[*Node]graph.Ref{}, uses: map[*Node]int{}, part: 1}
	s.count(b.Output)
	return s
}

func (s *site) count(n *Node) {
	if s.uses[n]++; s.uses[n] > 1 {
		return
	}
	for _, c := range n.Cases {
		if c != nil {
			s.count(c)
		}
	}
	for _, a := range n.Args {
		s.count(a.Node)
	}
}

// name makes a name that no other node of the net has.
func (s *site) name(name string) string {
	if s.names[name]++; s.names[name] > 1 {
		return s.name(fmt.Sprintf("%s#%d", name, s.names[name]))
	}
	return name
}

func (s *site) add(n *MixedNode) graph.Ref {
	n.Name = s.name(s.prefix + n.Name)
	s.net.Nodes = append(s.net.Nodes, n)
	return graph.Ref(len(s.net.Nodes) - 1)
}

// tensor builds a tensor of the body once.
func (s *site) tensor(n *Node) graph.Ref {
	if r, ok := s.refs[n]; ok {
		return r
	}
	r := s.build(n)
	s.refs[n] = r
	return r
}

func (s *site) build(n *Node) graph.Ref {
	switch {
	case n.Kind == Select || n.Kind == Op && (isSum(n) || len(s.variable(n)) > 0):
		return s.mixture(n, s.terms(n, nil))
	case n.Kind == Call && n.Body.Kind == "block":
		inner := s.inline(n)
		r := inner.tensor(n.Body.Output)
		if _, input := r.IsInput(); !input && n.Vertex != "" && s.net.Nodes[r].Vertex == "" && inner.owns(r) {
			s.net.Nodes[r].Vertex = n.Vertex
		}
		return r
	case n.Kind == Call:
		return s.call(n)
	}
	return s.operation(n, n.Name)
}

// call builds a use of a cell.
func (s *site) call(n *Node) graph.Ref {
	out := &MixedNode{Node: graph.Node{Name: n.Name, Op: n.Body.Name, Vertex: n.Vertex}}
	if s.part == 1 { // before its operands, so that what is refused is named from the inside out
		out.Net, out.Shape = s.relaxer.net(n.Body, 1, nil), s.shape(n)
	}
	for _, a := range n.Args {
		out.Inputs = append(out.Inputs, s.tensor(a.Node))
	}
	if s.part > 1 {
		out.Net = s.relaxer.net(n.Body, s.part, s.shapes(out.Inputs))
		out.Shape = out.Net.Shape(out.Net.Output)
	}
	return s.add(out)
}

// owns reports whether a node was made here, under the prefix of the site.
func (s *site) owns(r graph.Ref) bool { return strings.HasPrefix(s.net.Nodes[r].Name, s.prefix) }

// inline is a block that is expanded where it is called.
func (s *site) inline(n *Node) *site {
	s.settle(n.Body)
	inner := s.site(s.net, n.Body, s.prefix+n.Name+".")
	inner.names, inner.part = s.names, s.part
	for i, in := range n.Body.Inputs {
		inner.refs[in] = s.tensor(n.Args[i].Node)
	}
	return inner
}

// core is the module of the folds of the language.
const core = "std/core"

// operation builds an operation with what is fixed of its attributes.
func (s *site) operation(n *Node, name string) graph.Ref {
	var inputs []graph.Ref
	for _, a := range n.Args {
		if len(a.When) > 0 && n.Op.Name == "mean" && n.Op.Module == core {
			s.refuse(a.When[0].On, "it decides of how many tensors `%s` is the mean", n.Name)
		}
		inputs = append(inputs, s.operand(n, a))
	}
	m, err := s.evaluate(n)
	if err != nil {
		s.diags.Add("E0540", n.Span, "`%s` cannot be relaxed: %v", n.Name, err)
		m = &graph.Node{}
	}
	if s.part > 1 {
		m = s.divide(n, m, inputs)
	}
	out := &MixedNode{Node: *m}
	out.Name, out.Inputs = name, inputs
	return s.add(out)
}

// operand is what an operation reads; times its weight where it is there in some
// architectures only.
func (s *site) operand(n *Node, a Arg) graph.Ref {
	w := s.edge(a)
	if len(w) == 0 {
		return s.tensor(a.Node)
	}
	s.weighs(w, a.Node)
	of := *a.Node
	of.Name, of.Vertex = n.Name+"."+a.Node.Name, ""
	return s.mixture(&of, s.terms(a.Node, w))
}

// evaluate computes everything symbolic about an operation.
func (r *relaxer) evaluate(n *Node) (*graph.Node, error) {
	b := binder{plan: r.plan, taken: r.taken}
	m, err := b.evaluate(n)
	if err == nil {
		m.Shape = r.shape(n)
	}
	return m, err
}

// shape is the shape of a tensor, which nothing may decide.
func (r *relaxer) shape(n *Node) graph.Shape {
	for _, d := range n.Shape {
		for _, on := range d.Decisions() {
			r.refuseShape(on, n)
		}
	}
	b := binder{plan: r.plan, taken: r.taken}
	s, err := b.shape(n)
	if err != nil {
		r.diags.Add("E0540", n.Span, "`%s` cannot be relaxed: %v", n.Name, err)
	}
	return s
}

// mixture adds up terms, if they are more than a tensor alone.
func (s *site) mixture(n *Node, terms []Term) graph.Ref {
	if len(terms) == 1 && len(terms[0].Weights) == 0 {
		return terms[0].Value
	}
	out := &MixedNode{Node: graph.Node{Name: n.Name, Op: Mixed, Vertex: n.Vertex}, Terms: terms}
	if n.Kind == Op && isSum(n) && !slices.ContainsFunc(terms, func(t Term) bool { return len(t.Weights) > 0 }) && len(terms) > 0 {
		m, err := s.evaluate(n)
		if err != nil {
			s.diags.Add("E0540", n.Span, "`%s` cannot be relaxed: %v", n.Name, err)
			m = &graph.Node{}
		}
		out.Node, out.Terms = *m, nil
		for _, t := range terms {
			out.Inputs = append(out.Inputs, t.Value)
		}
	}
	switch {
	case s.part > 1 && len(terms) > 0:
		out.Shape = s.net.Shape(terms[0].Value)
	case s.part > 1:
		out.Shape = slices.Clone(s.shape(n))
		out.Shape[0] /= s.part
	default:
		out.Shape = s.shape(n)
	}
	if len(terms) == 0 { // every candidate is absent: the zero of the first
		out.Absent = true
		out.Inputs = []graph.Ref{graph.InputRef(0)}
	}
	return s.add(out)
}
