package lower

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
)

// Relax makes a supernet of the space. Each decision that cannot be relaxed is a
// diagnostic E0540 with the reason: those that change shapes, repetitions, and
// those that a requirement ties together.
//
// An attribute that is left open is settled as in the architecture that has every
// edge.
func (p *Plan) Relax(o Relaxation) (*Supernet, diag.List) {
	o.Channels = max(o.Channels, 1)
	r := &relaxer{
		plan:    p,
		out:     &Supernet{Name: p.Space.Name, plan: p, relaxation: o},
		numbers: map[string]int{},
		nets:    map[netKey]*Net{},
		fixed:   map[*space.Decision]int64{},
		refused: map[*space.Decision]bool{},
	}
	r.requirements()
	r.out.Net = r.net(netKey{p.Body, 1})
	r.sort()
	r.sites()
	r.diags.Sort()
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	return r.out, nil
}

// relaxer builds one supernet.
type relaxer struct {
	plan    *Plan
	out     *Supernet
	numbers map[string]int // of decisions, by address
	nets    map[netKey]*Net
	fixed   map[*space.Decision]int64 // what is taken where an operation is made for each value of its attributes, and unknowns that are settled
	refused map[*space.Decision]bool
	diags   diag.List
}

// netKey tells the nets of one body apart: part is the K of the channels that go
// through it.
type netKey struct {
	body *Body
	part int
}

// taken is the architecture that has every edge, and of every other decision the
// first alternative unless it is fixed.
func (r *relaxer) taken(d *space.Decision) int64 {
	if v, ok := r.fixed[d]; ok {
		return v
	}
	if d.Kind == space.Subset {
		return 1<<len(d.Alts) - 1
	}
	return 0
}

// net relaxes a body.
func (r *relaxer) net(key netKey) *Net {
	if n := r.nets[key]; n != nil {
		return n
	}
	b := key.body
	n := &Net{Name: b.Name, Kind: b.Kind}
	r.nets[key] = n
	r.settle(b)
	s := r.site(n, b, "")
	s.part = key.part
	for i, in := range b.Inputs {
		shape := r.shape(in)
		if key.part > 1 {
			shape = nil
		}
		n.Inputs = append(n.Inputs, graph.Input{Name: in.Name, Shape: shape})
		s.refs[in] = graph.InputRef(i)
	}
	n.Output = s.tensor(b.Output)
	return n
}

// settle gives the unknowns of a body their values, as in the architecture that
// has every edge.
func (r *relaxer) settle(b *Body) {
	if b.Settler == nil {
		return
	}
	g := slices.Repeat(space.Genotype{0}, len(r.plan.Space.Decisions))
	for i, d := range r.plan.Space.Decisions {
		g[i] = r.taken(d)
	}
	bind := r.plan.binder(g)
	defer bind.done()
	f := frame{binder: bind}
	if err := f.prepare(b); err != nil {
		r.diags.Add("E0540", b.Settler.Span, "`%s` cannot be relaxed: %v", b.Name, err)
		return
	}
	for _, n := range b.Nodes {
		if n.Open != nil {
			r.fixed[n.Open] = bind.values[n.Open.ID]
		}
	}
}

// decision is the number of the relaxed decision.
func (r *relaxer) decision(d *space.Decision) int {
	if i, ok := r.numbers[d.Address]; ok {
		return i
	}
	out := &Decision{Address: d.Address, Edges: d.Kind == space.Subset, Min: d.Min, Max: d.Max, On: d}
	for i, a := range d.Alts {
		out.Options = append(out.Options, Option{Label: a.Label, Alternative: i})
	}
	for _, a := range r.plan.Absent[d] {
		out.Options = slices.Insert(out.Options, a.At, Option{Label: a.Label, Alternative: -1, Absent: true})
	}
	return r.declare(out)
}

func (r *relaxer) declare(d *Decision) int {
	i := len(r.out.Decisions)
	r.out.Decisions = append(r.out.Decisions, d)
	r.numbers[d.Address] = i
	return i
}

// weight is the mixture weight of alternative i of d.
func (r *relaxer) weight(d *space.Decision, i int) Weight {
	n := r.decision(d)
	for k, o := range r.out.Decisions[n].Options {
		if o.Alternative == i {
			return Weight{n, k}
		}
	}
	return Weight{n, i}
}

