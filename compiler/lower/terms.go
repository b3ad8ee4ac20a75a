package lower

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

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
		edge := s.edge(a)
		if free >= 0 {
			edge = []Weight{{free, i}} // nothing is picked
		}
		s.weighs(edge, a.Node)
		for _, w := range edge {
			if all, ok = weighed(all, w); !ok {
				break
			}
		}
		if !ok {
			continue
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