// sort brings the decisions into the order of the space; weights that Relaxation adds
// come before the first decision that they are weighed with.
func (r *relaxer) sort() {
	all := r.out.Decisions
	order, key := make([]int, len(all)), make([]int, len(all))
	for i, d := range all {
		order[i], key[i] = i, 2*len(all)
		if d.On != nil {
			key[i] = 2*d.On.ID + 1
		}
	}
	each := func(visit func(t *Term)) {
		for _, n := range r.nets {
			for _, m := range n.Nodes {
				for k := range m.Terms {
					visit(&m.Terms[k])
				}
			}
		}
	}
	each(func(t *Term) {
		for _, w := range t.Weights {
			for _, v := range t.Weights {
				if on := all[v.Decision].On; all[w.Decision].On == nil && on != nil {
					key[w.Decision] = min(key[w.Decision], 2*on.ID)
				}
			}
		}
	})
	slices.SortStableFunc(order, func(i, k int) int { return key[i] - key[k] })
	place := make([]int, len(all))
	for to, from := range order {
		place[from] = to
	}
	sorted := make([]*Decision, len(all))
	for from, to := range place {
		sorted[to] = all[from]
	}
	r.out.Decisions = sorted
	each(func(t *Term) {
		t.Weights = slices.Clone(t.Weights) // several terms may share them
		for k := range t.Weights {
			t.Weights[k].Decision = place[t.Weights[k].Decision]
		}
	})
}

// sites counts the mixtures that each decision weighs.
func (r *relaxer) sites() {
	r.out.Net.Walk(func(_ string, n *MixedNode) {
		seen := map[int]bool{}
		for _, t := range n.Terms {
			for _, w := range t.Weights {
				if !seen[w.Decision] {
					seen[w.Decision] = true
					r.out.Decisions[w.Decision].Sites++
				}
			}
		}
	})
}

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
		out := &MixedNode{Node: graph.Node{Name: n.Name, Op: n.Body.Name, Vertex: n.Vertex}, Net: s.relaxer.net(netKey{n.Body, s.part})}
		for _, a := range n.Args {
			out.Inputs = append(out.Inputs, s.tensor(a.Node))
		}
		if s.part == 1 {
			out.Shape = s.shape(n)
		}
		return s.add(out)
	}
	return s.operation(n, n.Name)
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
	out := &MixedNode{Node: *m}
	out.Name, out.Inputs = name, inputs
	if s.part > 1 {
		s.divide(n, out)
	}
	return s.add(out)
}

// operand is what an operation reads; times its weight where it is there in some
// architectures only.
func (s *site) operand(n *Node, a Arg) graph.Ref {
	w := s.edge(a)
	if len(w) == 0 {
		return s.tensor(a.Node)
	}
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
	if s.part == 1 {
		out.Shape = s.shape(n)
	}
	if len(terms) == 0 { // every candidate is absent: the zero of the first
		out.Absent = true
		out.Inputs = []graph.Ref{graph.InputRef(0)}
	}
	return s.add(out)
}

// terms are what a tensor is the sum of, under the weights of those that it is a
// term of: a mixture that nothing else reads is no tensor of its own.
func (s *site) terms(n *Node, weights []Weight) []Term {
	weights = slices.Clip(weights)
	if _, built := s.refs[n]; !built && s.uses[n] <= 1 {
		switch {
		case n.Kind == Select && s.partial(n):
			return []Term{{s.channels(n), weights}}
		case n.Kind == Select:
			return s.candidates(n, weights)
		case n.Kind == Call && n.Body.Kind == "block":
			inner := s.inline(n)
			return inner.terms(n.Body.Output, weights)
		case n.Kind == Op && isSum(n):
			return s.sum(n, weights)
		case n.Kind == Op && len(s.variable(n)) > 0:
			return s.variants(n, weights)
		}
	} else if !built {
		switch {
		case n.Kind == Select && s.partial(n):
			s.refs[n] = s.channels(n)
		case n.Kind == Select:
			s.refs[n] = s.mixture(n, s.candidates(n, nil))
		case n.Kind == Op && isSum(n):
			s.refs[n] = s.mixture(n, s.sum(n, nil))
		case n.Kind == Op && len(s.variable(n)) > 0:
			s.refs[n] = s.mixture(n, s.variants(n, nil))
		}
	}
	if s.absent(n) {
		return nil
	}
	return []Term{{s.tensor(n), weights}}
}

// candidates are the terms of a selection.
func (s *site) candidates(n *Node, weights []Weight) []Term {
	if s.refuseChoice(n) {
		return s.terms(n.Cases[len(n.Cases)-1], weights)
	}
	var terms []Term
	for i, c := range n.Cases {
		if c == nil {
			continue
		}
		w := s.weight(n.On, i)
		if s.absent(c) {
			s.out.Decisions[w.Decision].Options[w.Option].Absent = true
			continue
		}
		if all, ok := weighed(weights, w); ok {
			terms = append(terms, s.terms(c, all)...)
		}
	}
	return terms
}

// weighed adds a weight to a product, unless it is in it; ok is false where another
// option of the same decision is.
func weighed(weights []Weight, w Weight) (all []Weight, ok bool) {
	for _, v := range weights {
		if v.Decision == w.Decision {
			return weights, v == w
		}
	}
	return append(slices.Clip(weights), w), true
}

// sum are the terms of a sum.
func (s *site) sum(n *Node, weights []Weight) []Term {
	free := s.free(n)
	var terms []Term
	for i, a := range n.Args {
		all, ok := weights, true
		for _, w := range s.edge(a) {
			if all, ok = weighed(all, w); !ok {
				break
			}
		}
		if !ok {
			continue
		}
		if free >= 0 {
			all = append(slices.Clip(all), Weight{free, i})
		}
		terms = append(terms, s.terms(a.Node, all)...)
	}
	return terms
}

// isSum reports whether an operation adds up whatever it is given: sum, by its
// algebra.
func isSum(n *Node) bool {
	is := func(x *sym.Scalar) bool { return x != nil && x.Is(true) }
	return n.Op.Fold && is(n.Flags.Commutative) && is(n.Flags.Sparse) && is(n.Flags.Collapses)
}

// edge is the weight of an operand that is there in some architectures only.
func (s *site) edge(a Arg) []Weight {
	var all []Weight
	for _, item := range a.When {
		all = append(all, s.weight(item.On, item.Index))
	}
	if a.If != nil {
		for _, d := range a.If.Decisions() {
			s.refuse(d, "it decides whether `%s` is there together with other decisions", a.Node.Name)
		}
	}
	return all
}

// free is the decision of weights that the space does not decide, for a sum of
// several tensors of which one at least is mixed, or -1.
func (s *site) free(n *Node) int {
	mixed := false
	for _, a := range n.Args {
		if a.Picked() {
			return -1
		}
		mixed = mixed || isMixed(a.Node)
	}
	if !s.out.relaxation.EdgeWeights || !mixed || len(n.Args) < 2 {
		return -1
	}
	address := s.prefix + n.Name + ".edges"
	if s.body.Kind != "space" && s.prefix == "" {
		address = s.body.Name + "." + address
	}
	if i, ok := s.numbers[address]; ok {
		return i
	}
	d := &Decision{Address: address, Edges: true, Min: len(n.Args), Max: len(n.Args)}
	for i, a := range n.Args {
		d.Options = append(d.Options, Option{Label: a.Node.Name, Alternative: i})
	}
	return s.declare(d)
}

// isMixed reports whether a tensor is chosen, here or in the block that it is.
func isMixed(n *Node) bool {
	return n.Kind == Select || n.Kind == Call && n.Body.Kind == "block" && isMixed(n.Body.Output)
}

// absent reports whether a tensor stands for no edge.
func (s *site) absent(n *Node) bool {
	switch {
	case n.Kind == Op && n.Flags.Absent != nil:
		v, err := n.Flags.Absent.Eval(s.taken)
		return err == nil && v == true
	case n.Kind == Call && n.Body.Kind == "block":
		return s.absent(n.Body.Output)
	}
	return false
}

// maxVariantsOf is how many operations an operation with undecided attributes may
// become.
const maxVariantsOf = 64

// variable lists the decisions that attributes of an operation depend on.
func (s *site) variable(n *Node) []*space.Decision {
	var on []*space.Decision
	for _, a := range n.Attrs {
		on = with(on, a.Value.Decisions()...)
	}
	return slices.DeleteFunc(on, func(d *space.Decision) bool { _, fixed := s.fixed[d]; return fixed })
}

// variants are an operation with each combination of what its attributes can be.
func (s *site) variants(n *Node, weights []Weight) []Term {
	on := s.variable(n)
	total := 1
	for _, d := range on {
		if d.Kind == space.Subset || d.Kind == space.Depth {
			s.refuse(d, "it decides an attribute of `%s` and is no choice of one", n.Name)
			return nil
		}
		if total *= len(d.Alts); total > maxVariantsOf {
			s.refuse(d, "with it `%s` would be more than %d operations", n.Name, maxVariantsOf)
			return nil
		}
	}
	s.shape(n)
	defer func() {
		for _, d := range on {
			delete(s.fixed, d)
		}
	}()
	var terms []Term
	for i := range total {
		all, ok := weights, true
		var labels []string
		rest := i
		for _, d := range slices.Backward(on) {
			v := rest % len(d.Alts)
			rest /= len(d.Alts)
			s.fixed[d] = int64(v)
			labels = append(labels, d.Alts[v].Label)
			if ok {
				all, ok = weighed(all, s.weight(d, v))
			}
		}
		if !ok {
			continue
		}
		slices.Reverse(labels)
		terms = append(terms, Term{s.operation(n, fmt.Sprintf("%s(%s)", n.Name, strings.Join(labels, ","))), all})
	}
	return terms
}
